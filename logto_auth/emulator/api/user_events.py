"""Webhook events for what users do to their own accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import request

from logto_auth.emulator.oidc.http import caller_ip
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.refusals import Refused
from logto_auth.emulator.state.user_json import user_json


def announce_change(user: User) -> None:
    """Send `User.Data.Updated` to webhooks. Unlike that of the Management API, it does not name the route."""
    _announce("User.Data.Updated", data=user_json(current().tenant, user))


@contextmanager
def announcing_limits(kind: str, value: str) -> Iterator[None]:
    """Send the event of a limit that is reached: of messages to a recipient, or of attempts for an identifier.

    `kind` is the type of the identifier: `userId`, `email` or `phone`.
    """
    try:
        yield
    except Refused as refusal:
        if refusal.code == "request.message_rate_limited":
            _announce("Message.RateLimited", action="VerificationCodeSend", recipient=value)
        if refusal.code == "session.verification_blocked_too_many_attempts":
            _announce("Identifier.Lockout", type=kind, value=value)
        raise


def _announce(event: str, **members: Any) -> None:
    webhooks = current().webhooks
    webhooks.announce(
        {
            "event": event,
            "createdAt": webhooks.now(),
            "userAgent": request.headers.get("User-Agent", ""),
            "ip": caller_ip(),
            **members,
        }
    )
