from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db.models import ProtectedError
from django.test import Client

from bookstore.orders.basket import MOST_COPIES, BasketLine
from bookstore.orders.checkout import NothingOrdered, PriceChanged, SoldOut, place_order
from bookstore.orders.models import Order

from .conftest import signed_in


def add(client, book, quantity=1):
    return client.post(f"/basket/{book.slug}/add/", {"quantity": quantity}, follow=True)


def order(client, agreed_cents):
    return client.post("/checkout/", {"agreed_cents": agreed_cents}, follow=True)


def lines(response) -> list[tuple[str, int]]:
    return [(line.book.title, line.quantity) for line in response.context["lines"]]


# The basket


def test_anonymous_visitor_fills_a_basket(client, emma, kokoro):
    add(client, emma, 2)
    response = add(client, kokoro)
    assert lines(response) == [("Emma", 2), ("Kokoro", 1)]
    assert response.context["total_cents"] == 2 * 1250 + 990
    assert "$34.90" in response.text
    assert "with 3 copies" in response.text


def test_an_empty_basket_says_so(client, db):
    assert "Your basket is empty." in client.get("/basket/").text


def test_basket_quantity_is_limited_by_stock(client, emma):
    add(client, emma, 3)
    response = add(client, emma, 3)
    assert lines(response) == [("Emma", 5)]
    assert "all the copies" in add(client, emma).text


def test_basket_quantity_is_limited_by_the_maximum(client, make_book):
    book = make_book("Emma", stock=100)
    add(client, book, MOST_COPIES)
    assert lines(add(client, book, MOST_COPIES)) == [("Emma", MOST_COPIES)]


def test_sold_out_book_cannot_be_added(client, sold_out):
    response = add(client, sold_out)
    assert lines(response) == []
    assert "has just sold out" in response.text


@pytest.mark.parametrize("quantity", ["", "x", "-1", "10", "1e3"])
def test_invalid_quantity_is_explained(client, emma, quantity):
    response = add(client, emma, quantity)
    assert "Choose a number of copies from 1 to 9." in response.text
    assert lines(client.get("/basket/")) == []


def test_quantity_zero_removes_the_line(client, emma, kokoro):
    add(client, emma)
    add(client, kokoro)
    client.post(f"/basket/{emma.slug}/", {"quantity": 4})
    assert lines(client.get("/basket/")) == [("Emma", 4), ("Kokoro", 1)]
    response = client.post(f"/basket/{emma.slug}/", {"quantity": 0}, follow=True)
    assert lines(response) == [("Kokoro", 1)]
    assert "“Emma” is out of your basket." in response.text


def test_deleted_book_leaves_the_basket(client, emma):
    add(client, emma)
    emma.delete()
    assert lines(client.get("/basket/")) == []


@pytest.mark.parametrize("path", ["/basket/{}/add/", "/basket/{}/"])
def test_basket_changes_need_post_and_csrf_token(client, emma, path):
    path = path.format(emma.slug)
    assert client.get(path).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(path, {"quantity": 1})
    assert response.status_code == 403
    assert "This form has expired" in response.text


def test_missing_books_cannot_be_added(client, db):
    assert client.post("/basket/no-such/add/", {"quantity": 1}).status_code == 404


def test_basket_takes_constant_queries(client, make_book, django_assert_max_num_queries):
    for index in range(8):
        add(client, make_book(f"Book {index}"))
    with django_assert_max_num_queries(3):  # session, books
        client.get("/basket/")


# The checkout


def test_checking_out_asks_to_sign_in_and_comes_back(client, emma):
    add(client, emma)
    assert client.get("/checkout/")["Location"] == "/sign-in?next=/checkout/"
    form = {"Referer": "http://testserver/checkout/"}
    assert client.post("/checkout/", headers=form)["Location"] == "/sign-in?next=/checkout/"
    assert not Order.objects.exists()


def test_the_basket_survives_the_sign_in(client, emma, reader):
    add(client, emma, 2)
    client.force_login(reader, backend="logto_auth.backends.LogtoBackend")
    assert lines(client.get("/checkout/")) == [("Emma", 2)]


def test_an_order_takes_the_copies_and_empties_the_basket(reader_client, reader, emma, kokoro):
    add(reader_client, emma, 2)
    add(reader_client, kokoro)
    response = order(reader_client, 3490)
    placed = Order.objects.with_totals().get()
    assert response.redirect_chain == [(f"/orders/{placed.pk}/", 302)]
    assert "Thank you. Your order is placed." in response.text
    assert (placed.user, placed.total_cents, placed.copies) == (reader, 3490, 3)
    emma.refresh_from_db()
    kokoro.refresh_from_db()
    assert (emma.stock, kokoro.stock) == (3, 4)
    assert lines(reader_client.get("/basket/")) == []


def test_an_empty_basket_cannot_be_ordered(reader_client):
    response = order(reader_client, 0)
    assert "Your basket is empty." in response.text
    assert not Order.objects.exists()


def test_sending_the_order_twice_orders_once(reader_client, emma):
    add(reader_client, emma)
    order(reader_client, 1250)
    order(reader_client, 1250)
    assert Order.objects.count() == 1


def test_sold_out_book_is_named_and_not_ordered(reader_client, emma, kokoro):
    add(reader_client, emma, 2)
    add(reader_client, kokoro)
    type(emma).objects.filter(pk=emma.pk).update(stock=1)
    response = order(reader_client, 3490)
    assert response.redirect_chain == [("/basket/", 302)]
    assert "We do not have enough copies of “Emma”." in response.text
    assert "Only 1 copy is left" in response.text
    assert "To the checkout" not in response.text
    kokoro.refresh_from_db()
    assert kokoro.stock == 5
    assert not Order.objects.exists()


def test_changed_price_is_shown_before_ordering(reader_client, emma):
    add(reader_client, emma)
    type(emma).objects.filter(pk=emma.pk).update(price_cents=9900)
    response = order(reader_client, 1250)
    assert response.redirect_chain == [("/checkout/", 302)]
    assert "A price has changed" in response.text
    assert "$99.00" in response.text
    assert not Order.objects.exists()


def test_order_above_the_copy_limit_is_refused(reader_client, make_book):
    """As a basket may hold that was filled before the shop sold fewer."""
    book = make_book("Emma", stock=100)
    session = reader_client.session
    session["basket"] = {str(book.pk): MOST_COPIES + 1}
    session.save()
    response = order(reader_client, 12500)
    assert response.redirect_chain == [("/basket/", 302)]
    assert "We sell at most 9 copies of a book at once." in response.text
    assert not Order.objects.exists()


def test_empty_order_is_refused(reader):
    with pytest.raises(NothingOrdered):
        place_order(reader, [], agreed_cents=0)


def test_placing_an_order_reads_the_books_again(reader, emma):
    """The copies in hand may be old: what counts is what the database says under the lock."""
    stale = BasketLine(emma, 2)
    type(emma).objects.filter(pk=emma.pk).update(stock=1)
    with pytest.raises(SoldOut, match="Emma"):
        place_order(reader, [stale], agreed_cents=2500)
    type(emma).objects.filter(pk=emma.pk).update(stock=5, price_cents=1)
    with pytest.raises(PriceChanged):
        place_order(reader, [stale], agreed_cents=2500)
    emma.delete()
    with pytest.raises(SoldOut, match="Emma"):
        place_order(reader, [stale], agreed_cents=2500)


# Orders


def test_order_keeps_its_price(reader_client, reader, emma):
    placed = place_order(reader, [BasketLine(emma, 2)], agreed_cents=2500)
    emma.price_cents = 9900
    emma.save()
    assert "$25.00" in reader_client.get(placed.get_absolute_url()).text


def test_users_see_only_their_own_orders(reader_client, reader, emma):
    mine = place_order(reader, [BasketLine(emma, 1)], agreed_cents=1250)
    someone = User.objects.create_user("someone")
    theirs = place_order(someone, [BasketLine(emma, 1)], agreed_cents=1250)
    response = reader_client.get("/orders/")
    assert list(response.context["orders"]) == [mine]
    assert reader_client.get(theirs.get_absolute_url()).status_code == 404
    assert signed_in(someone).get(theirs.get_absolute_url()).status_code == 200


@pytest.mark.parametrize("path", ["/orders/", "/orders/1/"])
def test_orders_ask_to_sign_in(client, db, path):
    assert client.get(path)["Location"] == f"/sign-in?next={path}"


def test_orders_are_newest_first_with_constant_queries(reader_client, reader, emma, kokoro, django_assert_num_queries):
    first = place_order(reader, [BasketLine(emma, 1)], agreed_cents=1250)
    second = place_order(reader, [BasketLine(emma, 1), BasketLine(kokoro, 1)], agreed_cents=2240)
    with django_assert_num_queries(7):  # session, user, 2 for permissions, count, orders, lines with books
        response = reader_client.get("/orders/")
    assert list(response.context["orders"]) == [second, first]


def test_order_list_without_orders(reader_client):
    assert "You have not ordered anything yet." in reader_client.get("/orders/").text


def test_a_book_that_was_ordered_cannot_be_deleted(reader, emma):
    place_order(reader, [BasketLine(emma, 1)], agreed_cents=1250)
    with pytest.raises(ProtectedError):
        emma.delete()
