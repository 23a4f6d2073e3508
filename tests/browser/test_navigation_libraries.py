"""Turbo, htmx and Unpoly, which turn links and forms into requests of a script."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Page, expect

from logto_auth.models import LogtoSession

from .people import choose_account, expect_sign_in_at_logto

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.browser.site"),
    pytest.mark.usefixtures("libraries"),
]


@pytest.fixture(params=["turbo", "htmx", "htmx2", "unpoly"])
def shelf(request: pytest.FixtureRequest, tab: Page, site: str, settings: Any) -> Page:
    """A page whose links and forms the library handles."""
    settings.TEST_SCRIPT = request.param
    tab.goto("/shelf/?row=3")
    return tab


def sign_in(shelf: Page, site: str, account: str) -> None:
    shelf.get_by_role("link", name="Sign in", exact=True).click()
    choose_account(shelf, account)
    expect(shelf).to_have_url(f"{site}/shelf/?row=3")
    expect(shelf.get_by_text(f"Hello {account}")).to_be_visible()


def test_library_handles_links(shelf: Page) -> None:
    # The browser itself would load the page anew.
    shelf.evaluate("window.isTheFirstPage = true")
    shelf.get_by_role("link", name="Home").click()
    expect(shelf.get_by_role("heading", name="Home")).to_be_visible()
    assert shelf.evaluate("window.isTheFirstPage")


def test_buttons_of_tags_sign_in_and_out(shelf: Page, site: str) -> None:
    sign_in(shelf, site, "editor")
    shelf.get_by_label("Branch").select_option("hillbranch01")
    shelf.get_by_role("button", name="Switch").click()
    expect(shelf.get_by_label("Branch")).to_have_value("hillbranch01")
    shelf.get_by_role("button", name="Sign out everywhere else").click()
    expect(shelf).to_have_url(f"{site}/shelf/?row=3")
    shelf.get_by_role("button", name="Sign out", exact=True).click()
    expect(shelf).to_have_url(re.compile(rf"^{site}/(\?|$)"))
    expect(shelf.get_by_text("Hello stranger")).to_be_visible()
    shelf.goto("/orders/")
    expect_sign_in_at_logto(shelf)


def test_plain_link_leads_to_sign_in(shelf: Page, site: str) -> None:
    shelf.get_by_role("link", name="Plain link").click()
    go_to_logto(shelf)
    choose_account(shelf, "reader")
    expect(shelf).to_have_url(f"{site}/shelf/?row=3")


def test_link_to_protected_page_leads_there(shelf: Page, site: str) -> None:
    shelf.get_by_role("link", name="Orders").click()
    go_to_logto(shelf)
    choose_account(shelf, "reader")
    expect(shelf).to_have_url(f"{site}/orders/?page=2")


def test_protected_form_leads_back_to_its_page(shelf: Page, site: str) -> None:
    shelf.get_by_role("button", name="Add to the wishlist").click()
    go_to_logto(shelf)
    choose_account(shelf, "reader")
    expect(shelf).to_have_url(f"{site}/shelf/?row=3")


def test_part_of_page_leads_back_to_the_page(shelf: Page, site: str) -> None:
    library = django_settings.TEST_SCRIPT.rstrip("2")
    shelf.get_by_text(re.compile(f"Part for {library}", re.IGNORECASE)).click()
    go_to_logto(shelf)
    choose_account(shelf, "reader")
    # Unpoly requests whole pages, and shows a part of them.
    expect(shelf).to_have_url(f"{site}/part/" if library == "unpoly" else f"{site}/shelf/?row=3")


def test_forbidden_link_and_form_show_the_403_page(shelf: Page, site: str) -> None:
    sign_in(shelf, site, "reader")
    shelf.get_by_role("link", name="Editors").click()
    expect(shelf.get_by_text("You need the role editor.")).to_be_visible()
    if django_settings.TEST_SCRIPT == "htmx2":
        return  # by itself, it shows no response with an error status
    shelf.goto("/shelf/")
    shelf.get_by_role("button", name="Publish").click()
    expect(shelf.get_by_text("You need the role editor.")).to_be_visible()


def test_stale_session_without_refresh_token_is_confirmed(shelf: Page, site: str, settings: Any) -> None:
    settings.LOGTO_SCOPES = tuple(scope for scope in settings.LOGTO_SCOPES if scope != "offline_access")
    sign_in(shelf, site, "reader")
    LogtoSession.objects.update(fresh_until=0)
    shelf.get_by_role("link", name="Orders").click()
    go_to_logto(shelf)
    expect(shelf).to_have_url(f"{site}/orders/?page=2")
    expect(shelf.get_by_text("Hello reader")).to_be_visible()


def go_to_logto(shelf: Page) -> None:
    """Follow the link of the page that Unpoly shows. The other libraries need no help."""
    if django_settings.TEST_SCRIPT == "unpoly":
        expect(shelf.get_by_role("heading", name="Please sign in")).to_be_visible()
        shelf.get_by_role("main").get_by_role("link", name="Sign in", exact=True).click()
