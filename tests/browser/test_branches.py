"""A user who manages two branches of the shop, in a real Chromium."""

from __future__ import annotations

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import screenshot
from .people import sign_in

pytestmark = pytest.mark.browser


def switch_to(page: Page, branch: str) -> None:
    header = page.get_by_role("banner")
    header.get_by_label("Branch").select_option(branch)
    header.get_by_role("button", name="Switch").click()


def test_stock_of_two_branches(page: Page, demo: str) -> None:
    sign_in(page, "admin")
    page.get_by_role("link", name="Branches").click()
    screenshot(page, "branches")
    page.get_by_role("listitem").filter(has_text="Harbour Branch").get_by_role("link", name="Stock").click()
    page.get_by_label("Search all books").fill("walden")
    page.get_by_role("button", name="Find").click()
    page.get_by_label("Copies of “Walden”").fill("12")
    page.get_by_role("row", name="Walden").get_by_role("button").click()
    expect(page.get_by_role("status")).to_have_text("The number of copies of “Walden” is saved.")
    expect(page.get_by_label("Copies of “Walden”")).to_have_value("12")
    screenshot(page, "stock")
    switch_to(page, "Hill Branch")
    expect(page).to_have_url(f"{demo}/branches/hillbranch01/stock/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Hill Branch")
    expect(page.get_by_label("Copies of “Walden”")).to_have_count(0)


def test_selected_branch_is_kept_between_pages(page: Page, demo: str) -> None:
    sign_in(page, "admin")
    page.goto("/?q=walden")
    page.get_by_role("main").get_by_role("link", name="Walden").click()
    switch_to(page, "Hill Branch")
    expect(page).to_have_url(f"{demo}/books/walden-henry-david-thoreau/")
    expect(page.get_by_role("main")).to_contain_text("Hill Branch has 0 copies.")
    screenshot(page, "book-of-a-branch")
    page.goto("/branches/")
    expect(page.get_by_role("banner").get_by_label("Branch")).to_have_value("hillbranch01")
    expect(page.get_by_role("listitem").filter(has_text="current")).to_contain_text("Hill Branch")


def test_member_without_permission_sees_forbidden_page(page: Page, demo: str) -> None:
    sign_in(page, "editor")
    page.goto("/branches/harbourbr001/stock/")
    expect(page.get_by_role("main")).to_contain_text("You need the permission manage:stock in this organization.")
    screenshot(page, "stock-forbidden")


@pytest.mark.parametrize(
    ("locale", "words"), [("en-GB", "Your branches"), ("ja", "所属する支店"), ("zh-CN", "我的分店")]
)
def test_phone_layout_has_no_overflow(chromium, demo: str, locale: str, words: str) -> None:
    context: BrowserContext = chromium.new_context(base_url=demo, locale=locale, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto("/branches/")
    page.get_by_role("button", name="Sign in as admin", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words)
    for path in ("/branches/", "/branches/harbourbr001/stock/?q=austen", "/api/docs/"):
        page.goto(path)
        screenshot(page, f"phone-{locale}-{path.strip('/').partition('?')[0].replace('/', '-')}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
    context.close()
