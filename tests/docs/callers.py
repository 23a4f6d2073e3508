"""Requests as tests of the guides make them."""

from __future__ import annotations

import time
from typing import Any

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser


def access_token(logto: Emulator, **claims: Any) -> str:
    """Return an access token as Logto issues them, of a user unless `claims` say otherwise."""
    now = int(time.time())
    usual = {"iss": logto.issuer, "sub": "reader", "client_id": "app", "scope": "", "iat": now, "exp": now + 60}
    return logto.sign({**usual, **claims}, header={"typ": "at+jwt"})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def visit(browser: Browser, path: str, **headers: str) -> Any:
    return browser.client.get(path, headers=headers)
