"""Requests that a browser makes without a click, and clicks that a service worker answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_started
from playwright.sync_api import Page, expect

from logto_auth.emulator import Emulator

from .people import choose_account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.browser.site")]


def test_sign_in_through_service_worker(tab: Page, site: str, settings: Any) -> None:
    settings.TEST_SCRIPT = "service-worker"
    tab.goto("/shelf/")
    tab.wait_for_function("navigator.serviceWorker.controller")
    tab.get_by_role("link", name="Sign in", exact=True).click()
    choose_account(tab, "reader")
    expect(tab).to_have_url(f"{site}/shelf/")
    tab.get_by_role("button", name="Sign out", exact=True).click()
    tab.get_by_role("link", name="Orders").click()
    choose_account(tab, "reader")
    expect(tab).to_have_url(f"{site}/orders/?page=2")


@pytest.fixture
def purposes() -> Iterator[dict[str, str]]:
    """The `Sec-Purpose` of the latest request to each path of the site."""
    purposes: dict[str, str] = {}

    def note(sender: object, environ: dict[str, str], **kwargs: object) -> None:
        purposes[environ["PATH_INFO"]] = environ.get("HTTP_SEC_PURPOSE", "")

    request_started.connect(note)
    yield purposes
    request_started.disconnect(note)


def pending_sign_ins(tab: Page) -> set[str]:
    return {cookie["name"] for cookie in tab.context.cookies() if cookie["name"].startswith("logto_sign_in_")}


@pytest.mark.parametrize(
    ("script", "purpose"),
    [("prefetch", "prefetch"), ("prerender", "prefetch;prerender"), ("link-prefetch", "prefetch")],
)
def test_prefetch_starts_no_sign_in(
    tab: Page, site: str, logto: Emulator, settings: Any, purposes: dict[str, str], script: str, purpose: str
) -> None:
    # The user is signed in at Logto, where a sign-in then needs no click.
    tab.goto("/orders/")
    choose_account(tab, "reader")
    expect(tab).to_have_url(f"{site}/orders/")
    tab.context.clear_cookies(name="bookstore_session")
    before = pending_sign_ins(tab)
    settings.TEST_SCRIPT = script
    logto.requests.clear()
    purposes.clear()
    tab.goto("/shelf/")
    while not {"/sign-in", "/orders/"} <= purposes.keys():
        tab.wait_for_timeout(50)
    tab.wait_for_timeout(200)
    assert purposes["/sign-in"] == purposes["/orders/"] == purpose
    assert [request.endpoint for request in logto.requests] == []
    assert pending_sign_ins(tab) == before
    tab.get_by_role("link", name="Orders").click()
    expect(tab).to_have_url(f"{site}/orders/?page=2")
    expect(tab.get_by_text("Hello reader")).to_be_visible()
