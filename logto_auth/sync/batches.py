"""Pages put together: Logto sends a hundred rows at most, and a database likes to be told of more at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

PAGES = 10


def in_batches(pages: Iterable[list[Any]]) -> Iterator[tuple[int, list[Any]]]:
    """The rows of ten pages at a time, or of what is left, each with how many pages they were."""
    number = 0
    rows: list[Any] = []
    for page in pages:
        number, rows = number + 1, [*rows, *page]
        if number == PAGES:
            yield number, rows
            number, rows = 0, []
    if rows:
        yield number, rows
