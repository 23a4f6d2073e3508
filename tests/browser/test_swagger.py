"""The button "Authorize" of Swagger UI in Chromium, which signs in at Logto without a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from logto_auth.emulator import Emulator
from tests.rights import API

from .conftest import browser_profile, screenshot
from .people import choose_account

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.browser.swagger_urls"),
]


@pytest.fixture
def docs(chromium: Browser, site: str, logto: Emulator, settings: Any) -> Iterator[Page]:
    """The API documentation of the small site. Any error on the console is a failure."""
    application = logto.tenant.add_application(
        name="Docs", type="SPA", redirect_uris=[f"{site}/api/docs/oauth2-redirect.html"]
    )
    settings.LOGTO_API_DOCS_APP_ID = application.id
    settings.LOGTO_API_CREATE_USERS = True
    said: list[str] = []
    with browser_profile(chromium, site) as context:
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto("/api/docs/")
        yield page
    assert said == []


def authorize(docs: Page, username: str) -> None:
    """Sign in with all scopes that Swagger UI offers, in the window that it opens."""
    docs.get_by_role("button", name="Authorize").first.click()
    dialog = docs.locator(".dialog-ux")
    scheme = dialog.locator(".auth-container", has_text="LogtoSignIn")
    scheme.get_by_text("select all", exact=True).click()
    screenshot(docs, "swagger-authorize")
    with docs.expect_popup() as opened:
        scheme.get_by_role("button", name="Apply given OAuth2 credentials").click()
    popup = opened.value
    choose_account(popup, username)
    expect(scheme.get_by_role("button", name="Remove authorization")).to_be_visible()
    dialog.locator(".close-modal").click()


def test_user_signs_in_and_calls_the_api(docs: Page, logto: Emulator) -> None:
    authorize(docs, "editor")
    block = docs.locator(".opblock").first
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response")
    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(answer).to_contain_text('"caller": "editor000001"')
    expect(answer).to_contain_text('"write:books"')
    [asked], [exchange] = logto.requests.to("auth"), logto.requests.to("token")
    assert asked.query["resource"] == exchange.form["resource"] == [API]
    assert asked.query["code_challenge_method"] == ["S256"]
    assert "client_secret" not in exchange.form
