"""The page of the second factor, and the way through it, in a real Chromium."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect

from logto_auth.emulator import Emulator
from logto_auth.emulator.state.totp import totp_code
from logto_auth.tenant.claims_script import merged_script
from tests.second_factor.conftest import RESOURCE, set_policy

from .conftest import browser_profile
from .test_account_accessibility import violations
from .test_account_security import add_authenticator, picture, security_site, set_up_app, sign_in, verify

__all__ = ["security_site"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
HEADING = "This page needs a second factor"


@pytest.fixture
def vault_site(security_site: str, logto: Emulator, settings: Any) -> str:
    """Return the URL of a site with pages that need a second factor, whose user has none."""
    settings.ROOT_URLCONF = "tests.browser.strict_second_factor_urls"
    settings.LOGTO_SECOND_FACTOR = True
    settings.LOGTO_API_RESOURCE = RESOURCE
    logto.tenant.add_resource(RESOURCE)
    logto.tenant.jwt_customizers["jwt.accessToken"] = {"script": merged_script("")}
    set_policy(logto, "NoPrompt")
    return security_site


@pytest.fixture
def page(chromium: Browser, vault_site: str) -> Iterator[Page]:
    with browser_profile(chromium, vault_site) as context:
        page = context.new_page()
        sign_in(page)
        yield page


def enter_code(page: Page, logto: Emulator, secret: str) -> None:
    """Sign in at Logto with the password and a code of the app."""
    page.get_by_role("button", name="Sign in as reader", exact=True).click()
    logto.clock.advance(60)  # a code works once
    page.locator("#code").fill(totp_code(secret, logto.clock.now()))
    page.get_by_role("button", name="Continue").click()


def test_user_sets_up_an_app_and_reaches_the_page(page: Page, logto: Emulator, vault_site: str) -> None:
    page.goto("/vault/")
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    picture(page, "second-factor-with-policy")
    page.get_by_role("link", name="Set up a second factor").click()
    page.get_by_role("link", name="Add Authenticator app").click()
    verify(page)
    secret = set_up_app(page)
    page.get_by_role("link", name="Continue").click()
    enter_code(page, logto, secret)
    expect(page).to_have_url(f"{vault_site}/vault/")
    expect(page.locator("body")).to_have_text("the vault")


def test_user_turns_the_factor_on_again(page: Page, logto: Emulator, vault_site: str) -> None:
    (user,) = logto.tenant.users.values()
    secret = logto.tenant.add_totp(user)
    logto.tenant.update_user(user.id, logto_configs={"mfa": {"skipMfaOnSignIn": True}})
    page.goto("/vault/")
    page.get_by_role("link", name="Turn on the second factor").click()
    verify(page)
    page.get_by_role("button", name="Turn on").click()
    page.get_by_role("link", name="Continue").click()
    enter_code(page, logto, secret)
    expect(page).to_have_url(f"{vault_site}/vault/")


def test_user_who_cancels_the_factor_is_not_sent_around(page: Page, logto: Emulator, vault_site: str) -> None:
    (user,) = logto.tenant.users.values()
    logto.tenant.add_totp(user)
    page.goto("/vault/")
    expect(page).to_have_url(re.compile(f"^{logto.endpoint}/"))
    logto.tenant.update_user(user.id, logto_configs={"mfa": {"skipMfaOnSignIn": True}})
    page.get_by_role("button", name="Sign in as reader", exact=True).click()
    expect(page).to_have_url(f"{vault_site}/second-factor?next=/vault/&step=asked")
    expect(page.get_by_role("heading", name=HEADING)).to_be_visible()
    page.reload()
    expect(page).to_have_url(f"{vault_site}/second-factor?next=/vault/&step=asked")


def test_passkey_opens_a_page_for_passkeys(page: Page, logto: Emulator, vault_site: str) -> None:
    add_authenticator(page)
    page.goto("/passkey-vault/")
    page.get_by_role("link", name="Set up a second factor").click()
    page.get_by_role("link", name="Add a passkey").click()
    verify(page)
    page.get_by_role("button", name="Create the passkey").click()
    page.get_by_role("link", name="Continue").click()
    page.get_by_role("button", name="Sign in as reader", exact=True).click()
    page.get_by_role("button", name="Use passkey").click()
    expect(page).to_have_url(f"{vault_site}/passkey-vault/")


@pytest.mark.parametrize(
    ("look", "options"),
    [
        ("light", {"viewport": {"width": 900, "height": 900}}),
        ("phone", {"viewport": {"width": 320, "height": 640}}),
        ("dark", {"viewport": {"width": 900, "height": 900}, "color_scheme": "dark"}),
    ],
)
@pytest.mark.usefixtures("libraries")
def test_pages_fit_and_are_accessible(
    chromium: Browser, vault_site: str, logto: Emulator, look: str, options: dict[str, Any]
) -> None:
    found = {}
    with browser_profile(chromium, vault_site, bypass_csp=True, **options) as context:
        page = context.new_page()
        sign_in(page)
        (user,) = logto.tenant.users.values()

        def look_at(path: str, name: str) -> None:
            cache.clear()
            page.goto(path)
            picture(page, f"second-factor-{name}-{look}")
            found[name] = violations(page)

        look_at("/vault/", "not-set-up")
        look_at("/passkey-vault/", "limited")
        look_at("/account/security?next=/vault/", "continue")
        logto.tenant.add_totp(user)
        logto.tenant.update_user(user.id, logto_configs={"mfa": {"skipMfaOnSignIn": True}})
        look_at("/vault/", "turned-off")
        page.get_by_role("link", name="Turn on the second factor").click()
        verify(page)
        look_at("/account/security/at-sign-in", "at-sign-in")
        look_at("/account/security", "overview")
        set_policy(logto, "NoPrompt", ())
        look_at("/vault/", "not-offered")
    assert {name: each for name, each in found.items() if each} == {}
