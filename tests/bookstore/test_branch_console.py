"""The console of branches in the shop: who finds it, and in which frame."""

from __future__ import annotations

import pytest

from .programs import HARBOUR
from .test_pages import Elements

CONSOLE = f"/branches/{HARBOUR}/"


@pytest.mark.parametrize(("account", "may_open"), [("owner", True), ("manager", False), ("customer", False)])
def test_only_partners_are_offered_to_open_a_branch(browser, tenant, account, may_open):
    browser.sign_in(account)
    page = browser.client.get("/branches/").text
    assert ('href="/branches/new"' in page) is may_open
    assert (f'href="{CONSOLE}"' in page) is (account != "customer")
    assert browser.client.get("/branches/new").status_code == (200 if may_open else 403)


def test_partner_without_branch_finds_the_branches(browser, tenant):
    tenant.remove_member(HARBOUR, "owner0000001")
    browser.sign_in("owner")
    assert '<a href="/branches/">Branches</a>' in browser.client.get("/").text


@pytest.mark.parametrize("page", ["", "members", "members/editor000001", "invitations", "joining", "leave", "delete"])
def test_console_is_in_the_frame_of_the_shop(browser, tenant, page):
    browser.sign_in("owner")
    response = browser.client.get(CONSOLE + page)
    assert response.status_code == 200
    elements = Elements(response.text)
    assert elements.all("a")[0] == {"class": "skip-link", "href": "#content"}
    assert len(elements.all("h1")) == len(elements.all("main")) == 1
    assert not elements.all("script", "style")
    assert f"{CONSOLE}stock/" in {link.get("href") for link in elements.all("a")}
    assert ("/emulator/messages" in response.text) is (page == "invitations")


def test_staff_sees_no_stock_in_the_console(browser, tenant):
    browser.sign_in("editor")
    assert f"{CONSOLE}stock/" not in browser.client.get(CONSOLE).text
    assert browser.client.get(f"{CONSOLE}invitations").status_code == 403


def test_shop_without_management_api_has_no_links_to_the_console(browser, tenant, settings):
    settings.ROOT_URLCONF = "bookstore.urls"
    browser.sign_in("owner")
    page = browser.client.get("/branches/").text
    assert f'href="{CONSOLE}stock/"' in page
    assert f'href="{CONSOLE}"' not in page
    assert 'href="/branches/new"' not in page
