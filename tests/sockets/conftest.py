from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.api.attackers import API, TokenMaker


@pytest.fixture
def signed_in(browser: Browser, reader: Any) -> Browser:
    """The browser of a user who is signed in."""
    browser.sign_in("reader")
    return browser


@pytest.fixture
def token(logto: Emulator, settings: Any) -> TokenMaker:
    """Makes access tokens of a user for the API of the site."""
    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_API_CREATE_USERS = True
    return TokenMaker(logto, logto.tenant.add_user(username="robot", id="robot0000001").id)
