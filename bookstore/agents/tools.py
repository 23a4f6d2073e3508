"""The three tools of the shop. An agent calls them for the user who has signed in and agreed.

The parameters and results are types of msgspec. django-mcpz makes the schemas from them, and refuses other arguments.
"""

from typing import Annotated

import msgspec
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django_mcpz.server import ToolError

from bookstore.catalog.models import Book
from bookstore.catalog.search import LONGEST_SEARCH, search_words
from bookstore.orders.models import Order

from .server import MCP, server

MOST_BOOKS = 20
MOST_COPIES = 1000
# The largest number that a column of integers holds, and one of identifiers.
MOST_STOCK = 2**31 - 1
LARGEST_NUMBER = 2**63 - 1


# Searching


class Search(msgspec.Struct, forbid_unknown_fields=True):
    words: Annotated[
        str,
        msgspec.Meta(
            max_length=LONGEST_SEARCH,
            description="Words in the title, author or description, in any language; all must match. Empty: all books.",
        ),
    ] = ""


class FoundBook(msgspec.Struct):
    slug: str
    title: str
    author: str
    year: int | None
    price_cents: int
    stock: int


class FoundBooks(msgspec.Struct):
    count: Annotated[int, msgspec.Meta(description=f"How many match. At most {MOST_BOOKS} of them are in `books`.")]
    books: list[FoundBook]


@server.tool(
    title="Search books", description="Search the books of the shop. The result is sorted by title.", read_only=True
)
def search_books(request: HttpRequest, search: Search) -> FoundBooks:
    books = Book.objects.search(search_words({"q": search.words}))
    return FoundBooks(count=books.count(), books=[_found(book) for book in books[:MOST_BOOKS]])


def _found(book: Book) -> FoundBook:
    return FoundBook(book.slug, book.title, book.author, book.year, book.price_cents, book.stock)


# Orders


class OrderNumber(msgspec.Struct, forbid_unknown_fields=True):
    number: Annotated[
        int | None,
        msgspec.Meta(description="The number of one of your orders. Without it, the newest one is read."),
    ] = None


class ReadLine(msgspec.Struct):
    book: str
    title: str
    quantity: int
    price_cents: int


class ReadOrder(msgspec.Struct):
    number: int
    placed_at: str
    total_cents: int
    lines: list[ReadLine]


@server.tool(title="Read an order", description="Read one of the orders of the user.", read_only=True)
@MCP.scope_required("read:orders")
def read_order(request: HttpRequest, wanted: OrderNumber) -> ReadOrder:
    order = _own_order(Order.objects.filter(user=request.user.pk).with_totals(), wanted.number)
    return ReadOrder(
        number=order.pk,
        placed_at=order.placed_at.isoformat(),
        total_cents=order.total_cents,
        lines=[
            ReadLine(line.book.slug, line.book.title, line.quantity, line.price_cents)
            for line in order.lines.select_related("book")
        ],
    )


def _own_order(own: QuerySet[Order], number: int | None) -> Order:
    """Return the order with this number, or the newest one. Raise ToolError, also for an order of another user."""
    if number is None:
        order = own.first()
        fault = _("You have no orders.")
    else:
        # A database refuses a number that no identifier can have.
        order = own.filter(pk=number).first() if 0 < number <= LARGEST_NUMBER else None
        fault = _("You have no order %(number)s.") % {"number": str(number)[:20]}
    if order is None:
        raise ToolError(fault)
    return order


# The stock


class Delivery(msgspec.Struct, forbid_unknown_fields=True):
    book: Annotated[str, msgspec.Meta(max_length=120, description="The slug of a book.")]
    copies: Annotated[int, msgspec.Meta(ge=1, le=MOST_COPIES, description="How many copies are added.")]


class NewStock(msgspec.Struct):
    book: str
    title: str
    stock: int


@server.tool(
    title="Add stock",
    description="Add copies of a book to the stock of the shop.",
    read_only=False,
    destructive=False,
    idempotent=False,
)
@MCP.scope_required("write:stock")
def add_stock(request: HttpRequest, delivery: Delivery) -> NewStock:
    with transaction.atomic():
        book = Book.objects.select_for_update().filter(slug=delivery.book.replace("\0", "")).first()
        if book is None:
            raise ToolError(_("There is no book “%(slug)s”.") % {"slug": delivery.book})
        if book.stock > MOST_STOCK - delivery.copies:
            raise ToolError(_("The stock of “%(title)s” would be too large. Add fewer copies.") % {"title": book.title})
        book.stock += delivery.copies
        book.save(update_fields=["stock"])
    return NewStock(book.slug, book.title, book.stock)
