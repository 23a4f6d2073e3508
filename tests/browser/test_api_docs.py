"""Swagger's page of the API in a real Chromium, which reports whatever the site's policy forbids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Locator, Page, expect

from .conftest import screenshot
from .people import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def docs(page: Page, demo: str) -> Iterator[Page]:
    """The page. Anything on the console is a failure."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    assert said == []


def opened(docs: Page, operation: str) -> Locator:
    """An operation of the page, ready to be tried out."""
    docs.goto("/api/docs/")
    block = docs.locator(f"#operations-{operation}")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    return block


def executed(block: Locator, code: int) -> Locator:
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table .response")
    expect(answer.locator(".response-col_status")).to_contain_text(str(code))
    return answer.locator(".response-col_description")


def token_of_robot(demo: str) -> str:
    """What the stock robot gets for its branch, from the Logto that the API's metadata name."""
    metadata = requests.get(f"{demo}/.well-known/oauth-protected-resource/api", timeout=10).json()
    form = {"grant_type": "client_credentials", "organization_id": "harbourbr001", "scope": "manage:stock"}
    robot = ("stockrobotdemo0000001", "emulatoronlysecret00000000000002")
    answer = requests.post(f"{metadata['authorization_servers'][0]}/token", data=form, auth=robot, timeout=10)
    return answer.json()["access_token"]


def test_public_operation_works_without_token(docs: Page) -> None:
    block = opened(docs, "books-books_list")
    block.get_by_placeholder("q", exact=True).fill("walden")
    expect(executed(block, 200)).to_contain_text('"title": "Walden"')
    screenshot(docs, "api-docs")


def test_padlocks_are_on_operations_that_need_a_sign_in(docs: Page) -> None:
    docs.goto("/api/docs/")
    docs.locator("#operations-books-books_create").wait_for()
    expect(docs.locator("#operations-books-books_create .authorization__btn")).to_have_attribute(
        "aria-label", "authorization button locked"
    )
    expect(docs.locator("#operations-books-books_list .authorization__btn")).to_have_count(0)


def test_page_is_dark_in_a_dark_browser(docs: Page) -> None:
    docs.emulate_media(color_scheme="dark")
    docs.goto("/api/docs/")
    expect(docs.locator("html")).to_have_class("dark-mode")
    docs.emulate_media(color_scheme="light")
    expect(docs.locator("html")).not_to_have_class("dark-mode")


def test_entered_token_is_used(docs: Page, demo: str) -> None:
    block = opened(docs, "branches-branches_stock_update")
    docs.get_by_role("button", name="Authorize").first.click()
    dialog = docs.locator(".dialog-ux")
    scheme = dialog.locator(".auth-container", has_text="LogtoOrganization")
    scheme.get_by_role("textbox").fill(token_of_robot(demo))
    scheme.get_by_role("button", name="Apply").click()
    dialog.locator(".close-modal").click()
    block.get_by_placeholder("organization_id").fill("harbourbr001")
    block.get_by_placeholder("slug").fill("walden-henry-david-thoreau")
    block.get_by_role("textbox").last.fill('{"copies": 3}')
    expect(executed(block, 200)).to_contain_text('"copies": 3')


def test_signed_in_user_needs_no_token(docs: Page) -> None:
    sign_in(docs, "customer")
    block = opened(docs, "orders-orders_create")
    block.get_by_role("textbox").last.fill('{"lines": [{"book": "walden-henry-david-thoreau", "quantity": 1}]}')
    expect(executed(block, 201)).to_contain_text('"quantity": 1')
    docs.goto("/orders/")
    expect(docs.get_by_role("main").get_by_role("heading", level=2)).to_have_count(1)
