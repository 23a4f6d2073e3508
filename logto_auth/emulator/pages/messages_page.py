"""The page of the e-mails and text messages that Logto would have sent, and of the codes of authenticator apps."""

from __future__ import annotations

from datetime import datetime, timezone

from flask import Blueprint, Response

from logto_auth.emulator.provider import current
from logto_auth.emulator.state.factors import find_totp, unused_totp_code
from logto_auth.emulator.state.message_connectors import SentMessage

from .interactions import page

blueprint = Blueprint("messages_page", __name__)

MESSAGES_PATH = "/emulator/messages"
_SHOWN = 50


@blueprint.get(MESSAGES_PATH)
def show_messages() -> Response:
    """Show the latest messages, newest first, and a code for each user with an authenticator app."""
    tenant, now = current().tenant, current().clock.precise()
    apps = [(user, find_totp(user.factors)) for user in list(tenant.users.values())]
    codes = [{"user": user, "code": unused_totp_code(app, now)} for user, app in apps if app is not None]
    messages = [_shown(each) for each in tenant.sent_messages[: -_SHOWN - 1 : -1]]
    return page("messages.html", messages=messages, codes=codes[:_SHOWN])


def _shown(message: SentMessage) -> dict[str, str]:
    sent_at = datetime.fromtimestamp(message.sent_at / 1000, timezone.utc)
    return {
        "to": message.to,
        "type": message.type,
        "code": message.code,
        "medium": "E-mail" if "@" in message.to else "Text message",
        "time": f"{sent_at:%H:%M:%S} UTC" if message.sent_at else "",
    }
