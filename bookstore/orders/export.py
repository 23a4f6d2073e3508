"""All orders of the shop as a CSV file, for its accounts."""

import csv
from collections.abc import Iterator
from typing import IO

from .models import Order, OrderLine

HEADINGS = ("order", "placed", "reader", "email", "title", "author", "copies", "price each")

# A spreadsheet takes a cell that begins with one of these characters for a formula. Readers choose their own names.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(file: IO[str]) -> None:
    """Write a line for each book of each order, the newest order first."""
    writer = csv.writer(file)
    writer.writerow(HEADINGS)
    writer.writerows([_text(cell) for cell in row] for row in _rows())


def _rows() -> Iterator[tuple[object, ...]]:
    lines = OrderLine.objects.select_related("order__user", "book")
    for line in lines.order_by("-order__placed_at", "-order", "pk").iterator():
        yield (*_order(line.order), line.book.title, line.book.author, line.quantity, f"{line.price_cents / 100:.2f}")


def _order(order: Order) -> tuple[object, ...]:
    reader = order.user  # None if the reader has deleted the account
    name, email = (reader.get_username(), reader.email) if reader else ("", "")
    return order.pk, order.placed_at.isoformat(timespec="seconds"), name, email


def _text(cell: object) -> str:
    text = str(cell)
    return f"'{text}" if text.startswith(FORMULA) else text
