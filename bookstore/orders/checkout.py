"""Turning a basket into an order."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F

from bookstore.catalog.models import Book

from .basket import BasketLine
from .models import Order, OrderLine

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class CheckoutRefused(Exception):
    """The order was not placed, and nothing was changed."""


class SoldOut(CheckoutRefused):
    """There are fewer copies than were wanted of the books in `books`."""

    def __init__(self, books: Sequence[Book]) -> None:
        super().__init__(", ".join(book.title for book in books))
        self.books = books


class PriceChanged(CheckoutRefused):
    """The books cost something else than what the reader agreed to."""


@transaction.atomic
def place_order(user: "User", lines: Sequence[BasketLine], *, agreed_cents: int) -> Order:
    """Take the copies from the shelves and write the order, or raise CheckoutRefused and do neither.

    The books are read again under a lock, always in the same order, so that two readers
    who want the last copy are served one after the other and never wait for each other in a circle.
    """
    wanted = {line.book.pk: line.quantity for line in lines}
    books = Book.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
    by_id = {book.pk: book for book in books}

    gone = [line.book for line in lines if line.book.pk not in by_id]
    short = [book for book in by_id.values() if book.stock < wanted[book.pk]]
    if gone or short:
        raise SoldOut([*gone, *short])
    if sum(book.price_cents * wanted[book.pk] for book in by_id.values()) != agreed_cents:
        raise PriceChanged

    order = Order.objects.create(user=user)
    OrderLine.objects.bulk_create(
        OrderLine(order=order, book=by_id[pk], quantity=quantity, price_cents=by_id[pk].price_cents)
        for pk, quantity in wanted.items()
    )
    for pk, quantity in wanted.items():
        # The condition repeats the check for databases without row locks (SQLite).
        if not Book.objects.filter(pk=pk, stock__gte=quantity).update(stock=F("stock") - quantity):
            raise SoldOut([by_id[pk]])
    return order
