"""Users and organizations of a former issuer: the same tenant under another name, such as before a custom domain."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import IntegrityError, models

from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity, Organization, make_digest

__all__ = ["KEY_FIELDS", "move_rows"]

Row = TypeVar("Row", bound=models.Model)

# The models with rows of an issuer, and the field with the key of a row there.
KEY_FIELDS: dict[type[Any], str] = {LogtoIdentity: "sub", Organization: "logto_id"}
BATCH_SIZE = 1000


def move_rows(model: type[Row], *, is_dry: bool = False) -> tuple[int, list[Row]]:
    """Give the rows of `LOGTO_FORMER_ENDPOINTS` the issuer of `LOGTO_ENDPOINT`.

    Return how many were moved, and the rows that were not, because there is a row of the same user or organization at
    the new issuer. Each batch is stored at once, so a run that was interrupted can be repeated.
    """
    rows: models.QuerySet[Row] = model._default_manager.filter(issuer__in=conf.former_issuers).order_by("pk")
    not_moved: list[Row] = []
    moved = last_key = 0
    while batch := list(rows.filter(pk__gt=last_key)[:BATCH_SIZE]):
        movable, unmovable = _renamed(model, batch)
        try:
            if not is_dry:
                model._default_manager.bulk_update(movable, ["issuer", "digest"])
        except IntegrityError:
            continue  # a user has just signed in, and has a row at the new issuer now
        moved, not_moved, last_key = moved + len(movable), not_moved + unmovable, batch[-1].pk
    return moved, not_moved


def _renamed(model: type[Row], batch: list[Row]) -> tuple[list[Row], list[Row]]:
    """Return the rows with the new issuer and digest, and those that would be there twice."""
    digests = {row.pk: make_digest(conf.issuer, getattr(row, KEY_FIELDS[model])) for row in batch}
    known = model._default_manager.filter(digest__in=digests.values())
    taken = set(known.values_list("digest", flat=True))
    movable, unmovable = [], []
    for row in batch:
        digest = digests[row.pk]
        if digest in taken:
            unmovable.append(row)
            continue
        taken.add(digest)
        row.issuer, row.digest = conf.issuer, digest  # type: ignore[attr-defined]
        movable.append(row)
    return movable, unmovable
