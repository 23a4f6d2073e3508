"""Fixtures: `logto`, an emulator that the site under test signs in with, and `browser`, a person in front of both.

A test then reads:

    def test_the_orders_page(browser, logto):
        logto.tenant.add_user(username="reader")
        assert browser.sign_in("reader", next_url="/orders/").url == "/orders/"

and nothing of the site is replaced by a double.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from django.urls import NoReverseMatch, reverse

from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator, run_in_thread
from logto_auth.sessions.refresh import clear_outage

from .browser import Browser

SITE = "http://testserver"


@pytest.fixture(scope="session")
def logto_emulator() -> Iterator[Emulator]:
    """One emulator for the whole run; use `logto`, which makes it as good as new for each test."""
    with run_in_thread() as emulator:
        yield emulator


@pytest.fixture
def logto(logto_emulator: Emulator, settings: Any) -> Iterator[Emulator]:
    """An emulator with one application, which the site's settings name, and no accounts.

    For a site that is an API, and signs nobody in, there is no application.
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
    """A person with a fresh browser."""
    return Browser(logto)
