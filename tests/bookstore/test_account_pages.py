"""The pages of `logto_auth.account` in the frame of the shop."""

from __future__ import annotations

import re

import pytest
from django.conf import settings as site_settings
from django.contrib.auth.models import User

from bookstore.orders.models import Order
from logto_auth.emulator import HttpFault

from .test_pages import Elements

PAGES = ("", "security", "linked", "sessions", "api-keys/", "api-keys/new", "password", "email", "verify", "claims")
TABS = ["Profile", "Security", "Linked accounts", "Sessions", "Applications", "API keys", "Claims"]


@pytest.fixture
def customer(browser, tenant):
    browser.sign_in("customer")
    return browser.client


def tabs(page: str) -> list[str]:
    navigation = re.search(r'<nav class="account-nav".*?</nav>', page, re.DOTALL)
    return re.findall(r"<a [^>]*>([^<]*)</a>", navigation[0]) if navigation else []


def verify(client) -> None:
    client.post("/account/verify", {"action": "password", "password": "customer-password"})


@pytest.mark.parametrize("name", PAGES)
def test_page_suits_the_policy_of_the_shop(customer, name):
    verify(customer)
    response = customer.get(f"/account/{name}", follow=True)
    assert response.status_code == 200
    assert response["Content-Security-Policy"].startswith("default-src 'self';")
    elements = Elements(response.text)
    # The policy blocks styles and scripts that are not files.
    assert not elements.all("style", "iframe")
    assert not [attributes for _tag, attributes in elements.found if "style" in attributes]
    sheets = [link["href"] for link in elements.all("link") if link["rel"] == "stylesheet"]
    # The second one adds to the first one.
    assert sheets == ["/static/bookstore/style.css", "/static/logto_auth/account.css"]
    assert elements.all("a")[0] == {"class": "skip-link", "href": "#content"}
    assert len(elements.all("h1")) == len(elements.all("main")) == 1


@pytest.mark.parametrize("name", ["", "security", "linked", "sessions", "api-keys/", "claims"])
def test_claims_are_a_tab(customer, name):
    page = customer.get(f"/account/{name}").text
    assert tabs(page) == TABS
    assert page.count('aria-current="page"') == 1


def test_claims_are_reached_without_account_center(customer, tenant):
    tenant.account_center["enabled"] = False
    page = customer.get("/account/")
    assert page.status_code == 403
    assert tabs(page.text) == ["Claims"]
    assert 'href="/account/claims"' in page.text


def test_header_leads_to_account_pages(customer):
    assert 'href="/account/"' in customer.get("/").text.split("</header>")[0]


def test_claims_have_tabs_while_logto_is_down(customer, settings):
    settings.LOGTO_INTERNAL_ENDPOINT = "http://localhost:9"  # nothing listens there
    assert tabs(customer.get("/account/claims").text) == TABS


def test_user_without_logto_has_only_the_claims(reader_client):
    response = reader_client.get("/account/claims")
    assert (response.status_code, tabs(response.text)) == (200, [])


def test_message_is_shown_once(customer):
    response = customer.post("/account/", {"action": "about", "name": "Jane", "avatar": ""}, follow=True)
    assert response.text.count("Your profile has been saved.") == 1
    assert 'class="notices"' not in response.text
    assert User.objects.get(username="customer").first_name == "Jane"


def test_code_page_leads_to_messages_of_emulator(customer):
    page = customer.post("/account/verify", {"action": "send", "kind": "email"}).text
    assert "We have sent a code" in page
    assert f'href="{site_settings.LOGTO_ENDPOINT}/emulator/messages"' in page


def test_code_page_of_a_real_logto_names_no_emulator(customer, settings):
    settings.USES_EMULATOR = False
    page = customer.post("/account/verify", {"action": "send", "kind": "email"}).text
    assert "We have sent a code" in page
    assert "/emulator/messages" not in page


# The account is deleted


def order_of(client, book) -> Order:
    client.post(f"/basket/{book.slug}/add/", {"quantity": 1})
    client.post("/checkout/", {"agreed_cents": book.price_cents})
    return Order.objects.get()


def delete(browser):
    to_logto = browser.client.get("/account/delete")["Location"]
    browser.open(browser.logto.sign_in(to_logto, "customer"))
    assert "The shop keeps your orders" in browser.client.get("/account/delete").text
    return browser.client.post("/account/delete", {"action": "delete", "confirmation": "customer@bookstore.example"})


def test_deleted_user_leaves_orders_without_name(browser, customer, tenant, emma):
    order = order_of(customer, emma)
    assert "Your account has been deleted" in delete(browser).text
    order.refresh_from_db()
    assert (order.user, order.lines.count()) == (None, 1)
    assert not User.objects.filter(username="customer").exists()
    assert "customer0001" not in tenant.users


def test_user_who_is_gone_at_logto_is_deleted_here(browser, customer, tenant, monkeypatch):
    # As after a request that was interrupted between the two deletions.
    monkeypatch.setattr(User, "delete", lambda user: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        delete(browser)
    monkeypatch.undo()
    browser.client.post("/account/delete", {"action": "delete", "confirmation": "customer@bookstore.example"})
    assert not User.objects.filter(username="customer").exists()


def test_nothing_is_deleted_while_logto_is_down(browser, customer, tenant, logto, emma):
    order = order_of(customer, emma)
    logto.faults.http["management_api"] = HttpFault(status=503)
    assert "could not be deleted" in delete(browser).text
    order.refresh_from_db()
    assert order.user == User.objects.get(username="customer")


def test_order_without_reader_is_in_the_admin(browser, tenant, emma):
    browser.sign_in("admin")
    order = order_of(browser.client, emma)
    Order.objects.update(user=None)
    assert browser.client.get("/admin/orders/order/").status_code == 200
    assert browser.client.get(f"/admin/orders/order/{order.pk}/change/").status_code == 200
    assert browser.client.get(order.get_absolute_url()).status_code == 404
