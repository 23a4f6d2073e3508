"""The basket: book ids and quantities in the session, also for visitors who are not signed in."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.sessions.backends.base import SessionBase

from bookstore.catalog.models import Book

SESSION_KEY = "basket"
MOST_COPIES = 9
"""The limit for one book in one order."""


@dataclass(frozen=True)
class BasketLine:
    book: Book
    quantity: int

    @property
    def total_cents(self) -> int:
        return self.quantity * self.book.price_cents

    @property
    def is_short(self) -> bool:
        """Whether the shop has fewer copies than the basket."""
        return self.quantity > self.book.stock


class Basket:
    def __init__(self, session: SessionBase) -> None:
        self._session = session

    @property
    def _quantities(self) -> dict[str, int]:
        return self._session.get(SESSION_KEY, {})

    def __len__(self) -> int:
        """Return the number of copies in the basket."""
        return sum(self._quantities.values())

    def __iter__(self) -> Iterator[BasketLine]:
        """Yield the lines in the order they were added, without books that are no longer sold."""
        quantities = self._quantities
        books = Book.objects.select_related("category").in_bulk([int(key) for key in quantities])
        for key, quantity in quantities.items():
            if book := books.get(int(key)):
                yield BasketLine(book, quantity)

    def add(self, book: Book, quantity: int = 1) -> int:
        """Add copies, up to the stock and the limit; return how many are in the basket now."""
        wanted = self._quantities.get(str(book.pk), 0) + quantity
        return self.set(book, wanted)

    def set(self, book: Book, quantity: int) -> int:
        """Set the number of copies, up to the stock and the limit; 0 removes the book. Return the number."""
        kept = max(0, min(quantity, book.stock, MOST_COPIES))
        quantities = {**self._quantities, str(book.pk): kept}
        if not kept:
            del quantities[str(book.pk)]
        self._session[SESSION_KEY] = quantities
        return kept

    def clear(self) -> None:
        self._session.pop(SESSION_KEY, None)
