"""Turning a basket into an order."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.db import router, transaction
from django.db.models import F
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from bookstore.catalog.models import Book

from .basket import MOST_COPIES, BasketLine
from .models import Order, OrderLine

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class CheckoutRefused(Exception):
    """The order was not placed and nothing was changed. The text is for the user, the code for programs."""

    code: str


class NothingOrdered(CheckoutRefused):
    """The order has no lines."""

    code = "empty"

    def __init__(self) -> None:
        super().__init__(_("Your basket is empty."))


class TooManyCopies(CheckoutRefused):
    """The order has more copies of one book than the limit."""

    code = "too_many_copies"

    def __init__(self) -> None:
        super().__init__(_("We sell at most %(most)s copies of a book at once.") % {"most": MOST_COPIES})


class SoldOut(CheckoutRefused):
    """The shop has too few copies of `books`."""

    code = "sold_out"

    def __init__(self, books: Sequence[Book]) -> None:
        titles = get_text_list([_("“%(title)s”") % {"title": book.local_title} for book in books], _("and"))
        super().__init__(_("We do not have enough copies of %(titles)s. Please choose fewer.") % {"titles": titles})
        self.books = books


class PriceChanged(CheckoutRefused):
    """The books now cost `total_cents`, which differs from the total that the user saw."""

    code = "price_changed"

    def __init__(self, total_cents: int) -> None:
        super().__init__(_("A price has changed since you last looked. Please check the new total."))
        self.total_cents = total_cents


def place_order(user: "User", lines: Sequence[BasketLine], *, agreed_cents: int | None) -> Order:
    """Reduce the stock and create the order; raise CheckoutRefused and change nothing if that is not possible.

    `agreed_cents` is the total that the user saw; None accepts any total.

    The books are read again under a lock, always in the same order, to prevent deadlocks between two orders.
    """
    with transaction.atomic(using=router.db_for_write(Order)):
        wanted = {line.book.pk: line.quantity for line in lines}
        if not wanted:
            raise NothingOrdered
        if max(wanted.values()) > MOST_COPIES:
            raise TooManyCopies
        books = Book.objects.select_for_update().filter(pk__in=wanted).order_by("pk")
        by_id = {book.pk: book for book in books}

        gone = [line.book for line in lines if line.book.pk not in by_id]
        short = [book for book in by_id.values() if book.stock < wanted[book.pk]]
        if gone or short:
            raise SoldOut([*gone, *short])
        total_cents = sum(book.price_cents * wanted[book.pk] for book in by_id.values())
        if agreed_cents not in (None, total_cents):
            raise PriceChanged(total_cents)

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
