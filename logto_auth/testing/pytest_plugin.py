"""Pytest fixtures: `logto`, an emulator that is the Logto of the site under test, and `browser`, a user's browser.

A test then looks like this:

    def test_orders_page(browser, logto):
        logto.tenant.add_user(username="reader")
        assert browser.sign_in("reader", next_url="/orders/").url == "/orders/"

No part of the site is mocked. The fixtures import what needs Django's settings, because pytest loads this module first.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from logto_auth.clients import reset_clients
from logto_auth.emulator import DEFAULT_VERSION, Emulator, run_in_thread

from .browser import Browser
from .site import register_site

__all__ = ["browser", "logto", "logto_emulator"]

# The origin of Django's test client.
SITE = "http://testserver"
OTHER_ADDRESSES = (
    "LOGTO_BASE_URL",
    "LOGTO_INTERNAL_BASE_URL",
    "LOGTO_INTERNAL_ENDPOINT",
    "LOGTO_MANAGEMENT_API_RESOURCE",
)


@pytest.fixture(scope="session")
def logto_emulator() -> Iterator[Emulator]:
    """Return one emulator for the whole run. Tests use `logto`, which resets it.

    Its outbound guard is off, so that back-channel logouts reach the live server. `LOGTO_LIKE` in the environment
    selects the version of Logto.
    """
    with run_in_thread(like=os.environ.get("LOGTO_LIKE") or DEFAULT_VERSION, outbound_guard=False) as emulator:
        yield emulator


@pytest.fixture
def logto(logto_emulator: Emulator, settings: Any, request: pytest.FixtureRequest) -> Iterator[Emulator]:
    """Return an emulator without users, and with one application, which the site's settings name.

    The application knows the URLs of the site for Django's test client, and for `live_server` if the test uses it.
    Other settings with addresses of the site or of Logto are empty, because those addresses lead elsewhere. If the site
    has no sign-in view (an API), there is no application.
    """
    from logto_auth.sessions.outage import clear_outage
    from logto_auth.tenant.site import redirect_uris

    logto_emulator.reset(tenant=True)
    logto_emulator.keys.clear()
    settings.LOGTO_ENDPOINT = logto_emulator.endpoint
    for name in OTHER_ADDRESSES:
        setattr(settings, name, "")
    if redirect_uris([SITE]):
        application = logto_emulator.tenant.add_application(name="Site under test", type="Traditional")
        settings.LOGTO_APP_ID = application.id
        settings.LOGTO_APP_SECRET = application.secret
        register_site(logto_emulator, SITE)
        if "live_server" in request.fixturenames:
            register_site(logto_emulator, request.getfixturevalue("live_server").url)
    reset_clients()
    clear_outage()
    yield logto_emulator
    reset_clients()


@pytest.fixture
def browser(logto: Emulator) -> Browser:
    """Return a new browser without cookies."""
    return Browser(logto)
