"""Support access in a real Chromium: from the admin to the pages of the user and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.cache import cache
from playwright.sync_api import Browser, Locator, Page, expect

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser as Client
from logto_auth.testing import register_site
from tests.impersonation.pages_site import MANAGEMENT_ROLE

from .conftest import browser_profile, screenshot
from .people import choose_account, sign_in
from .running import running_demo
from .test_account_accessibility import violations
from .test_account_pages import POLICY_OF_PAGES, nonce

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
LOOKS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1100, "height": 800}},
    "phone": {"viewport": {"width": 320, "height": 640}},
    "dark": {"viewport": {"width": 800, "height": 800}, "color_scheme": "dark"},
}


@pytest.fixture
def support_site(live_server: Any, logto: Emulator, settings: Any, monkeypatch: Any) -> str:
    """Return the URL of a site with the clerk, who may act as users, and the customer Ada."""
    # The sign-out is a form that redirects to Logto.
    policy = POLICY_OF_PAGES.replace("form-action 'self'", f"form-action 'self' {logto.endpoint}")
    settings.ROOT_URLCONF = "tests.browser.support_urls"
    processors = [*settings.TEMPLATES[0]["OPTIONS"]["context_processors"], f"{nonce.__module__}.nonce"]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [], "OPTIONS": {"context_processors": processors}}]
    monkeypatch.setattr("bookstore.core.middleware.content_security_policy", lambda endpoint: policy)
    register_site(logto, live_server.url)
    cache.clear()
    tenant = logto.tenant
    machine = tenant.add_application(name="Site", type="MachineToMachine", roles=[MANAGEMENT_ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    tenant.applications[settings.LOGTO_APP_ID].allow_token_exchange = True
    for username in ("ada", "clerk"):
        tenant.add_user(username=username, primary_email=f"{username}@shop.example", name=username.title())
        Client(logto).sign_in(username)
    clerk = get_user_model().objects.get(username="clerk")
    clerk.is_staff = True
    clerk.save()
    names = ["impersonate_users", "view_user", "view_logtoidentity"]
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=names))
    LogtoSession.objects.all().delete()
    url: str = live_server.url
    return url


@pytest.fixture
def page(chromium: Browser, support_site: str) -> Iterator[Page]:
    with browser_profile(chromium, support_site) as context:
        yield context.new_page()


def banner(page: Page) -> Locator:
    return page.get_by_role("region", name="Support access")


def open_page_of_ada(page: Page) -> None:
    """Sign in as the clerk, and go by the admin to the page of Ada."""
    page.goto("/admin/auth/user/")
    choose_account(page, "clerk")
    page.get_by_role("link", name="ada", exact=True).click()
    page.get_by_role("link", name="Support access…").click()
    expect(page.get_by_role("heading", name="Support access")).to_be_visible()


def act_as_ada(page: Page, reason: str = "Ticket 4711: the basket is empty") -> None:
    open_page_of_ada(page)
    page.get_by_label("Reason").fill(reason)
    page.get_by_role("button", name="Start support access").click()
    expect(page.get_by_text("Hello ada, at Logto ada@shop.example")).to_be_visible()


def fits(page: Page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_clerk_acts_as_ada_and_is_themselves_again(page: Page, support_site: str, logto: Emulator) -> None:
    act_as_ada(page)
    expect(banner(page)).to_contain_text(re.compile(r"Support access: until \d+:\d\d [ap]\.m\. you act as ada\."))
    expect(banner(page)).to_contain_text("Reason: Ticket 4711: the basket is empty")
    page.get_by_role("link", name="Orders").click()
    expect(banner(page)).to_be_visible()
    page.get_by_role("button", name="Buy").click()
    expect(page.get_by_role("heading", name="Bought for ada")).to_be_visible()
    expect(banner(page)).to_be_visible()
    page.goto("/missing")
    expect(banner(page)).to_be_visible()
    page.goto("/account/")
    expect(page.get_by_role("heading", name="Not during support access")).to_be_visible()
    banner(page).get_by_role("button", name="End support access").click()
    expect(page).to_have_url(re.compile(rf"^{support_site}/admin/auth/user/\d+/change/$"))
    expect(page.get_by_text("You have ended support access.")).to_be_visible()
    page.goto("/")
    expect(page.get_by_text("Hello clerk, at Logto clerk@shop.example")).to_be_visible()
    expect(banner(page)).to_have_count(0)
    # Still signed in at Logto, as the clerk.
    page.context.clear_cookies(name="bookstore_session")
    page.goto("/orders")
    expect(page.get_by_text("Hello clerk")).to_be_visible()


def test_history_shows_no_page_of_the_user_afterwards(page: Page) -> None:
    act_as_ada(page)
    page.get_by_role("link", name="Orders").click()
    banner(page).get_by_role("button", name="End support access").click()
    expect(page.get_by_text("You have ended support access.")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("Hello clerk")).to_be_visible()


def test_end_of_the_time_is_explained(page: Page) -> None:
    act_as_ada(page)
    LogtoSession.objects.filter(impersonator__isnull=False).update(impersonation_ends_at=1)
    page.get_by_role("link", name="Orders").click()
    expect(page.get_by_role("heading", name="Support access has ended")).to_be_visible()
    expect(page.get_by_text("The time that you chose is over.")).to_be_visible()
    screenshot(page, "support-access-ended")
    page.get_by_role("link", name="Start support access again").click()
    expect(page.get_by_label("Reason")).to_be_visible()
    page.goto("/orders")
    expect(page.get_by_text("Hello clerk")).to_be_visible()


def test_form_after_the_end_is_not_processed(page: Page) -> None:
    act_as_ada(page)
    LogtoSession.objects.filter(impersonator__isnull=False).update(impersonation_ends_at=1)
    page.get_by_role("button", name="Buy").click()
    expect(page.get_by_role("heading", name="Support access has ended")).to_be_visible()
    page.goto("/")
    expect(page.get_by_text("Hello clerk")).to_be_visible()


def test_read_only_buys_nothing(page: Page, settings: Any) -> None:
    settings.LOGTO_IMPERSONATION_READ_ONLY = True
    act_as_ada(page)
    expect(banner(page)).to_contain_text("Read-only")
    page.get_by_role("button", name="Buy").click()
    expect(page.get_by_role("heading", name="Bought for ada")).to_have_count(0)
    expect(page.get_by_text("Your request was not processed.")).to_be_visible()
    screenshot(page, "support-access-read-only")
    banner(page).get_by_role("button", name="End support access").click()
    expect(page.get_by_text("You have ended support access.")).to_be_visible()


def test_sign_out_elsewhere_ends_it_at_the_next_click(page: Page) -> None:
    act_as_ada(page)
    LogtoSession.objects.filter(user__username="clerk", impersonator=None).end()
    page.get_by_role("link", name="Orders").click()
    expect(page.get_by_text("Your own session has ended")).to_be_visible()
    expect(page.get_by_text("You are signed out.")).to_be_visible()


def test_sign_out_ends_both(page: Page) -> None:
    act_as_ada(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Hello AnonymousUser")).to_be_visible()
    assert not LogtoSession.objects.exists()


def test_keyboard_reaches_the_button_first_and_no_focus_is_hidden(page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 480})
    act_as_ada(page)
    page.keyboard.press("Tab")
    expect(banner(page).get_by_role("button", name="End support access")).to_be_focused()
    last = page.get_by_role("link", name="Last link")
    last.focus()
    box, bar = last.bounding_box(), banner(page).bounding_box()
    assert box is not None
    assert bar is not None
    assert box["y"] + box["height"] <= bar["y"], "the banner covers the link in focus"
    banner(page).get_by_role("button", name="End support access").press("Enter")
    expect(page.get_by_text("You have ended support access.")).to_be_visible()


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize("look", LOOKS)
def test_pages_fit_and_are_accessible(chromium: Browser, support_site: str, look: str) -> None:
    """The pages of support access, and the banner with a long reason, also without JavaScript."""
    found: dict[str, Any] = {}
    with browser_profile(chromium, support_site, bypass_csp=True, **LOOKS[look]) as context:
        page = context.new_page()

        def look_at(name: str) -> None:
            screenshot(page, f"support-access-{name}-{look}")
            assert fits(page), f"{name} is too wide"
            found[name] = violations(page)

        open_page_of_ada(page)
        look_at("form")
        page.get_by_label("Reason").fill("Ticket 4711: " + "the basket is empty, says the customer; " * 9)
        page.get_by_role("button", name="Start support access").click()
        expect(page.get_by_text("Hello ada")).to_be_visible()
        look_at("banner")
        box = banner(page).bounding_box()
        assert box is not None
        assert box["height"] <= 110, "a long reason is cut"
        page.goto("/support-access/")
        look_at("start")
    assert {name: each for name, each in found.items() if each} == {}


def test_strict_policy_of_the_site_allows_the_banner(page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    act_as_ada(page)
    assert banner(page).evaluate("each => getComputedStyle(each).position") == "fixed"
    assert banner(page).evaluate("each => getComputedStyle(each).backgroundColor") == "rgb(255, 194, 77)"
    assert [each for each in complaints if "impersonation.css" in each] == []


def test_print_marks_the_page(page: Page) -> None:
    act_as_ada(page)
    page.emulate_media(media="print")
    assert banner(page).evaluate("each => getComputedStyle(each).position") == "static"
    expect(banner(page).get_by_role("button")).to_be_hidden()
    expect(banner(page)).to_contain_text("you act as ada")


# The demo


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo of its own: an order is placed, and other tests count the orders of the customer."""
    with running_demo(tmp_path_factory.mktemp("demo")) as url:
        yield url


def test_demo_admin_helps_a_customer(chromium: Browser, demo: str) -> None:
    with browser_profile(chromium, demo) as customer:
        tab = customer.new_page()
        sign_in(tab, "customer")
        tab.goto("/")
        tab.locator("main a[href*='/books/']").first.click()
        tab.get_by_role("button", name="Add to basket").click()
        tab.get_by_role("link", name="To the checkout").click()
        tab.get_by_role("button", name="Place the order").click()
        order = tab.get_by_role("heading", level=1).inner_text()
    with browser_profile(chromium, demo, viewport={"width": 1100, "height": 800}) as staff:
        tab = staff.new_page()
        tab.goto("/admin/orders/order/")
        choose_account(tab, "admin")
        tab.get_by_role("link", name=order).click()
        tab.get_by_role("link", name="See the shop as this reader…").click()
        tab.get_by_label("Reason").fill("The order has not arrived")
        screenshot(tab, "support-access-demo-form")
        tab.get_by_role("button", name="Start support access").click()
        expect(tab.get_by_role("heading", name=order)).to_be_visible()
        expect(banner(tab)).to_contain_text("you act as customer")
        assert banner(tab).count() == 1
        screenshot(tab, "support-access-demo")
        banner(tab).get_by_role("button", name="End support access").click()
        expect(tab.get_by_text("You have ended support access.")).to_be_visible()
