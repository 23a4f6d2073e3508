"""The pages for API keys in a real Chromium: the flow without JavaScript, at 320 pixels, and in the dark."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect

from logto_auth.emulator import Emulator
from logto_auth.testing import register_site
from tests.api_keys.site import ADA, MANAGEMENT_ROLE, PAGES, PASSWORD, SCOPES

from .conftest import browser_profile, screenshot
from .test_account_pages import POLICY_OF_PAGES, nonce

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1200, "height": 900}},
    "phone": {"viewport": {"width": 320, "height": 640}},
    "dark": {"viewport": {"width": 800, "height": 900}, "color_scheme": "dark"},
}


@pytest.fixture
def keys_site(live_server: Any, logto: Emulator, settings: Any, monkeypatch: Any) -> str:
    settings.ROOT_URLCONF = "tests.api_keys.urls"
    monkeypatch.setattr("bookstore.core.middleware.content_security_policy", lambda endpoint: POLICY_OF_PAGES)
    processors = [*settings.TEMPLATES[0]["OPTIONS"]["context_processors"], f"{nonce.__module__}.nonce"]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [], "OPTIONS": {"context_processors": processors}}]
    settings.LOGTO_SCOPES = SCOPES
    register_site(logto, live_server.url)
    cache.clear()
    tenant = logto.tenant
    machine = tenant.add_application(name="Keys", type="MachineToMachine", roles=[MANAGEMENT_ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    tenant.enable_account_center()
    tenant.add_user(username="ada", id=ADA, password=PASSWORD, primary_email="ada@bookstore.example", name="Ada")
    tenant.add_personal_access_token(ADA, "Old laptop", expires_at=1)
    tenant.add_personal_access_token(ADA, "A program with a name that is as long as it may be " + "x" * 77)
    url: str = live_server.url
    return url


@pytest.mark.parametrize("look", LOOKS)
def test_key_is_made_and_revoked_without_javascript(
    chromium: Browser, keys_site: str, logto: Emulator, look: str
) -> None:
    with browser_profile(chromium, keys_site, java_script_enabled=False, **LOOKS[look]) as context:
        page = context.new_page()
        page.goto(f"/sign-in?next={PAGES}")
        page.get_by_role("textbox").first.fill("ada")
        page.get_by_role("button", name="Continue").or_(page.get_by_role("button", name="Sign in")).first.click()
        look_at(page, f"api-keys-list-{look}", "API keys")
        page.get_by_role("link", name="Make an API key").click()
        look_at(page, f"api-keys-verify-{look}", "Confirm that it is you")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Name").fill("Old laptop")
        page.get_by_role("button", name="Make the key").click()
        look_at(page, f"api-keys-taken-{look}", "Make an API key")
        page.get_by_label("Name").fill("Nightly backup")
        page.get_by_label("Valid for").select_option("30 days")
        page.get_by_role("button", name="Make the key").click()
        look_at(page, f"api-keys-created-{look}", "Your new API key")
        token = logto.tenant.find_personal_access_token(ADA, "Nightly backup")
        assert token is not None
        expect(page.locator("code.secret")).to_have_text(token.value)
        page.get_by_role("link", name="I have copied the key").click()
        page.get_by_role("link", name="Change Nightly backup").click()
        page.get_by_text("Revoke the API key").first.click()
        look_at(page, f"api-keys-key-{look}", "Nightly backup")
        page.get_by_role("button", name="Revoke the API key").click()
        expect(page.get_by_text("The API key has been revoked.")).to_be_visible()
        assert logto.tenant.find_personal_access_token(ADA, "Nightly backup") is None


def look_at(page: Page, name: str, heading: str) -> None:
    """Check the page, and keep a picture of it."""
    expect(page.get_by_role("heading", level=1)).to_have_text(heading)
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0, f"{name} is {overflow} pixels too wide"
    screenshot(page, name)
