"""The page of the e-mails and text messages that Logto would have sent, and of the codes of authenticator apps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from flask import Blueprint, Response

from logto_auth.emulator.provider import current
from logto_auth.emulator.state.factors import find_totp, unused_totp_code
from logto_auth.emulator.state.message_connectors import SentMessage
from logto_auth.emulator.state.records import User
from logto_auth.emulator.state.totp import totp_code

from .interactions import page

blueprint = Blueprint("messages_page", __name__)

MESSAGES_PATH = "/emulator/messages"
_SHOWN = 50


@blueprint.get(MESSAGES_PATH)
def show_messages() -> Response:
    """Show the latest messages, newest first, and the codes of authenticator apps."""
    tenant, now = current().tenant, current().clock.precise()
    codes = [code for user in list(tenant.users.values()) for code in _codes(user, now)]
    messages = [_shown(each) for each in tenant.sent_messages[: -_SHOWN - 1 : -1]]
    return page("messages.html", messages=messages, codes=codes[:_SHOWN])


def _codes(user: User, now: float) -> Iterator[dict[str, Any]]:
    """Yield the code of the user's authenticator app, and that of an app that the user is adding."""
    app, offered = find_totp(user.factors), user.offered_totp_secret
    if app is not None:
        yield {"user": user, "code": unused_totp_code(app, now), "is_new": False}
    if offered and (app is None or offered != app.secret):
        yield {"user": user, "code": totp_code(offered, now), "is_new": True}


def _shown(message: SentMessage) -> dict[str, str]:
    sent_at = datetime.fromtimestamp(message.sent_at / 1000, timezone.utc)
    return {
        "to": message.to,
        "type": message.type,
        "code": message.code,
        "link": _link(message),
        "medium": "E-mail" if "@" in message.to else "Text message",
        "time": f"{sent_at:%H:%M:%S} UTC" if message.sent_at else "",
    }


def _link(message: SentMessage) -> str:
    """Return the link that a template would contain, such as that of an invitation, or "" without one."""
    link = str(message.payload.get("link") or "")
    return link if link.startswith(("http://", "https://")) else ""
