"""The pages of the package without the frame of a site, examined by axe-core in light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoSession

from .conftest import browser_profile, screenshot
from .people import choose_account
from .test_account_accessibility import violations
from .test_buttons import sign_in

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.browser.site"),
    pytest.mark.usefixtures("libraries"),
]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1100, "height": 800}},
    "dark": {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"},
}


@pytest.fixture(params=LOOKS)
def page(request: pytest.FixtureRequest, chromium: Browser, site: str) -> Iterator[Page]:
    with browser_profile(chromium, site, bypass_csp=True, **LOOKS[request.param]) as context:
        yield context.new_page()


def examine(page: Page, heading: str, name: str) -> None:
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    screenshot(page, f"plain-{name}-{page.viewport_size['width']}")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_page_of_a_failed_sign_in(page: Page, settings: Any) -> None:
    settings.LOGTO_CREATE_USERS = False
    page.goto("/orders/")
    choose_account(page, "reader")
    examine(page, "You do not have an account here", "error")


def test_page_of_a_missing_permission(page: Page) -> None:
    sign_in(page, "reader")
    page.get_by_role("link", name="Editors").click()
    examine(page, "You cannot open this page", "forbidden")


def test_page_of_a_sign_out_without_logto(page: Page, logto: Emulator) -> None:
    sign_in(page, "reader")
    logto.faults.http["revocation"] = HttpFault(drop=True)
    page.get_by_role("button", name="Sign out", exact=True).click()
    examine(page, "Signed out of this site", "signed-out")


def test_page_of_a_form_after_the_end_of_the_session(page: Page) -> None:
    sign_in(page, "reader")
    LogtoSession.objects.all().end()
    page.get_by_role("button", name="Add to the wishlist").click()
    examine(page, "Your session has ended", "session-ended")
