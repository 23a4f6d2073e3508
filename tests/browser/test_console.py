"""The branches of the bookstore, run by their owners and managers in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from logto_auth.emulator import Emulator, Tenant
from logto_auth.testing import register_site
from tests.bookstore.conftest import tenant
from tests.bookstore.programs import HARBOUR
from tests.console.invitation_links import invite as new_invitation

from .conftest import browser_profile, screenshot
from .people import choose_account
from .test_account_accessibility import violations

__all__ = ["tenant"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

INVITED = "ada@bookstore.example"
# Each page of the console, and who opens it.
PAGES = {
    "/branches/": "owner",
    "/branches/new": "owner",
    f"/branches/{HARBOUR}/": "owner",
    f"/branches/{HARBOUR}/members": "owner",
    f"/branches/{HARBOUR}/members/editor000001": "owner",
    f"/branches/{HARBOUR}/invitations": "owner",
    f"/branches/{HARBOUR}/joining": "owner",
    f"/branches/{HARBOUR}/leave": "manager",
    f"/branches/{HARBOUR}/delete": "owner",
    "/branches/hillbranch01/": "owner",
}
LOOKS: dict[str, dict[str, Any]] = {
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "light", "viewport": {"width": 320, "height": 640}},
}


@pytest.fixture
def shop(live_server: Any, logto: Emulator, tenant: Tenant) -> str:
    """Return the URL of the bookstore with the demo's accounts and branches."""
    register_site(logto, live_server.url)
    url: str = live_server.url
    return url


@pytest.fixture
def plain_shop(shop: str, settings: Any) -> str:
    """Return the URL of the console in the package's own frame."""
    settings.ROOT_URLCONF = "tests.browser.strict_console_urls"
    (templates,) = settings.TEMPLATES
    processors = [*templates["OPTIONS"]["context_processors"], f"{settings.ROOT_URLCONF}.csp_nonce"]
    settings.TEMPLATES = [
        {**templates, "DIRS": [], "OPTIONS": {**templates["OPTIONS"], "context_processors": processors}}
    ]
    return shop


@contextmanager
def signed_in(chromium: Browser, shop: str, account: str, path: str = "/branches/", **options: Any) -> Iterator[Page]:
    """Open a page as a user of the demo, in a browser of its own."""
    with browser_profile(chromium, shop, **options) as context:
        page = context.new_page()
        page.goto(f"/sign-in?next={path}")
        choose_account(page, account)
        expect(page).to_have_url(f"{shop}{path}")
        yield page


def notice(page: Page, text: str) -> None:
    expect(page.get_by_role("status").filter(has_text=text)).to_be_visible()


def row(page: Page, name: str) -> Any:
    return page.get_by_role("row").filter(has_text=name)


def save(page: Page) -> None:
    page.get_by_role("button", name="Save").click()
    notice(page, "saved")


def invite(page: Page, email: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("staff").check()
    page.get_by_role("button", name="Send the invitation").click()


def test_invited_user_registers_and_works_in_the_branch(chromium: Browser, shop: str, logto: Emulator) -> None:
    with (
        signed_in(chromium, shop, "manager", java_script_enabled=False) as manager,
        browser_profile(chromium, shop) as profile,
    ):
        manager.get_by_role("link", name="People and settings").click()
        manager.get_by_role("link", name="Invitations").click()
        # A manager can invite staff only.
        expect(manager.get_by_role("checkbox")).to_have_count(1)
        invite(manager, INVITED)
        notice(manager, "The invitation has been sent.")
        screenshot(manager, "console-invited")

        invited = profile.new_page()
        invited.goto(f"{logto.endpoint}/emulator/messages")
        invited.get_by_role("link", name="Open the link of this message").click()
        expect(invited.get_by_role("main")).to_contain_text("Harbour Branch")
        expect(invited.get_by_role("main")).to_contain_text(INVITED)
        screenshot(invited, "console-invitation-link")
        invited.get_by_role("button", name="Sign in and accept").click()
        expect(invited).to_have_url(f"{shop}/branches/{HARBOUR}/")
        expect(invited.get_by_role("main")).to_contain_text("staff")
        screenshot(invited, "console-joined")

        manager.get_by_role("link", name="Members").click()
        expect(row(manager, INVITED)).to_contain_text("staff")
        manager.get_by_role("link", name="Invitations").click()
        expect(manager.get_by_role("main")).to_contain_text("Accepted")


def test_owner_gives_a_role_and_removes_a_member(chromium: Browser, shop: str) -> None:
    members = f"/branches/{HARBOUR}/members"
    with (
        signed_in(chromium, shop, "owner", members) as owner,
        signed_in(chromium, shop, "editor", f"/branches/{HARBOUR}/") as editor,
    ):
        expect(editor.get_by_role("link", name="Invitations")).to_have_count(0)
        row(owner, "Editor").get_by_role("link").click()
        owner.get_by_label("manager").check()
        save(owner)
        editor.reload()
        # The next request of the editor finds the new role, without a new sign-in.
        editor.get_by_role("link", name="Invitations").click()
        expect(editor.get_by_label("E-mail address")).to_be_visible()

        owner.get_by_text("Remove from the organization").click()
        screenshot(owner, "console-member")
        owner.get_by_role("button", name="Remove the member").click()
        expect(row(owner, "Editor")).to_have_count(0)
        # The page was open when the membership ended.
        invite(editor, INVITED)
        expect(editor.get_by_role("heading", level=1)).to_have_text("Organization not found")
        screenshot(editor, "console-removed")
        editor.goto("/")
        expect(editor.get_by_role("link", name="Branches")).to_have_count(0)


def test_last_owner_cannot_leave_until_there_is_another(chromium: Browser, shop: str) -> None:
    with signed_in(chromium, shop, "owner", f"/branches/{HARBOUR}/leave") as page:
        page.get_by_role("button", name="Leave the organization").click()
        expect(page.get_by_role("main")).to_contain_text("would have no owner")
        screenshot(page, "console-last-owner")
        page.goto(f"/branches/{HARBOUR}/members/manager00001")
        page.get_by_label("owner").check()
        save(page)
        page.goto(f"/branches/{HARBOUR}/leave")
        page.get_by_role("button", name="Leave the organization").click()
        expect(page).to_have_url(f"{shop}/branches/")
        expect(page.get_by_role("main")).to_contain_text("You are not a member of a branch.")


def test_partner_opens_renames_and_deletes_a_branch(chromium: Browser, shop: str, tenant: Tenant) -> None:
    with signed_in(chromium, shop, "owner") as page:
        page.get_by_role("link", name="Open a branch").click()
        page.get_by_role("textbox", name="Organization name").fill("Island Branch")
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_role("main")).to_contain_text("Island Branch")
        expect(page.get_by_role("main")).to_contain_text("owner")
        # The claims of the session have the new branch.
        expect(page.get_by_role("banner").get_by_label("Branch")).to_contain_text("Island Branch")
        page.get_by_role("textbox", name="Organization name").fill("Island Books")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("banner").get_by_label("Branch")).to_contain_text("Island Books")
        page.get_by_role("link", name="Delete").click()
        page.get_by_role("textbox").last.fill("Island Books")
        page.get_by_role("button", name="Delete the organization").click()
        expect(page).to_have_url(f"{shop}/branches/")
        expect(page.get_by_role("main")).not_to_contain_text("Island")
    assert [each.name for each in tenant.organizations.values()] == ["Harbour Branch", "Hill Branch"]


def test_owner_sets_who_joins(chromium: Browser, shop: str, tenant: Tenant) -> None:
    with signed_in(chromium, shop, "owner", f"/branches/{HARBOUR}/joining") as page:
        page.get_by_role("textbox", name="E-mail domain").fill("gmail.com")
        page.get_by_role("button", name="Add the domain").click()
        expect(page.get_by_role("main")).to_contain_text("You can add only the domain of your own")
        page.get_by_role("textbox", name="E-mail domain").fill("bookstore.example")
        page.get_by_role("button", name="Add the domain").click()
        page.get_by_role("button", name="Link Bookstore Directory").click()
        expect(page.get_by_role("button", name="Unlink Bookstore Directory")).to_be_visible()
        screenshot(page, "console-joining")
    harbour = tenant.organizations[HARBOUR]
    assert harbour.jit_email_domains == ["harbour.example", "bookstore.example"]
    assert harbour.jit_sso_connectors == ["ssobookstore"]


def examine(chromium: Browser, shop: str, logto: Emulator, look: str, name: str) -> dict[str, Any]:
    """Return what axe finds on each page, and the pages that are wider than the window."""
    found: dict[str, Any] = {}
    over = new_invitation(logto, "over@bookstore.example")
    logto.tenant.invitations[next(iter(logto.tenant.invitations))].status = "Revoked"
    pages = {**PAGES, over: "owner", new_invitation(logto, INVITED): "owner"}
    for account in sorted(set(pages.values())):
        with signed_in(chromium, shop, account, f"/branches/{HARBOUR}/", bypass_csp=True, **LOOKS[look]) as page:
            for number, path in enumerate(path for path, opener in pages.items() if opener == account):
                page.goto(path)
                for closed in page.locator("details:not([open]) > summary").all():
                    closed.click()
                found[path] = violations(page)
                if not page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
                    found[path].append(("wider than the window", []))
                screenshot(page, f"console-{name}-{look}-{account}-{number}")
    return {path: each for path, each in found.items() if each}


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize("look", LOOKS)
def test_console_is_accessible_in_the_shop(chromium: Browser, shop: str, logto: Emulator, look: str) -> None:
    assert examine(chromium, shop, logto, look, "shop") == {}


@pytest.mark.usefixtures("libraries")
@pytest.mark.parametrize("look", LOOKS)
def test_console_is_accessible_in_its_own_frame(chromium: Browser, plain_shop: str, logto: Emulator, look: str) -> None:
    assert examine(chromium, plain_shop, logto, look, "plain") == {}
