"""A passkey of Chromium's virtual authenticator, in the emulator's Account Center and at its sign-in."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from logto_auth.emulator import Emulator, run_in_thread, seed_demo
from logto_auth.emulator.state.factors import passkeys_of

from .conftest import browser_profile

pytestmark = pytest.mark.browser

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
}


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with run_in_thread(seed=seed_demo) as emulator:
        emulator.tenant.enable_account_center()
        emulator.tenant.sign_in_experience.mfa_factors = ["WebAuthn"]
        yield emulator


@pytest.fixture
def page(chromium: Browser, emulator: Emulator) -> Iterator[Page]:
    """A page with an authenticator."""
    with browser_profile(chromium, emulator.endpoint) as context:
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
        yield page


@pytest.fixture
def account(page: Page) -> Page:
    """The page on which the user adds a passkey."""
    page.goto("/account/passkey/add")
    page.get_by_role("button", name="Sign in as customer").click()
    page.get_by_label("Password").fill("customer-password")
    page.get_by_role("button", name="Continue").first.click()
    return page


def test_passkey_is_added_and_not_twice(account: Page, emulator: Emulator) -> None:
    emulator.tenant.account_center["webauthnRelatedOrigins"] = [emulator.endpoint]
    account.get_by_label("Name (optional)").fill("Laptop")
    account.get_by_role("button", name="Add passkey").click()
    expect(account.get_by_text("The passkey has been added.")).to_be_visible()
    user = emulator.tenant.find_user(username="customer")
    assert user is not None
    [passkey] = passkeys_of(user.factors)
    assert (passkey.name, list(passkey.transports)) == ("Laptop", ["internal"])
    assert "Chrom" in passkey.agent
    account.goto("/account/passkey/add")
    account.get_by_role("button", name="Add passkey").click()
    expect(account.get_by_role("alert")).to_contain_text("InvalidStateError")


def test_origin_of_the_account_center_must_be_a_related_one(account: Page, emulator: Emulator) -> None:
    account.get_by_role("button", name="Add passkey").click()
    expect(account.get_by_role("alert").first).to_have_text("WebAuthn verification failed.")


def test_passkey_is_set_up_at_sign_in_and_is_the_second_factor_afterwards(page: Page, emulator: Emulator) -> None:
    emulator.tenant.sign_in_experience.mfa_policy = "Mandatory"
    page.goto("/account/security")
    page.get_by_role("button", name="Sign in as customer").click()
    page.get_by_role("button", name="Add passkey").click()
    expect(page).to_have_url(f"{emulator.endpoint}/account/security")
    page.context.clear_cookies()
    page.goto("/account/security")
    page.get_by_role("button", name="Sign in as customer").click()
    expect(page).to_have_url(re.compile("/mfa-verification/WebAuthn"))
    page.get_by_role("button", name="Use passkey").click()
    expect(page).to_have_url(f"{emulator.endpoint}/account/security")
    user = emulator.tenant.find_user(username="customer")
    assert user is not None
    [passkey] = passkeys_of(user.factors)
    assert passkey.last_used_at is not None
