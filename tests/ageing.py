"""Let time pass between two requests."""

from __future__ import annotations

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser


def age(browser: Browser, seconds: int = 3601) -> None:
    """Make all sessions and access tokens older by `seconds`."""
    session = browser.client.session
    if "_logto_fresh_until" in session:
        session["_logto_fresh_until"] -= seconds
        session.save()
    for row in LogtoSession.objects.all():
        tokens = row.tokens
        for token in tokens["access_tokens"].values():
            token["expires_at"] -= seconds
        row.tokens = tokens
        row.fresh_until -= seconds
        row.started_at -= seconds
        row.save()


def age_refresh_tokens(logto: Emulator) -> None:
    """Let Logto rotate each refresh token at its next use, and treat a former one as stolen."""
    days = 11 * 24 * 3600
    for token in logto.instances.refresh_tokens.values():
        token.issued_at -= days
        token.expires_at -= days
        if token.consumed_at is not None:
            token.consumed_at -= 10
