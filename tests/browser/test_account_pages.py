"""The account pages in a real Chromium: the flows, without JavaScript, at 320 pixels, and in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect

from logto_auth.emulator import Emulator
from logto_auth.emulator.state.social_connectors import FACTORIES, Connector
from logto_auth.testing import register_site
from tests.account.conftest import PASSWORD, SCOPES, SESSIONS_SCOPE, add_message_connectors

from .conftest import browser_profile, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ALIPAY = "alipayweb001"
POLICY = {"rejects": {"pwned": False, "repetitionAndSequence": True, "userInfo": True, "words": []}}
NONCE = "nonce-of-the-test"
# The strictest Content Security Policy under which the pages work. A sign-in begins with a form of the emulator.
POLICY_OF_PAGES = f"default-src 'none'; style-src 'nonce-{NONCE}'; form-action 'self'; base-uri 'none'"
NEW_PASSWORD = "Correct-horse-7-battery"


@pytest.fixture
def account_site(live_server: Any, logto: Emulator, settings: Any, monkeypatch: Any) -> str:
    """Return the URL of a site that has the account pages, with a user at Logto."""
    settings.ROOT_URLCONF = "tests.account.urls"
    # The live server has the middleware of the bookstore, which sends its policy. This one is stricter.
    monkeypatch.setattr("bookstore.core.middleware.content_security_policy", lambda endpoint: POLICY_OF_PAGES)
    processors = [*settings.TEMPLATES[0]["OPTIONS"]["context_processors"], f"{__name__}.nonce"]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [], "OPTIONS": {"context_processors": processors}}]
    settings.LOGTO_SCOPES = [*SCOPES, SESSIONS_SCOPE]
    register_site(logto, live_server.url)
    cache.clear()
    tenant = logto.tenant
    tenant.enable_account_center()
    add_message_connectors(logto)
    alipay = {"appId": "2021000000000000", "privateKey": "key", "signType": "RSA2"}
    tenant.sign_in_experience.connector_instances[ALIPAY] = Connector(FACTORIES["alipay-web"], alipay, id=ALIPAY)
    tenant.sign_in_experience.settings["socialSignInConnectorTargets"] = ["alipay"]
    tenant.sign_in_experience.settings["passwordPolicy"] = POLICY
    tenant.add_alipay_account("2088000000000001", nick_name="小明")
    tenant.add_user(
        username="reader",
        password=PASSWORD,
        primary_email="reader@example.com",
        name="Ada Reader",
        profile={"givenName": "Ada", "zoneinfo": "Asia/Tokyo"},
    )
    url: str = live_server.url
    return url


def nonce(request: Any) -> dict[str, str]:
    """A context processor like that of Django 6."""
    return {"csp_nonce": NONCE}


@pytest.fixture(params=["desktop", "phone", "dark"])
def look(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the options of a browser."""
    return {
        "name": request.param,
        "desktop": {"viewport": {"width": 1200, "height": 900}},
        "phone": {"viewport": {"width": 320, "height": 640}},
        "dark": {"viewport": {"width": 800, "height": 900}, "color_scheme": "dark"},
    }


@pytest.fixture
def page(chromium: Browser, account_site: str) -> Iterator[Page]:
    """Return a page of a browser without JavaScript, whose user is signed in."""
    with browser_profile(chromium, account_site, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page)
        yield page


def sign_in(page: Page) -> None:
    page.goto("/account/")
    page.get_by_role("button", name="Sign in as reader", exact=True).click()
    expect(page.get_by_role("heading", name="Profile")).to_be_visible()


def verify(page: Page) -> None:
    """Prove with the password who the user is."""
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue", exact=True).click()


def test_profile_is_changed(page: Page) -> None:
    page.get_by_label("Name", exact=True).fill("Ada B. Reader")
    page.get_by_role("button", name="Save").first.click()
    expect(page.get_by_role("status")).to_contain_text("Your profile has been saved.")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Ada B. Reader")
    page.get_by_label("Birthdate").fill("1990-12-31")
    page.get_by_label("Time zone").select_option("Europe/Berlin")
    page.get_by_role("button", name="Save").nth(1).click()
    expect(page.get_by_label("Birthdate")).to_have_value("1990-12-31")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")


def test_email_is_changed(page: Page, logto: Emulator) -> None:
    page.get_by_role("link", name="Change E-mail").click()
    verify(page)
    page.get_by_label("New e-mail address").fill("new@example.com")
    page.get_by_role("button", name="Send a code").click()
    page.get_by_label("Code").fill("0")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text("The code is not correct.")).to_be_visible()
    page.get_by_label("Code").fill(logto.messages.code_for("new@example.com"))
    # Enter presses the first button.
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Your e-mail address has been changed.")
    expect(page.get_by_text("new@example.com")).to_be_visible()


def test_password_is_changed(page: Page) -> None:
    page.goto("/account/password")
    verify(page)
    page.get_by_label("New password").fill("12345678")
    page.get_by_label("The same password again").fill("12345678")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("It contains a sequence")).to_be_visible()
    expect(page.get_by_label("New password")).to_have_value("")
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_label("The same password again").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Your password has been changed.")


def test_alipay_is_linked_and_unlinked(page: Page) -> None:
    page.goto("/account/linked")
    page.get_by_role("button", name="Link Alipay").click()
    verify(page)
    page.get_by_role("button", name="Link Alipay").click()
    page.get_by_role("button", name="2088000000000001").click()
    expect(page.get_by_role("status")).to_contain_text("The account has been linked.")
    expect(page.get_by_text("小明")).to_be_visible()
    page.get_by_role("button", name="Unlink Alipay").click()
    expect(page.get_by_role("status")).to_contain_text("The linked account has been removed.")


def test_pages_fit_and_can_be_read(chromium: Browser, account_site: str, look: dict[str, Any], logto: Emulator) -> None:
    name = look["name"]
    with browser_profile(chromium, account_site, **look[name]) as context:
        page = context.new_page()
        sign_in(page)
        show(page, f"account-profile-{name}")
        page.goto("/account/username")
        show(page, f"account-verify-{name}")
        verify(page)
        page.get_by_label("New username").fill("1")
        page.get_by_role("button", name="Save").click()
        show(page, f"account-username-{name}")
        page.goto("/account/email")
        show(page, f"account-email-{name}")
        page.get_by_label("New e-mail address").fill("new@example.com")
        page.get_by_role("button", name="Send a code").click()
        show(page, f"account-code-{name}")
        page.goto("/account/phone")
        show(page, f"account-phone-{name}")
        page.goto("/account/password")
        show(page, f"account-password-{name}")
        page.goto("/account/linked")
        show(page, f"account-linked-{name}")
        logto.tenant.account_center["enabled"] = False
        cache.clear()
        page.goto("/account/")
        show(page, f"account-unavailable-{name}")


def show(page: Page, name: str) -> None:
    """Keep a picture of the whole page, which must not be wider than its window."""
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    screenshot(page, name)
    assert width[0] <= width[1], name
