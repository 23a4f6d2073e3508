"""Factors, sessions and deletion in a real Chromium, with a virtual authenticator for passkeys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect

from logto_auth.emulator import Emulator
from logto_auth.emulator.state.sessions import Grant
from logto_auth.emulator.state.totp import totp_code
from logto_auth.testing import register_site
from tests.account.conftest import PASSWORD, SCOPES, SESSIONS_SCOPE

from .conftest import browser_profile, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

APP, CODES, PASSKEYS = (f"/account/security/{name}" for name in ("authenticator-app", "backup-codes", "passkeys"))
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def delete_account(request: Any) -> None:
    request.user.delete()


@pytest.fixture
def security_site(live_server: Any, logto: Emulator, settings: Any) -> str:
    """Return the URL of a site with the account pages, whose Logto offers all second factors."""
    settings.ROOT_URLCONF = "tests.browser.strict_account_urls"
    (templates,) = settings.TEMPLATES
    processors = [*templates["OPTIONS"]["context_processors"], f"{settings.ROOT_URLCONF}.csp_nonce"]
    options = {**templates["OPTIONS"], "context_processors": processors}
    settings.TEMPLATES = [{**templates, "DIRS": [], "OPTIONS": options}]
    settings.LOGTO_SCOPES = [*SCOPES, SESSIONS_SCOPE]
    settings.LOGTO_DELETE_ACCOUNT = f"{__name__}.delete_account"
    register_site(logto, live_server.url)
    application = logto.tenant.applications[settings.LOGTO_APP_ID]
    application.backchannel_logout_uri = f"{live_server.url}/back-channel-logout"
    application.backchannel_logout_session_required = True
    cache.clear()
    logto.tenant.enable_account_center()
    logto.tenant.account_center["webauthnRelatedOrigins"] = [live_server.url]
    logto.tenant.sign_in_experience.settings["mfa"] = {
        "factors": ["Totp", "WebAuthn", "BackupCode"],
        "policy": "NoPrompt",
    }
    logto.tenant.add_user(username="reader", password=PASSWORD, primary_email="reader@example.com", name="Ada Reader")
    url: str = live_server.url
    return url


@pytest.fixture
def page(chromium: Browser, security_site: str) -> Iterator[Page]:
    """Return a page of a browser whose user is signed in."""
    with browser_profile(chromium, security_site) as context:
        page = context.new_page()
        sign_in(page)
        yield page


@pytest.fixture
def plain_page(chromium: Browser, security_site: str) -> Iterator[Page]:
    """The same without JavaScript."""
    with browser_profile(chromium, security_site, java_script_enabled=False) as context:
        page = context.new_page()
        sign_in(page)
        yield page


def sign_in(page: Page, path: str = "/account/") -> None:
    page.goto(path)
    page.get_by_role("button", name="Sign in as reader", exact=True).click()
    expect(page).to_have_url(re.compile(f"{path}$"))


def verify(page: Page) -> None:
    """Confirm with the password on the page that asks for it."""
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


def add_authenticator(page: Page, **options: Any) -> Any:
    """Connect a virtual authenticator to the page, and return the session of the protocol and its id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    found = session.send("WebAuthn.addVirtualAuthenticator", {"options": {**AUTHENTICATOR, **options}})
    return session, found["authenticatorId"]


def set_up_app(page: Page) -> str:
    """Set up an authenticator app, and return its secret."""
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.get_by_label("Code", exact=True).fill(totp_code(secret))
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Security")).to_be_visible()
    return secret


# Without JavaScript


def test_app_and_backup_codes(plain_page: Page) -> None:
    page = plain_page
    page.goto("/account/security")
    page.get_by_role("link", name="Add Authenticator app").click()
    verify(page)
    page.get_by_label("Code", exact=True).fill("000000")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("The code is not correct.")).to_be_visible()
    screenshot(page, "account-authenticator-app")
    set_up_app(page)
    expect(page.get_by_text("Your authenticator app has been set up.")).to_be_visible()
    page.get_by_role("link", name="Add Backup codes").click()
    page.get_by_role("button", name="Make backup codes").click()
    screenshot(page, "account-backup-codes")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as a file").click()
    codes = page.locator("ol.codes li").all_inner_texts()
    text = download.value.path().read_text()
    assert download.value.suggested_filename == "backup-codes.txt"
    assert len(codes) == 10
    assert all(code in text for code in codes)
    page.get_by_label("I have saved these codes").check()
    page.get_by_role("button", name="Activate these codes").click()
    expect(page.get_by_text("10 codes left")).to_be_visible()
    screenshot(page, "account-security")
    page.get_by_role("link", name="Change Authenticator app").click()
    page.get_by_text("Remove the authenticator app").first.click()
    screenshot(page, "account-authenticator-app-removal")
    page.get_by_role("button", name="Remove the authenticator app").click()
    expect(page.get_by_text("Your authenticator app has been removed.")).to_be_visible()
    expect(page.get_by_text("codes left")).to_be_hidden()


def test_passkeys_need_javascript(plain_page: Page) -> None:
    plain_page.goto(PASSKEYS)
    verify(plain_page)
    expect(plain_page.get_by_text("Passkeys need JavaScript.")).to_be_visible()
    expect(plain_page.get_by_role("button", name="Create the passkey")).to_be_hidden()


def test_sessions_are_ended(plain_page: Page, chromium: Browser, security_site: str) -> None:
    page = plain_page
    phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1"
    with (
        browser_profile(chromium, security_site, user_agent=phone) as other,
        browser_profile(chromium, security_site) as third,
    ):
        tabs = [each.new_page() for each in (other, third)]
        for tab in tabs:
            sign_in(tab)
        page.goto("/account/sessions")
        expect(page.get_by_role("listitem").filter(has_text="Safari on iPhone")).to_be_visible()
        page.get_by_role("link", name="Show all sessions").click()
        verify(page)
        expect(page.get_by_text("This browser")).to_have_count(1)
        screenshot(page, "account-sessions")
        page.get_by_role("button", name="End Safari on iPhone").click()
        expect(page.get_by_text("The session has ended.")).to_be_visible()
        tabs[0].goto("/account/")
        expect(tabs[0].get_by_role("heading", name=re.compile("^Sign in to"))).to_be_visible()
        page.get_by_role("button", name="End all others").click()
        expect(page.get_by_text("1 other session on this site has ended.")).to_be_visible()
        tabs[1].goto("/account/")
        expect(tabs[1].get_by_role("heading", name=re.compile("^Sign in to"))).to_be_visible()


def test_account_is_deleted(page: Page, security_site: str) -> None:
    page.goto("/account/security")
    page.get_by_role("link", name="Delete your account").click()
    # The sign-in is new enough for Logto, or is asked for.
    page.get_by_label("To confirm, type reader@example.com").fill("reader")
    page.get_by_role("button", name="Delete the account").click()
    expect(page.get_by_text("Nothing was deleted.")).to_be_visible()
    screenshot(page, "account-delete")
    page.get_by_label("To confirm, type reader@example.com").fill("reader@example.com")
    page.get_by_role("button", name="Delete the account").click()
    expect(page.get_by_role("heading", name="Your account has been deleted")).to_be_visible()
    screenshot(page, "account-deleted")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(f"{security_site}/")
    page.goto("/account/")
    expect(page.get_by_role("heading", name=re.compile("^Sign in to"))).to_be_visible()


# Passkeys


def test_passkey_is_added_renamed_and_removed(page: Page) -> None:
    session, authenticator = add_authenticator(page)
    page.goto("/account/security")
    page.get_by_role("link", name="Add a passkey").click()
    verify(page)
    expect(page.get_by_label("Name")).to_have_value("Chrome on Linux")
    screenshot(page, "account-passkeys")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_text("Your passkey has been added.")).to_be_visible()
    credentials = session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    assert [each["rpId"] for each in credentials] == ["localhost"]
    page.get_by_role("link", name="Change Laptop").click()
    page.get_by_label("Name").fill("<b>My laptop</b>")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("<b>My laptop</b>").first).to_be_visible()
    page.get_by_role("link", name="Change <b>My laptop</b>").click()
    screenshot(page, "account-passkey")
    page.get_by_text("Remove the passkey").first.click()
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.get_by_text("Your passkey has been removed.")).to_be_visible()
    expect(page.get_by_text("My laptop")).to_have_count(0)


def test_same_device_is_not_added_twice(page: Page) -> None:
    add_authenticator(page)
    page.goto(PASSKEYS)
    verify(page)
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_text("Your passkey has been added.")).to_be_visible()
    page.goto(PASSKEYS)
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_role("alert")).to_have_text("This device already has a passkey for your account.")


def test_cancelled_passkey_can_be_tried_again(page: Page) -> None:
    session, authenticator = add_authenticator(page, isUserVerified=False)
    page.goto(PASSKEYS)
    verify(page)
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The passkey was not created")
    screenshot(page, "account-passkey-cancelled")
    session.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": True})
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_text("Your passkey has been added.")).to_be_visible()


def test_site_that_logto_does_not_know_is_reported(page: Page, logto: Emulator) -> None:
    logto.tenant.account_center["webauthnRelatedOrigins"] = []
    add_authenticator(page)
    page.goto(PASSKEYS)
    verify(page)
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_text("Logto does not accept passkeys that are created on this site.")).to_be_visible()
    screenshot(page, "account-passkey-origin")


def test_site_outside_of_relying_party_is_reported(page: Page) -> None:
    add_authenticator(page)
    page.goto(PASSKEYS)
    verify(page)
    # An address is never a relying party. For a domain, Chromium would ask it for related origins first.
    page.locator("form[data-passkey]").evaluate(
        'form => form.dataset.options = form.dataset.options.replace(\'"id": "localhost"\', \'"id": "127.0.0.1"\')'
    )
    page.get_by_role("button", name="Create the passkey").click()
    expect(page.get_by_role("alert")).to_have_text("Logto does not accept passkeys that are created on this site.")


# Looks


@pytest.mark.parametrize(
    ("look", "options"),
    [
        ("phone", {"viewport": {"width": 320, "height": 640}}),
        ("dark", {"viewport": {"width": 900, "height": 900}, "color_scheme": "dark"}),
    ],
)
def test_pages_fit(chromium: Browser, security_site: str, logto: Emulator, look: str, options: dict[str, Any]) -> None:
    add_connected_application(logto)
    with browser_profile(chromium, security_site, **options) as context:
        page = context.new_page()
        sign_in(page, "/account/security")
        page.goto(APP)
        verify(page)
        picture(page, f"account-authenticator-app-{look}")
        set_up_app(page)
        picture(page, f"account-security-{look}")
        page.goto(CODES)
        page.get_by_role("button", name="Make backup codes").click()
        picture(page, f"account-backup-codes-{look}")
        page.goto(PASSKEYS)
        picture(page, f"account-passkeys-{look}")
        page.goto("/account/sessions")
        picture(page, f"account-sessions-{look}")
        page.goto("/account/applications")
        picture(page, f"account-applications-{look}")
        page.goto("/account/delete")
        picture(page, f"account-delete-{look}")


def add_connected_application(logto: Emulator) -> None:
    """Let the user have given access to an application with a long name."""
    application = logto.tenant.add_application(name="The reading list of the book club", is_third_party=True)
    (user,) = logto.tenant.users.values()
    now = logto.clock.now()
    scopes = ["openid", "profile", "email", "offline_access", "urn:logto:scope:organizations"]
    logto.instances.grants["g1"] = Grant(
        id="g1",
        account_id=user.id,
        client_id=application.id,
        created_at=now,
        expires_at=now + 3600,
        oidc_scopes=scopes,
        resource_scopes={"https://api.example.com": ["read:books", "write:a-very-long-name-of-a-permission"]},
    )


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page, which must have its styles and not be wider than the window."""
    assert page.locator("main").evaluate("main => getComputedStyle(main).borderRadius") != "0px"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
    screenshot(page, name)
