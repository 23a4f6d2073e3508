"""Fixtures for the tests of sessions."""

from __future__ import annotations

import pytest

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser


@pytest.fixture
def devices(logto: Emulator) -> list[Browser]:
    """Three browsers of one user."""
    logto.tenant.add_user(username="reader")
    browsers = []
    for name in ("Laptop", "Phone", "Library"):
        browser = Browser(logto)
        browser.client.defaults["HTTP_USER_AGENT"] = name
        browser.sign_in("reader")
        browsers.append(browser)
    return browsers
