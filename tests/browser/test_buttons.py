"""Each button of each page of the package, pressed in a real Chromium, which sends `Origin` and `Referer`."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from playwright.sync_api import Browser, Page, expect

from logto_auth.emulator import Emulator, HttpFault

from .conftest import browser_profile
from .people import choose_account, expect_sign_in_at_logto

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.browser.site")]


def sign_in(tab: Page, account: str, path: str = "/shelf/") -> None:
    tab.goto(path)
    tab.get_by_role("link", name="Sign in", exact=True).click()
    choose_account(tab, account)
    expect(tab.get_by_text(f"Hello {account}")).to_be_visible()


def expect_signed_out_at_both(tab: Page, site: str) -> None:
    expect(tab).to_have_url(re.compile(rf"^{site}/(\?|$)"))
    expect(tab.get_by_text("Hello stranger")).to_be_visible()
    tab.goto("/orders/")
    expect_sign_in_at_logto(tab)


# Buttons on the pages of a site


def test_sign_in_and_out(tab: Page, site: str) -> None:
    sign_in(tab, "reader")
    expect(tab).to_have_url(f"{site}/shelf/")
    tab.get_by_role("button", name="Sign out", exact=True).click()
    expect_signed_out_at_both(tab, site)


def test_sign_out_everywhere_else(tab: Page, chromium: Browser, site: str) -> None:
    sign_in(tab, "reader")
    with browser_profile(chromium, site) as other:
        other_tab = other.new_page()
        sign_in(other_tab, "reader")
        tab.get_by_role("button", name="Sign out everywhere else").click()
        expect(tab).to_have_url(f"{site}/shelf/")
        other_tab.reload()
        expect(other_tab.get_by_text("Hello stranger")).to_be_visible()


def test_organization_switcher(tab: Page, site: str) -> None:
    sign_in(tab, "editor")
    tab.get_by_label("Branch").select_option("hillbranch01")
    tab.get_by_role("button", name="Switch").click()
    expect(tab).to_have_url(f"{site}/shelf/")
    expect(tab.get_by_label("Branch")).to_have_value("hillbranch01")


# The page for a failed sign-in


@pytest.fixture
def error_page(tab: Page, settings: Any) -> Page:
    """The page of a user whom the site refuses. After that, the site accepts everyone."""
    settings.LOGTO_CREATE_USERS = False
    tab.goto("/orders/?page=2")
    choose_account(tab, "reader")
    expect(tab.get_by_role("heading", name="You do not have an account here")).to_be_visible()
    settings.LOGTO_CREATE_USERS = True
    return tab


def test_use_another_account_on_error_page(error_page: Page, site: str) -> None:
    error_page.get_by_role("button", name="Use another account").click()
    expect_signed_out_at_both(error_page, site)


def test_try_again_on_error_page(error_page: Page, site: str) -> None:
    error_page.get_by_role("link", name="Try again").click()
    expect(error_page).to_have_url(f"{site}/orders/?page=2")


def test_code_in_url_of_error_page_stays_there(error_page: Page, site: str) -> None:
    assert "code=" in error_page.url
    error_page.get_by_role("link", name="Home page").click()
    expect(error_page).to_have_url(f"{site}/")
    assert error_page.evaluate("document.referrer") == ""


# The page of a sign-out that ended the session on this site only


@pytest.fixture
def signed_out_page(tab: Page, logto: Emulator) -> Page:
    sign_in(tab, "reader")
    logto.faults.http["revocation"] = HttpFault(drop=True)
    tab.get_by_role("button", name="Sign out", exact=True).click()
    expect(tab.get_by_role("heading", name="Signed out of this site")).to_be_visible()
    logto.faults.http.clear()
    return tab


def test_sign_out_at_logto_on_signed_out_page(signed_out_page: Page, site: str) -> None:
    signed_out_page.get_by_role("button", name="Sign out at Logto").click()
    expect_signed_out_at_both(signed_out_page, site)


def test_home_page_on_signed_out_page(signed_out_page: Page, site: str) -> None:
    signed_out_page.get_by_role("link", name="Home page").click()
    expect(signed_out_page).to_have_url(f"{site}/")


# The 403 page


@pytest.fixture
def forbidden_page(tab: Page) -> Page:
    sign_in(tab, "reader")
    tab.get_by_role("link", name="Editors").click()
    expect(tab.get_by_role("heading", name="You cannot open this page")).to_be_visible()
    return tab


def test_sign_out_on_forbidden_page(forbidden_page: Page, site: str) -> None:
    forbidden_page.get_by_role("button", name="Sign out").click()
    expect_signed_out_at_both(forbidden_page, site)


def test_links_on_forbidden_page(forbidden_page: Page, site: str) -> None:
    forbidden_page.get_by_role("link", name="Home page").click()
    expect(forbidden_page).to_have_url(f"{site}/")
    forbidden_page.go_back()
    forbidden_page.get_by_role("link", name="Use another account").click()
    choose_account(forbidden_page, "editor")
    expect(forbidden_page).to_have_url(f"{site}/editors/")
    expect(forbidden_page.get_by_text("Hello editor")).to_be_visible()


# The 401 page for a form whose session has ended


@pytest.fixture
def session_ended_page(tab: Page, logto: Emulator, settings: Any) -> Page:
    settings.LOGTO_FRESHNESS_SECONDS = 0
    sign_in(tab, "reader")
    logto.tenant.suspend_user("reader000001")
    tab.get_by_role("button", name="Add to the wishlist").click()
    expect(tab.get_by_role("heading", name="Your session has ended")).to_be_visible()
    return tab


def test_home_page_on_session_ended_page(session_ended_page: Page, site: str) -> None:
    session_ended_page.get_by_role("link", name="Home page").click()
    expect(session_ended_page).to_have_url(f"{site}/")


def test_sign_in_on_session_ended_page(session_ended_page: Page, site: str) -> None:
    session_ended_page.get_by_role("link", name="Sign in").click()
    choose_account(session_ended_page, "editor")
    expect(session_ended_page).to_have_url(f"{site}/shelf/")


# The page of an invitation


def test_accept_invitation(tab: Page, site: str, logto: Emulator) -> None:
    sign_in(tab, "reader")
    logto.tenant.add_user(username="guest", password="guest-password", primary_email="guest@example.com")
    token = logto.tenant.add_one_time_token("guest@example.com").token
    tab.goto(f"/accept-invitation?token={token}&email=guest@example.com&next=/shelf/")
    expect(tab.get_by_text("If you accept, you will be signed in as guest@example.com instead.")).to_be_visible()
    tab.get_by_role("button", name="Accept").click()
    expect(tab).to_have_url(f"{site}/shelf/")
    expect(tab.get_by_text("Hello guest")).to_be_visible()


# The admin


def test_sign_out_in_admin(tab: Page, site: str, settings: Any) -> None:
    settings.LOGTO_STAFF_ROLES = settings.LOGTO_SUPERUSER_ROLES = ("editor",)
    tab.goto("/admin/")
    choose_account(tab, "editor")
    expect(tab).to_have_url(f"{site}/admin/")
    tab.get_by_role("button", name="Log out").click()
    expect_signed_out_at_both(tab, site)


def test_password_form_of_admin(tab: Page, site: str, settings: Any) -> None:
    settings.LOGTO_ADMIN_PASSWORD_SIGN_IN = True
    get_user_model().objects.create_superuser("root", password="only-for-tests")
    tab.goto("/admin/login/password/?next=/admin/auth/")
    tab.get_by_label("Username").fill("root")
    tab.get_by_label("Password").fill("only-for-tests")
    tab.get_by_role("button", name="Log in").click()
    expect(tab).to_have_url(f"{site}/admin/auth/")
    tab.get_by_role("button", name="Log out").click()
    expect(tab).to_have_url(f"{site}/")


def test_sign_out_of_user_who_is_not_staff(tab: Page, site: str) -> None:
    sign_in(tab, "reader")
    tab.goto("/admin/")
    tab.get_by_role("button", name="Sign out").click()
    expect_signed_out_at_both(tab, site)


# A form that asks a signed-out visitor to sign in


def test_visitor_who_sends_a_form_returns_to_it(tab: Page, site: str) -> None:
    tab.goto("/shelf/?row=3")
    tab.get_by_role("button", name="Add to the wishlist").click()
    choose_account(tab, "reader")
    expect(tab).to_have_url(f"{site}/shelf/?row=3")
    tab.get_by_role("button", name="Add to the wishlist").click()
    expect(tab.get_by_role("heading", name="Added")).to_be_visible()
