"""A site with the account pages, whose Logto has the account center on and sends messages."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser

SCOPES = ("openid", "offline_access", "profile", "email", "phone", "identities", "urn:logto:scope:sessions")
PASSWORD = "correct horse battery"
EMAIL = "reader@example.com"
PHONE = "15551234567"


def enable_account_center(logto: Emulator, settings: Any, **fields: Any) -> None:
    """Let users change their account. `fields` are those with another permission than Edit."""
    cache.clear()
    settings.LOGTO_SCOPES = SCOPES
    logto.tenant.enable_account_center(**fields)
    logto.tenant.add_message_connectors()


def sign_in(logto: Emulator, username: str = "reader") -> Browser:
    """Return a new browser in which the user is signed in."""
    browser = Browser(logto)
    browser.sign_in(username)
    return browser


def calls(logto: Emulator) -> list[str]:
    """Return the requests to Logto since the last call, without those of the visitor's browser."""
    found = [f"{each.method} {each.path}" for each in logto.requests if each.path.startswith(("/api/", "/oidc/me"))]
    logto.requests.clear()
    return found
