"""The pages for API keys in a real Chromium, in the shop: a key is made, used, renamed and revoked."""

from __future__ import annotations

import re
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from .conftest import browser_profile, screenshot
from .people import sign_in

pytestmark = pytest.mark.browser

BOOK = {"author": "Jane Austen", "year": 1817, "category": "novels", "price_cents": 1100, "stock": 1}


def open_keys(page: Page, account: str) -> None:
    sign_in(page, account)
    page.goto("/account/")
    page.get_by_role("navigation", name="Account").get_by_role("link", name="API keys", exact=True).click()
    expect(page.get_by_role("heading", name="API keys", exact=True)).to_be_visible()


def make_key(page: Page, account: str, name: str) -> str:
    """Make a key and return its value, which the page shows once. The user proves first who they are."""
    page.get_by_role("main").get_by_role("link", name="Make an API key").click()
    if page.get_by_role("heading", name="Confirm that it is you").is_visible():
        page.get_by_label("Password", exact=True).fill(f"{account}-password")
        page.get_by_role("button", name="Continue", exact=True).click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make the key").click()
    expect(page.get_by_role("heading", name="Your new API key")).to_be_visible()
    return page.locator("code.secret").inner_text()


def add_book(demo: str, key: str, title: str) -> int:
    """Add a book as a script does, and return the status."""
    headers = {"Authorization": f"Bearer {key}"}
    return requests.post(f"{demo}/api/books/", json={**BOOK, "title": title}, headers=headers, timeout=10).status_code


def test_key_is_made_used_renamed_and_revoked(page: Page, demo: str) -> None:
    open_keys(page, "editor")
    screenshot(page, "api-keys-none")
    key = make_key(page, "editor", "Import script")
    screenshot(page, "api-keys-created")
    assert re.fullmatch(r"pat_\w{20,}", key)
    assert add_book(demo, key, "Northanger Abbey") == 201
    page.get_by_role("link", name="I have copied the key").click()
    expect(page.get_by_role("main")).to_contain_text("Import script")
    assert key not in page.content()
    # The browser keeps no copy of the page, so that it sends the form again. That makes no second key.
    page.go_back()
    page.goto("/account/api-keys/")
    expect(page.get_by_role("link", name="Change Import script")).to_have_count(1)
    expect(page.get_by_role("main").get_by_role("listitem").filter(has_text="Made on")).to_have_count(1)

    page.get_by_role("link", name="Change Import script").click()
    screenshot(page, "api-keys-change")
    page.get_by_label("Name").fill("Nightly import")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("main")).to_contain_text("Nightly import")
    assert add_book(demo, key, "Sanditon") == 201

    page.get_by_role("link", name="Change Nightly import").click()
    page.locator("summary").click()
    screenshot(page, "api-keys-revoke")
    page.get_by_role("button", name="Revoke the API key").click()
    expect(page.get_by_role("main")).to_contain_text("You have no API keys.")
    assert add_book(demo, key, "The Watsons") == 401


def test_wrong_names_are_explained(page: Page, demo: str) -> None:
    open_keys(page, "manager")
    make_key(page, "manager", "Backup")
    page.goto("/account/api-keys/new")
    page.get_by_label("Name").fill("Backup")
    page.get_by_role("button", name="Make the key").click()
    screenshot(page, "api-keys-name-taken")
    expect(page.get_by_role("alert").or_(page.locator("[aria-invalid=true]")).first).to_be_visible()
    expect(page.locator("code.secret")).to_have_count(0)


@pytest.mark.parametrize(
    ("name", "look"),
    [
        ("phone", {"viewport": {"width": 320, "height": 640}}),
        ("dark", {"viewport": {"width": 800, "height": 900}, "color_scheme": "dark"}),
    ],
)
def test_key_pages_fit_without_scripts(chromium: Browser, demo: str, name: str, look: dict[str, Any]) -> None:
    with browser_profile(chromium, demo, java_script_enabled=False, **look) as context:
        page = context.new_page()
        open_keys(page, "owner")
        make_key(page, "owner", f"A name without spaces {'x' * 60} {name}")
        show(page, f"api-keys-created-{name}")
        page.goto("/account/api-keys/")
        show(page, f"api-keys-{name}")


def show(page: Page, name: str) -> None:
    """Keep a picture of the page, which must not be wider than its window."""
    page.wait_for_load_state()  # with its style sheets
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    screenshot(page, name)
    assert width[0] <= width[1], name
