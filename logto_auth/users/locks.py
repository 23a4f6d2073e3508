"""A lock while the state at Logto is read and then changed, so that two requests of this site do so in turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from logto_auth.models import LogtoIdentity, RowQuerySet
from logto_auth.transactions import atomic

__all__ = ["rows_locked", "user_locked"]


@contextmanager
def user_locked(issuer: str, sub: str) -> Iterator[None]:
    """Lock the row of a user, if there is one, during a block that calls Logto."""
    with rows_locked(LogtoIdentity.objects.for_sub(issuer, sub), issuer=issuer):
        yield


@contextmanager
def rows_locked(rows: RowQuerySet[Any], **unchanged: str) -> Iterator[None]:
    """Lock `rows` during a block. `unchanged` is a field with the value that it has already."""
    with atomic():
        if connections[rows.db].features.has_select_for_update:
            rows.lock()
        else:
            # SQLite has no lock of a row. The first change of a transaction locks the database.
            rows.update(**unchanged)
        yield
