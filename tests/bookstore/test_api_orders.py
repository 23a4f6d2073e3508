"""`/api/orders/`."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from bookstore.orders.basket import BasketLine
from bookstore.orders.checkout import place_order
from bookstore.orders.models import Order
from logto_auth.models import LogtoIdentity

from .programs import API, HARBOUR, Program, token_of_person, token_of_robot


@pytest.fixture
def customer(logto, tenant) -> Program:
    return Program(token_of_person(logto, "customer"))


def wanted(*lines, **more):
    return {
        "lines": [{"book": book if isinstance(book, str) else book.slug, "quantity": n} for book, n in lines],
        **more,
    }


# Placing one


def test_first_api_call_creates_account_and_order(customer, emma, kokoro):
    response = customer.post("/api/orders/", wanted((emma, 2), (kokoro, 1), agreed_cents=3490))
    assert response.status_code == 201, response.json()
    order = Order.objects.get()
    assert order.user == LogtoIdentity.objects.get(sub="customer0001").user
    assert response["Location"] == f"/api/orders/{order.pk}/"
    assert response.json() == {
        "id": order.pk,
        "placed_at": order.placed_at.isoformat().replace("+00:00", "Z"),
        "total_cents": 3490,
        "lines": [
            {"book": emma.slug, "title": "Emma", "quantity": 2, "price_cents": 1250},
            {"book": kokoro.slug, "title": "Kokoro", "quantity": 1, "price_cents": 990},
        ],
    }
    emma.refresh_from_db()
    assert emma.stock == 3


def test_order_without_total_accepts_any_price(customer, emma):
    assert customer.post("/api/orders/", wanted((emma, 1))).json()["total_cents"] == 1250


def test_too_few_copies_is_a_conflict(customer, emma, sold_out):
    response = customer.post("/api/orders/", wanted((emma, 1), (sold_out, 1)))
    assert response.status_code == 409
    assert response.json() == {
        "code": "sold_out",
        "detail": "We do not have enough copies of “Persuasion”. Please choose fewer.",
        "books": [sold_out.slug],
    }


def test_changed_price_is_a_conflict(customer, emma):
    response = customer.post("/api/orders/", wanted((emma, 2), agreed_cents=2499))
    assert response.status_code == 409
    assert response.json() == {
        "code": "price_changed",
        "detail": "A price has changed since you last looked. Please check the new total.",
        "total_cents": 2500,
    }


@pytest.mark.parametrize(("quantity", "code"), [(None, "empty"), (10, "too_many_copies"), (10**30, "too_many_copies")])
def test_invalid_orders_are_refused(customer, emma, quantity, code):
    response = customer.post("/api/orders/", wanted((emma, quantity)) if quantity else {"lines": []})
    assert (response.status_code, response.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, {"lines": ["This field is required."]}),
        ({"lines": "emma"}, {"lines": {"non_field_errors": ['Expected a list of items but got type "str".']}}),
        (wanted(("no-such-book", 1)), {"lines": {"0": {"book": ["There is no book “no-such-book”."]}}}),
        (
            wanted(("emma-jane-austen", 1), ("emma-jane-austen", 1)),
            {"lines": {"1": {"book": ["There is a line for this book already."]}}},
        ),
        (
            wanted(("emma-jane-austen", 0)),
            {"lines": {"0": {"quantity": ["Ensure this value is greater than or equal to 1."]}}},
        ),
        (wanted(("emma-jane-austen", "many")), {"lines": {"0": {"quantity": ["A valid integer is required."]}}}),
        (wanted(agreed_cents="all"), {"agreed_cents": ["A valid integer is required."]}),
    ],
)
def test_field_errors_name_the_field(customer, emma, body, faults):
    response = customer.post("/api/orders/", body)
    found = response.json()
    if isinstance(found.get("lines"), list) and isinstance(found["lines"][0], dict):
        # Older versions of REST framework report the errors of a list as a list.
        found["lines"] = {str(index): errors for index, errors in enumerate(found["lines"]) if errors}
    assert (response.status_code, found) == (400, faults)


def test_refused_order_changes_nothing(customer, emma, sold_out):
    customer.post("/api/orders/", wanted((emma, 1), (sold_out, 1)))
    customer.post("/api/orders/", wanted((emma, 1), agreed_cents=1))
    assert not Order.objects.exists()
    emma.refresh_from_db()
    assert emma.stock == 5


def test_order_takes_constant_queries(customer, make_book, django_assert_max_num_queries):
    books = [make_book(f"Book {number}") for number in range(50)]
    customer.get("/api/orders/")
    with django_assert_max_num_queries(61):  # 50 of them take the copies, each only while there are enough
        response = customer.post("/api/orders/", wanted(*((book, 1) for book in books)))
    assert response.status_code == 201
    too_many = customer.post("/api/orders/", wanted(*((f"book-{number}", 1) for number in range(51))))
    assert too_many.json() == {"lines": {"non_field_errors": ["Ensure this field has no more than 50 elements."]}}


# Reading


def test_own_orders_are_newest_first(customer, emma, kokoro, django_assert_num_queries):
    first = customer.post("/api/orders/", wanted((emma, 1))).json()
    second = customer.post("/api/orders/", wanted((emma, 1), (kokoro, 1))).json()
    with django_assert_num_queries(4):  # identity with user, count, orders, lines with books
        response = customer.get("/api/orders/")
    assert response.json()["results"] == [second, first]
    assert customer.get(f"/api/orders/{first['id']}/").json() == first


def test_orders_of_others_are_404(customer, emma, reader):
    theirs = place_order(reader, [BasketLine(emma, 1)], agreed_cents=None)
    assert customer.get("/api/orders/").json()["results"] == []
    assert customer.get(f"/api/orders/{theirs.pk}/").status_code == 404
    assert customer.get(f"/api/orders/{10**30}/").status_code == 404


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_order_cannot_be_changed(customer, emma, method):
    order = customer.post("/api/orders/", wanted((emma, 1))).json()
    assert getattr(customer, method)(f"/api/orders/{order['id']}/").status_code == 405


# Who may


@pytest.mark.parametrize("method", ["get", "post"])
def test_anonymous_and_machine_callers_have_no_orders(logto, tenant, emma, method):
    nobody = getattr(Program(), method)("/api/orders/")
    assert (nobody.status_code, nobody.json()["code"]) == (401, "not_authenticated")
    robot = getattr(Program(token_of_robot(logto, "write:books", resource=API)), method)("/api/orders/")
    assert (robot.status_code, robot.json()["code"]) == (403, "permission_denied")


def test_organization_token_is_refused_for_orders(logto, tenant, emma):
    response = Program(token_of_person(logto, "admin", HARBOUR)).get("/api/orders/")
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


def test_deactivated_user_is_refused_at_once(customer, emma):
    customer.post("/api/orders/", wanted((emma, 1)))
    User.objects.update(is_active=False)
    assert customer.get("/api/orders/").status_code == 401


def test_unknown_user_is_refused_without_api_create_users(customer, settings):
    settings.LOGTO_API_CREATE_USERS = False
    response = customer.get("/api/orders/")
    assert (response.status_code, response.json()["code"]) == (403, "account_unknown")
    assert not User.objects.exists()


def test_session_may_place_orders(browser, tenant, emma):
    browser.sign_in("customer")
    browser.client.post("/api/orders/", wanted((emma, 1)), content_type="application/json")
    assert "$12.50" in browser.client.get("/orders/").text
