"""Load the catalogue of the shop from JSON into the database."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connections, models, router, transaction

from .models import Book, Category

CATALOGUE = Path(__file__).parent / "data" / "books.json"
"""The categories, the books, and `year_sources`: by the address of a source, the books whose year it confirms.

A novel that came out in parts first has the year of its first edition as a book. An approximate year may be a few years
from that of the source. A book whose year no source confirms has none. The data of `greatest-books-dashboard` has
only the last two digits of a year; where it is the source, these agree.
"""

TRANSLATED = ("title_", "author_", "description_", "other_names")


class Loaded(NamedTuple):
    added: int
    """New books."""
    kept: int
    """Books that existed already."""


def load_catalogue(*, reset: bool = False) -> Loaded:
    """Add the categories and books that are missing.

    Existing rows keep the changes of editors, unless `reset` restores texts, prices and stock.
    """
    catalogue = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    with transaction.atomic(using=router.db_for_write(Book)):
        _insert(
            Category,
            [Category(position=position, **entry) for position, entry in enumerate(catalogue["categories"], start=1)],
            reset=reset,
        )
        shelf = {category.slug: category for category in Category.objects.all()}
        books = [Book(**{**entry, "category": shelf[entry["category"]]}) for entry in catalogue["books"]]
        for book in books:
            book.complete()

        count_before = Book.objects.count()
        _insert(Book, books, reset=reset)
        added = Book.objects.count() - count_before
        _translate(books)
    return Loaded(added=added, kept=len(books) - added)


def _translate(loaded: list[Book]) -> None:
    """Give translations to the books that have none: those of a database from before the shop had translations."""
    written = [field.name for field in Book._meta.concrete_fields if field.name.startswith(TRANSLATED)]
    by_slug = {book.slug: book for book in loaded}
    untranslated = list(Book.objects.filter(slug__in=by_slug, title_ja="", title_zh_hans=""))
    for book in untranslated:
        for name in written:
            setattr(book, name, getattr(by_slug[book.slug], name))
        book.complete()
    Book.objects.bulk_update(untranslated, [*written, "sort_title", "sort_author", "search_text"])


def _insert(model: type[models.Model], rows: list[Any], *, reset: bool) -> None:
    """Insert the rows whose slug is new; with `reset`, overwrite the others."""
    if not reset:
        model._default_manager.bulk_create(rows, ignore_conflicts=True)
        return
    written = [field.name for field in model._meta.concrete_fields if field.name not in ("id", "slug", "added_at")]
    # MariaDB finds the conflict itself, and takes no name.
    names_conflict = connections[router.db_for_write(model)].features.supports_update_conflicts_with_target
    model._default_manager.bulk_create(
        rows, update_conflicts=True, unique_fields=["slug"] if names_conflict else None, update_fields=written
    )
