"""Webhook events of sign-ins and registrations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import request

from logto_auth.emulator.oidc.http import caller_ip
from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.refusals import Refused
from logto_auth.emulator.state.sessions import Interaction
from logto_auth.emulator.state.user_json import user_json


def announce_registration(provider: Provider, interaction: Interaction, user: User) -> None:
    """Send the event of a new user, before the first sign-in is recorded."""
    _announce_data(provider, interaction, "User.Created", {"data": user_json(provider.tenant, user)}, is_new=True)


def announce_sign_in(provider: Provider, interaction: Interaction, user: User, *, is_new: bool) -> None:
    """Send the events of a sign-in or a registration. `sessionId` is the uid of the interaction."""
    interaction_event = _interaction_event(is_new)
    provider.webhooks.announce(
        {
            "event": f"Post{interaction_event}",
            "interactionEvent": interaction_event,
            "createdAt": provider.webhooks.now(),
            "sessionId": interaction.uid,
            "userAgent": request.headers.get("User-Agent", ""),
            "userId": user.id,
            "userIp": caller_ip(),
            "user": user_json(provider.tenant, user),
            **_client(interaction),
        }
    )


def announce_user_change(provider: Provider, interaction: Interaction, user: User, *, is_new: bool) -> None:
    """Send the event of a user who added a part of the profile or a second factor at a sign-in."""
    data = {"data": user_json(provider.tenant, user)}
    _announce_data(provider, interaction, "User.Data.Updated", data, is_new=is_new)


def announce_memberships(
    provider: Provider, interaction: Interaction, user: User, organization_ids: Iterable[str], *, is_new: bool
) -> None:
    """Send the events of the organizations that the user joined just in time."""
    for organization_id in organization_ids:
        members = {"organizationId": organization_id, "addedUserIds": [user.id]}
        _announce_data(provider, interaction, "Organization.Membership.Updated", members, is_new=is_new)


@contextmanager
def announcing_limits(provider: Provider, interaction: Interaction, kind: str, value: str) -> Iterator[None]:
    """Send the event of a limit that a sign-in reaches: of wrong second factors, or of messages to a recipient.

    `kind` is the type of the identifier: `userId`, `email` or `phone`.
    """
    try:
        yield
    except Refused as refusal:
        if refusal.code == "session.verification_blocked_too_many_attempts":
            identifier = {"type": kind, "value": value}
            _announce_data(provider, interaction, "Identifier.Lockout", identifier, is_new=False)
        if refusal.code == "request.message_rate_limited":
            recipient = {"action": "VerificationCodeSend", "recipient": value}
            _announce_data(provider, interaction, "Message.RateLimited", recipient, is_new=False)
        raise


def _announce_data(
    provider: Provider, interaction: Interaction, event: str, members: dict[str, Any], *, is_new: bool
) -> None:
    provider.webhooks.announce(
        {
            "event": event,
            "createdAt": provider.webhooks.now(),
            "interactionEvent": _interaction_event(is_new),
            "userAgent": request.headers.get("User-Agent", ""),
            **_client_id(interaction),
            "sessionId": interaction.uid,
            "ip": caller_ip(),
            **({} if interaction.request.client.is_dynamic else _client(interaction)),
            **members,
        }
    )


def _interaction_event(is_new: bool) -> str:
    return "Register" if is_new else "SignIn"


def _client(interaction: Interaction) -> dict[str, Any]:
    """Return the application. A dynamic client is in no table, and only its id is known."""
    client = interaction.request.client
    if client.is_dynamic:
        return _client_id(interaction)
    shown = {"id": client.id, "type": client.type, "name": client.name, "description": client.description}
    return {"application": shown}


def _client_id(interaction: Interaction) -> dict[str, Any]:
    client = interaction.request.client
    return {"cimdClientId" if client.is_dynamic else "applicationId": client.id}
