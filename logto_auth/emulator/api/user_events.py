"""The webhook event for a change that a user made."""

from __future__ import annotations

from flask import request

from logto_auth.emulator.oidc.http import caller_ip
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.user_json import user_json


def announce_change(user: User) -> None:
    """Send `User.Data.Updated` to webhooks. Unlike that of the Management API, it does not name the route."""
    provider = current()
    provider.webhooks.announce(
        {
            "event": "User.Data.Updated",
            "createdAt": provider.webhooks.now(),
            "userAgent": request.headers.get("User-Agent", ""),
            "ip": caller_ip(),
            "data": user_json(provider.tenant, user),
        }
    )
