"""Each page of the shop, examined by axe-core in light and dark, at the width of a desktop and of a small phone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from .conftest import browser_profile
from .people import sign_in
from .running import running_demo
from .test_account_accessibility import AXE, violations

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("libraries")]

BOOK = "/books/emma-jane-austen/"
BRANCH = "/branches/harbourbr001/"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1100, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 320, "height": 640}},
}
LANGUAGES = {"en": "en-GB", "ja": "ja", "zh": "zh-CN"}

VISITOR_PAGES = [
    "/",
    "/?q=love&category=novels",
    "/?q=zzzz",
    "/?sort=author&page=3",
    BOOK,
    "/basket/",
    "/nope",
    "/callback",
]
CUSTOMER_PAGES = [
    "/basket/",
    "/checkout/",
    "/orders/",
    "/account/",
    "/account/claims",
    "/account/security",
    "/account/linked",
    "/account/sessions",
    "/account/applications",
    "/account/api-keys/",
    "/account/api-keys/new",
    "/account/verify",
    "/branches/",
    "/admin/",
    "/books/add/",
    "/accept-invitation",
]
EDITOR_PAGES = ["/books/add/", f"{BOOK}edit/"]
MANAGER_PAGES = [
    "/branches/",
    BRANCH,
    *(f"{BRANCH}{name}" for name in ("members", "invitations", "leave", "stock/", "stock/?q=emma")),
]
ADMIN_PAGES = ["/orders/export/", BRANCH, "/branches/stock/"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo of its own: an order is placed, and other tests count the orders of the customer."""
    with running_demo(tmp_path_factory.mktemp("demo")) as url:
        yield url


def faults(page: Page, paths: Iterable[str]) -> dict[str, Any]:
    """Return what axe finds on the pages, and those that are wider than the window."""
    found: dict[str, Any] = {}
    for path in paths:
        page.goto(path)
        if rules := violations(page):
            found[path] = rules
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found[f"{path} (width)"] = page.evaluate("document.documentElement.scrollWidth")
    return found


def buy(page: Page) -> None:
    page.goto(BOOK)
    page.get_by_role("button", name="Add to basket").click()
    expect(page.get_by_role("status")).to_contain_text("Emma")
    assert violations(page) == []


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_of_visitors(chromium: Browser, demo: str, look: str, language: str) -> None:
    with browser_profile(chromium, demo, bypass_csp=True, locale=LANGUAGES[language], **LOOKS[look]) as context:
        assert faults(context.new_page(), VISITOR_PAGES) == {}


@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_customers(chromium: Browser, demo: str, look: str) -> None:
    with browser_profile(chromium, demo, bypass_csp=True, **LOOKS[look]) as context:
        page = context.new_page()
        sign_in(page, "customer")
        assert violations(page) == []
        buy(page)
        assert faults(page, CUSTOMER_PAGES) == {}
        page.goto("/checkout/")
        page.get_by_role("button", name="Place the order").click()
        expect(page.get_by_role("heading", name="Order")).to_be_visible()
        assert violations(page) == []


@pytest.mark.parametrize(
    ("account", "paths"), [("editor", EDITOR_PAGES), ("manager", MANAGER_PAGES), ("admin", ADMIN_PAGES)]
)
@pytest.mark.parametrize("look", LOOKS)
def test_pages_of_staff(chromium: Browser, demo: str, look: str, account: str, paths: list[str]) -> None:
    with browser_profile(chromium, demo, bypass_csp=True, **LOOKS[look]) as context:
        page = context.new_page()
        sign_in(page, account)
        assert faults(page, paths) == {}


def test_form_with_errors(chromium: Browser, demo: str) -> None:
    with browser_profile(chromium, demo, bypass_csp=True) as context:
        page = context.new_page()
        sign_in(page, "editor")
        page.goto("/books/add/")
        page.locator("form.form").evaluate("form => form.noValidate = true")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("alert")).to_be_visible()
        assert violations(page) == []


# Swagger's own markup has a second <main> and buttons in buttons. Its colours are ours to choose.
@pytest.mark.parametrize("look", LOOKS)
def test_page_of_the_api(chromium: Browser, demo: str, look: str) -> None:
    with browser_profile(chromium, demo, bypass_csp=True, **LOOKS[look]) as context:
        page = context.new_page()
        page.goto("/api/docs/")
        page.locator(".opblock").first.wait_for()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        around = page.evaluate(
            "axe.run({exclude: ['#swagger-ui > *']}, {rules: {'landmark-no-duplicate-main': {enabled: false}}})"
        )["violations"]
        colours = page.evaluate("axe.run({runOnly: ['color-contrast']})")["violations"]
        assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in (*around, *colours)] == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
