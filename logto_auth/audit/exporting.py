"""Export events as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import digests
from .models import AuditEvent, in_pages, plain_rows

__all__ = ["export"]

COLUMNS = (
    *("id", "at", "action", "outcome", "actor_id", "actor_sub", "user_id", "user_sub", "organization_id"),
    *("details", "actor_data", "user_data", "digest"),
)


def export(*, since: float | None, until: float | None, unsealed: bool) -> Iterator[str]:
    """Yield a JSON object for each event, without a line break, in the order of the ids.

    `since` and `until` are in seconds since the epoch; the latter is not included. Erased data is null.
    """
    rows = plain_rows(AuditEvent).select_related("seal")
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lt=until)
    if not unsealed:
        rows = rows.filter(seal__isnull=False)
    for event in in_pages(rows):
        values: dict[str, Any] = {name: getattr(event, name) for name in COLUMNS}
        values["seal"] = event.seal.number if event.seal else None
        try:
            yield digests.canonical(values)
        except (TypeError, ValueError):
            # SQL has put something else into a column, such as NaN.
            yield digests.canonical({name: str(value) for name, value in values.items()})
