"""What a newcomer does with `make demo`, in a real Chromium."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from .conftest import browser_profile, screenshot
from .people import sign_in, sign_in_button, sign_out_button

pytestmark = pytest.mark.browser


def test_sign_in_and_out(page: Page, demo: str) -> None:
    page.goto("/")
    screenshot(page, "home")
    sign_in_button(page).click()
    screenshot(page, "logto")
    page.get_by_label("Username").fill("customer")
    page.get_by_label("Password").fill("customer-password")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page).to_have_url(f"{demo}/")
    expect(page.get_by_role("banner")).to_contain_text("Customer")
    page.goto("/account/")
    screenshot(page, "account")
    expect(page.get_by_role("main")).to_contain_text("customer@bookstore.example")
    sign_out_button(page).click()
    expect(sign_in_button(page)).to_be_visible()
    assert page.url.startswith(f"{demo}/")
    page.goto("/account/")
    # Signed out at Logto too: it asks again.
    expect(page.get_by_role("heading", name=re.compile("Sign in to"))).to_be_visible()


def test_sign_in_returns_to_the_protected_page(page: Page, demo: str) -> None:
    page.goto("/account/")
    page.get_by_role("button", name="Sign in as customer", exact=True).click()
    expect(page).to_have_url(f"{demo}/account/")


def test_the_admin(page: Page, demo: str) -> None:
    page.goto("/admin/")
    page.get_by_role("button", name="Sign in as admin", exact=True).click()
    expect(page).to_have_url(f"{demo}/admin/")
    screenshot(page, "admin")
    page.get_by_role("link", name="Users", exact=True).click()
    page.get_by_role("link", name="admin", exact=True).click()
    expect(page.get_by_role("heading", name=re.compile("Logto identities", re.IGNORECASE))).to_be_visible()
    screenshot(page, "admin-user")
    page.get_by_role("button", name="Log out").click()
    expect(sign_in_button(page)).to_be_visible()
    page.goto("/admin/")
    expect(page.get_by_role("heading", name=re.compile("Sign in to"))).to_be_visible()


def test_non_staff_user_sees_forbidden_page_in_admin(page: Page, demo: str) -> None:
    sign_in(page, "customer")
    page.goto("/admin/")
    expect(page.get_by_role("heading", name="You cannot open this page")).to_be_visible()
    screenshot(page, "admin-forbidden")
    page.get_by_role("main").get_by_role("link", name="Use another account").click()
    page.get_by_role("button", name="Sign in as admin", exact=True).click()
    expect(page).to_have_url(f"{demo}/admin/")


def test_suspended_account_cannot_sign_in(page: Page, demo: str) -> None:
    page.goto("/")
    sign_in_button(page).click()
    page.get_by_role("button", name="Sign in as suspended").click()
    expect(page.get_by_role("alert")).to_be_visible()
    screenshot(page, "suspended")
    page.goto("/")
    expect(sign_in_button(page)).to_be_visible()


def test_two_alipay_users_sign_in_one_after_another(page: Page, demo: str) -> None:
    seen = set()
    for number in ("2088000000000001", "2088000000000002"):
        page.goto("/")
        page.get_by_role("banner").get_by_role("link", name="Continue with Alipay").click()
        screenshot(page, "alipay")
        page.get_by_role("button", name=re.compile(number)).click()
        expect(sign_out_button(page)).to_be_visible()
        page.goto("/account/claims")
        screenshot(page, f"account-alipay-{number[-1]}")
        main = page.get_by_role("main")
        expect(main).to_contain_text(number)
        seen.add(main.inner_text())
        sign_out_button(page).click()
        expect(sign_in_button(page)).to_be_visible()
    assert len(seen) == 2


def test_restored_tabs_are_all_signed_in_again(context: BrowserContext, demo: str) -> None:
    sign_in(context.new_page(), "customer")
    # The session of the shop has ended, that of Logto lives on.
    context.clear_cookies(name="bookstore_session")
    tabs = {path: context.new_page() for path in ("/account/", "/orders/", "/account/?again", "/orders/?again")}
    for path, tab in tabs.items():
        tab.goto(path, wait_until="commit")
    for path, tab in tabs.items():
        expect(tab).to_have_url(f"{demo}{path}")
        expect(sign_out_button(tab)).to_be_visible()


def test_second_tab_at_logto_during_sign_in(context: BrowserContext, demo: str) -> None:
    first, second = context.new_page(), context.new_page()
    first.goto("/account/")
    second.goto("/orders/")
    second.get_by_role("button", name="Sign in as customer", exact=True).click()
    expect(second).to_have_url(f"{demo}/orders/")
    first.goto("/account/")
    expect(first).to_have_url(f"{demo}/account/")


def test_back_button_after_sign_in_causes_no_error(page: Page, demo: str) -> None:
    sign_in(page, "customer")
    callbacks: list[str] = []
    page.on("request", lambda request: callbacks.append(request.url) if "/callback?" in request.url else None)
    page.goto("/account/")
    page.go_back()
    expect(sign_out_button(page)).to_be_visible()


def test_repeated_callback_redirects_signed_in_user(page: Page, demo: str) -> None:
    callbacks: list[str] = []
    page.on("request", lambda request: callbacks.append(request.url) if "/callback?" in request.url else None)
    page.goto("/account/")
    page.get_by_role("button", name="Sign in as customer", exact=True).click()
    expect(page).to_have_url(f"{demo}/account/")
    page.goto(callbacks[0])
    expect(page).to_have_url(f"{demo}/account/")
    sign_out_button(page).click()
    expect(sign_in_button(page)).to_be_visible()
    page.goto(callbacks[0])
    expect(page.get_by_role("heading", name="This sign-in is already finished")).to_be_visible()
    screenshot(page, "error")


def test_language_can_be_changed_on_error_page(page: Page, demo: str) -> None:
    page.goto("/callback?code=of-another-browser&state=unknown")
    expect(page.get_by_role("heading", name="This sign-in was not started here")).to_be_visible()
    page.get_by_role("button", name="日本語").click()
    expect(page).to_have_url(f"{demo}/")
    expect(page.get_by_role("banner")).to_contain_text("サインイン")


def test_edited_session_cookie_is_rejected(page: Page, context: BrowserContext, demo: str) -> None:
    sign_in(page, "customer")
    cookie = next(cookie for cookie in context.cookies(demo) if cookie["name"] == "bookstore_session")
    context.add_cookies([{**cookie, "value": "0" * 32}])
    page.goto("/")
    expect(sign_in_button(page)).to_be_visible()


def test_script_receives_the_sign_in_url(page: Page, demo: str) -> None:
    page.goto("/")
    answer = page.evaluate("async () => { const r = await fetch('/account/'); return [r.status, await r.json()] }")
    assert answer == [401, {"error": "sign_in_required", "sign_in_url": f"{demo}/sign-in?next=/"}]


@pytest.mark.parametrize(("language", "words"), [("ja", "サインイン"), ("zh-CN", "登录")])
def test_shop_uses_the_browser_language(chromium, demo: str, language: str, words: str) -> None:
    context = chromium.new_context(base_url=demo, locale=language)
    page = context.new_page()
    page.goto("/")
    expect(page.get_by_role("banner")).to_contain_text(words)
    screenshot(page, f"home-{language}")
    page.goto("/callback")
    screenshot(page, f"error-{language}")
    context.close()


def test_sign_out_at_logto_ends_the_shop_session(context: BrowserContext, page: Page, demo: str) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    sign_in(page, "customer")
    logto = next(url.split("/oidc/")[0] for url in requests if "/oidc/auth" in url)
    elsewhere = context.new_page()
    # Another site of the same Logto sends the browser here.
    elsewhere.goto(f"{logto}/oidc/session/end?client_id=bookstoredemo00000001")
    expect(elsewhere).to_have_url(re.compile("/oidc/session/end/success"))
    page.reload()
    expect(sign_in_button(page)).to_be_visible()


def test_user_ends_sessions_on_other_devices(chromium, page: Page, demo: str) -> None:
    sign_in(page, "editor")
    other = chromium.new_context(base_url=demo, locale="en-GB")
    other_page = other.new_page()
    sign_in(other_page, "editor")
    page.goto("/account/sessions")
    page.get_by_role("button", name="End all others").click()
    expect(page).to_have_url(f"{demo}/account/sessions")
    expect(page.get_by_role("status")).to_have_count(1)
    screenshot(page, "account-sessions")
    other_page.reload()
    expect(sign_in_button(other_page)).to_be_visible()
    expect(sign_out_button(page)).to_be_visible()
    other.close()


LOOKS = {
    "desktop": {"viewport": {"width": 1200, "height": 900}},
    "phone": {"viewport": {"width": 320, "height": 640}},
    "dark": {"viewport": {"width": 800, "height": 900}, "color_scheme": "dark"},
}


@pytest.mark.parametrize("look", LOOKS)
def test_account_pages_are_at_home_in_the_shop(chromium, demo: str, look: str) -> None:
    with browser_profile(chromium, demo, **LOOKS[look]) as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        sign_in(page, "customer")
        page.get_by_role("banner").get_by_role("link", name="your account").click()
        for name in ("Profile", "Security", "Linked accounts", "Sessions", "Claims"):
            page.get_by_role("navigation", name="Account").get_by_role("link", name=name).click()
            screenshot(page, f"shop-{name.lower()}-{look}")
            # The styles of the package have arrived, although the policy of the shop allows no inline styles.
            expect(page.locator(".account-nav ul")).to_have_css("display", "flex")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        assert complaints == []


def test_code_is_read_at_the_emulator(page: Page, context: BrowserContext, demo: str) -> None:
    sign_in(page, "customer")
    page.goto("/account/phone")
    page.get_by_role("button", name="Send a code").click()
    with context.expect_page() as opened:
        page.get_by_role("link", name="Read the code here").click()
    code = re.search(r"\b\d{6}\b", opened.value.get_by_role("main").inner_text())
    assert code
    screenshot(opened.value, "messages")
    page.get_by_label("Code").fill(code[0])
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_url(f"{demo}/account/phone")
    expect(page.get_by_label("New phone number")).to_be_visible()
