"""The export of all orders, which requires a second factor."""

from __future__ import annotations

import csv
import io

import pytest
from django.contrib.auth.models import User
from django.urls import include, path

import bookstore.urls
from bookstore.core.demo import install_claims_script
from bookstore.orders import urls as orders_urls
from bookstore.orders.models import Order
from logto_auth.testing import Browser


@pytest.fixture
def admin(tenant, settings):
    """The user `admin` of the demo, whose tenant has the script."""
    orders = path("", include(([*orders_urls.urlpatterns, *orders_urls.export_urlpatterns], orders_urls.app_name)))
    settings.ROOT_URLCONF = (orders, *bookstore.urls.urlpatterns)
    install_claims_script()
    return tenant.find_user(username="admin")


@pytest.fixture
def secret(admin, tenant):
    """The secret of the authenticator app of `admin`."""
    return tenant.add_totp(admin)


@pytest.fixture
def orders(emma, kokoro, db):
    reader = User.objects.create_user("ada", email="ada@bookstore.example")
    for book in (emma, kokoro):
        Order.objects.create(user=reader).lines.create(book=book, quantity=2, price_cents=book.price_cents)


def rows(response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.text)))


def test_second_factor_opens_the_export(browser, secret, orders):
    browser.sign_in("admin", totp_secret=secret)
    page = browser.client.get("/orders/export/")
    assert "The file has 2 orders" in page.text
    assert page.context["methods"] == ("Password", "Totp")
    response = browser.client.get("/orders/export.csv")
    assert response["Content-Disposition"] == 'attachment; filename="orders.csv"'
    assert [(row["title"], row["copies"], row["price each"], row["email"]) for row in rows(response)] == [
        ("Kokoro", "2", "9.90", "ada@bookstore.example"),
        ("Emma", "2", "12.50", "ada@bookstore.example"),
    ]


@pytest.mark.parametrize("url", ["/orders/export/", "/orders/export.csv"])
def test_admin_without_a_factor_is_led_to_its_set_up(browser, admin, url):
    browser.sign_in("admin")
    response = browser.client.get(url, follow=True)
    assert (response.status_code, response.context["code"]) == (403, "not_set_up")
    assert response.context["links"][0]["url"].startswith("/account/security")


def test_sign_in_with_the_new_factor_leads_back(browser, admin, tenant):
    browser.sign_in("admin")
    page = browser.client.get("/orders/export/", follow=True)
    secret = tenant.add_totp(admin)
    again = browser.client.get(next(link["url"] for link in page.context["links"] if "step=again" in link["url"]))
    response = browser.open(browser.logto.sign_in(again.url, "admin", totp_secret=secret))
    assert browser.client.get(response.url, follow=True).redirect_chain[-1] == ("/orders/export/", 302)


def test_permission_is_checked_before_the_factor(browser, admin):
    browser.sign_in("editor")
    assert browser.client.get("/orders/export/").status_code == 403
    assert "export" not in browser.client.get("/account/claims").text


def test_page_of_the_account_links_to_the_export(browser, admin):
    browser.sign_in("admin")
    assert 'href="/orders/export/"' in browser.client.get("/account/claims").text


def test_visitor_signs_in_first(client, admin):
    assert client.get("/orders/export.csv").url == "/sign-in?next=/orders/export.csv"


def test_order_of_a_deleted_reader_has_no_name(browser, secret, orders):
    User.objects.all().delete()
    browser.sign_in("admin", totp_secret=secret)
    assert {(row["reader"], row["email"]) for row in rows(browser.client.get("/orders/export.csv"))} == {("", "")}


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)"])
def test_name_is_no_formula_in_a_spreadsheet(browser, secret, orders, name):
    User.objects.filter(username="ada").update(email=name)
    browser.sign_in("admin", totp_secret=secret)
    assert {row["email"] for row in rows(browser.client.get("/orders/export.csv"))} == {f"'{name}"}


def test_export_is_missing_without_the_setting(client, db):
    """The tests use the settings of a Logto without the API resource."""
    assert client.get("/orders/export/").status_code == 404


def test_other_browser_needs_the_factor_too(secret, logto, browser):
    browser.sign_in("admin", totp_secret=secret)
    other = Browser(logto)
    other.client.force_login(User.objects.get(username="admin"), backend="logto_auth.backends.LogtoBackend")
    response = other.client.get("/orders/export/", follow=True)
    assert (response.status_code, response.context["code"]) == (403, "signed_in_without_logto")
