"""The calls that the account pages made."""

from __future__ import annotations

from logto_auth.emulator import Emulator


def calls_of(logto: Emulator) -> list[str]:
    """Return the paths that the site called at the Account API and the Verification API."""
    paths = [request.path for request in logto.requests]
    return [path for path in paths if path.startswith(("/api/my-account", "/api/verifications"))]
