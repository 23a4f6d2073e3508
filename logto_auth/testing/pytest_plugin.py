"""Pytest fixtures: `logto`, an emulator that is the Logto of the site under test, and `browser`, a user's browser.

A test then looks like this:

    def test_orders_page(browser, logto):
        logto.tenant.add_user(username="reader")
        assert browser.sign_in("reader", next_url="/orders/").url == "/orders/"

No part of the site is mocked.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.urls import NoReverseMatch, reverse

from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator, run_in_thread
from logto_auth.sessions.outage import clear_outage

from .browser import Browser

__all__ = ["browser", "logto", "logto_emulator"]

# The origin of Django's test client.
SITE = "http://testserver"


@pytest.fixture(scope="session")
def logto_emulator() -> Iterator[Emulator]:
    """Return one emulator for the whole run. Tests use `logto`, which resets it."""
    with run_in_thread() as emulator:
        yield emulator


@pytest.fixture
def logto(logto_emulator: Emulator, settings: Any) -> Iterator[Emulator]:
    """Return an emulator without users, and with one application, which the site's settings name.

    If the site has no sign-in view (an API), there is no application.
    """
    logto_emulator.reset(tenant=True)
    logto_emulator.keys.clear()
    settings.LOGTO_ENDPOINT = logto_emulator.endpoint
    with suppress(NoReverseMatch):
        _add_site(logto_emulator, settings)
    reset_clients()
    clear_outage()
    yield logto_emulator
    reset_clients()


def _add_site(emulator: Emulator, settings: Any) -> None:
    application = emulator.tenant.add_application(
        name="Site under test",
        type="Traditional",
        redirect_uris=[SITE + reverse("logto_auth:callback")],
        post_logout_redirect_uris=[SITE + "/"],
    )
    settings.LOGTO_APP_ID = application.id
    settings.LOGTO_APP_SECRET = application.secret


@pytest.fixture
def browser(logto: Emulator) -> Browser:
    """Return a new browser without cookies."""
    return Browser(logto)
