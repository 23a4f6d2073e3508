from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.utils import translation

from bookstore.account.claims import identities, presentable
from bookstore.account.names import display_name, initials
from bookstore.catalog.models import Book
from logto_auth.emulator import HttpFault

ALIPAY_ONLY = {
    "alipay": {
        "userId": "2088000000000009",
        "details": {"id": "2088000000000009", "avatar": "https://tfs.example/avatar.png"},
    }
}


def account_page(browser, username, **options) -> str:
    browser.sign_in(username, **options)
    return browser.client.get("/account/claims").text


# The messages after a sign-in and a sign-out


def shown_messages(page: str) -> list[str]:
    return re.findall(r'<p class="message[^>]*>(.*?)</p>', page)


def test_sign_in_and_sign_out_are_confirmed_once(browser, tenant):
    browser.sign_in("customer")
    assert shown_messages(browser.client.get("/").text) == ["You are signed in as Customer."]
    assert shown_messages(browser.client.get("/").text) == []
    browser.client.post("/sign-out")
    assert shown_messages(browser.client.get("/").text) == ["You are signed out."]
    assert shown_messages(browser.client.get("/").text) == []


# The page


def test_claims_page_asks_to_sign_in(client, db):
    assert client.get("/account/claims")["Location"] == "/sign-in?next=/account/claims"


def test_claims_are_shown_and_escaped(browser, tenant):
    tenant.add_user(username="mallory", name="<script>alert(1)</script>", id="mallory00001")
    page = account_page(browser, "mallory")
    assert "mallory00001" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in page


def test_roles_organizations_and_custom_data_are_shown(browser, tenant):
    tenant.users["admin0000001"].custom_data = {"shelf": "poetry"}
    page = account_page(browser, "admin")
    assert "<li>admin</li>" in page
    assert "<strong>Harbour Branch</strong> <code>harbourbr001</code>" in page
    assert "<li>manager</li>" in page
    assert "<dd>poetry</dd>" in page
    assert "Open the admin site" in page


def test_the_last_orders_are_shown(browser, tenant, emma):
    browser.sign_in("customer")
    browser.client.post(f"/basket/{emma.slug}/add/", {"quantity": 1})
    browser.client.post("/checkout/", {"agreed_cents": emma.price_cents})
    assert "$12.50" in browser.client.get("/account/claims").text


def test_alipay_user_without_name_is_shown(browser, tenant):
    tenant.sign_in_experience.connectors = []
    tenant.add_user(identities=ALIPAY_ONLY, id="alipay000001", username="only_to_get_in")
    browser.sign_in("only_to_get_in")
    tenant.users["alipay000001"].username = None
    page = browser.client.get("/account/claims").text
    assert "<strong>alipay</strong> 2088000000000009" in page
    assert "tfs.example" not in page


def test_unreachable_logto_shows_a_note(browser, tenant, logto):
    browser.sign_in("customer")
    logto.faults.http["me"] = HttpFault(status=503)
    response = browser.client.get("/account/claims")
    assert response.status_code == 200
    assert "Logto does not respond at the moment." in response.text
    assert "customer@bookstore.example" in response.text


def test_password_session_shows_no_claims(client, db):
    user = User.objects.create_user("local")
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    response = client.get("/account/claims")
    assert response.status_code == 200
    assert "without Logto" in response.text
    assert 'action="/sign-out"' in response.text


# Roles


def test_only_role_editor_may_add_books(browser, tenant):
    browser.sign_in("editor")
    assert browser.client.get("/books/add/").status_code == 200
    assert not User.objects.get(username="editor").is_staff


def test_the_role_customer_may_not_add_books(browser, tenant):
    browser.sign_in("customer")
    assert browser.client.get("/books/add/").status_code == 403


def test_the_role_admin_may_use_the_admin(browser, tenant, emma):
    browser.sign_in("admin")
    for page in ("", "catalog/book/", "catalog/category/", "orders/order/", f"catalog/book/{emma.pk}/change/"):
        assert browser.client.get(f"/admin/{page}").status_code == 200
    assert Book.objects.exists()


# Names


@pytest.mark.parametrize(
    ("user", "claims", "name"),
    [
        (User(username="u", first_name="Jane", last_name="Austen"), {"name": "J"}, "Jane Austen"),
        (User(username="u"), {"sub": "u", "name": "曹雪芹"}, "曹雪芹"),
        (User(username="u"), {"sub": "u", "name": "  ", "username": "jane"}, "jane"),
        (User(username="ff35sdfh2jkm"), {"sub": "ff35sdfh2jkm", "name": None, "username": None}, "Reader"),
        (User(username="local"), {}, "local"),
    ],
)
def test_display_name_uses_the_best_available(user, claims, name):
    assert display_name(user, claims) == name


def test_fallback_name_is_translated():
    with translation.override("ja"):
        assert display_name(User(username="x"), {"sub": "x"}) == "読者"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Jane Austen", "JA"), ("Johann Wolfgang von Goethe", "JG"), ("曹雪芹", "曹"), ("reader", "R"), ("", "")],
)
def test_initials(name, letters):
    assert initials(name) == letters


# Claims


def test_claims_are_ordered_labelled_and_readable():
    shown = presentable(
        {
            "x_own": {"deep": ["<b>"]},
            "sub": "abc",
            "exp": 1795400124,
            "created_at": 1795400124003,
            "email_verified": True,
            "roles": ["admin", "editor"],
            "picture": None,
            "organizations": [],
        }
    )
    assert [(claim.name, claim.text) for claim in shown] == [
        ("sub", "abc"),
        ("email_verified", "yes"),
        ("roles", "admin, editor"),
        ("organizations", "—"),
        ("exp", "Nov. 23, 2026, 2:15 a.m. UTC"),
        ("created_at", "Nov. 23, 2026, 2:15 a.m. UTC"),
        ("x_own", '{\n  "deep": [\n    "<b>"\n  ]\n}'),
    ]
    assert shown[-1].is_long


@pytest.mark.parametrize("moment", [10**20, -(10**20), True, "soon"])
def test_invalid_timestamp_does_not_break_the_page(moment):
    assert presentable({"exp": moment})[0].text


@pytest.mark.parametrize(
    ("user_info", "label"),
    [
        ({"identities": {"alipay": {"userId": "2088", "details": {"name": "Li"}}}}, "Li"),
        ({"identities": {"alipay": {"userId": "2088", "details": {"email": "a@b.example"}}}}, "a@b.example"),
        ({"identities": {"alipay": {"userId": "2088"}}}, "2088"),
    ],
)
def test_identities_show_the_best_available_name(user_info, label):
    [identity] = identities(user_info)
    assert (identity.target, identity.label, identity.account_id) == ("alipay", label, "2088")


@pytest.mark.parametrize("user_info", [{}, {"identities": None}, {"identities": {}}])
def test_no_identities(user_info):
    assert identities(user_info) == []
