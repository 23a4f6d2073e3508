"""E-mails for invitations. The emulator sends none: `Tenant.sent_messages` lists those that Logto would have sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.message_connectors import SentMessage, message_connector, refused_message
from logto_auth.emulator.state.records import Invitation, User
from logto_auth.emulator.state.refusals import Refused

_TYPE = "OrganizationInvitation"


def send_invitation(provider: Provider, invitation: Invitation, variables: Mapping[str, Any]) -> None:
    """Send the e-mail of an invitation. `variables` are those of the request for the template.

    Raise 501 without an e-mail connector, 429 after too many messages to the address, and 400 if the connector has no
    template or fails.
    """
    tenant, limit = provider.tenant, provider.verifications.message_limit
    connector = message_connector(tenant.sign_in_experience, "email", _TYPE)
    if limit.is_reached(invitation.invitee):
        raise Refused("request.message_rate_limited", 429)
    if provider.faults.messages_fail:
        raise refused_message()
    organization = tenant.organizations[invitation.organization_id]
    inviter = tenant.users.get(invitation.inviter_id or "")
    payload = {
        "organization": {"id": organization.id, "name": organization.name, "branding": organization.branding},
        **({"inviter": _inviter(inviter)} if inviter else {}),
        **variables,
    }
    tenant.sent_messages.append(
        SentMessage(connector.factory.id, invitation.invitee, "", _TYPE, payload, provider.clock.now_ms())
    )
    limit.count(invitation.invitee)


def _inviter(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "avatar": user.avatar,
        "name": user.name,
        "primaryEmail": user.primary_email,
        "primaryPhone": user.primary_phone,
        "username": user.username,
        "profile": user.profile,
    }
