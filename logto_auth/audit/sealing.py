"""Seal events: chain them in batches, after they were recorded.

A row that came with the event would need the digest of the former one, and sign-ins would wait for each other.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator

from django.db import IntegrityError

from logto_auth.transactions import atomic, repeat_after_deadlock

from . import digests
from .models import SECONDS_PER_HOUR, AuditEvent, AuditSeal, RefusedSignIns, in_pages, plain_rows
from .recording import build_event, send_recorded

__all__ = ["BATCH_SIZE", "Contents", "record_refused_sign_ins", "seal_events"]

BATCH_SIZE = 10_000


class Contents:
    """The SHA-256 over the ids and digests of a batch, in the order of the ids."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.count = 0

    def add(self, id: int, digest: str) -> None:
        """Add the next event."""
        self._hash.update(f"{id}:{digest}\n".encode())
        self.count += 1

    def digest(self) -> str:
        """Return the SHA-256 of what was added: 64 hexadecimal characters."""
        return self._hash.hexdigest()


def seal_events(*, delay: float, batch_size: int = BATCH_SIZE) -> Iterator[AuditSeal]:
    """Seal all events that are older than `delay` seconds, and yield each new seal.

    An event of a transaction that ends later is sealed by a later call, whatever its id is. If another process seals
    at the same time, this one stops: the other one goes on.
    """
    until = time.time() - delay
    while seal := repeat_after_deadlock(lambda: _seal_batch(until, batch_size)):
        yield seal


def _seal_batch(until: float, size: int) -> AuditSeal | None:
    """Seal the next events. Return None if there are none, or if another process has sealed them."""
    # Before the events: if another process seals them meanwhile, it takes the number.
    last = plain_rows(AuditSeal).order_by("number").last()
    unsealed = plain_rows(AuditEvent).filter(seal=None, at__lte=until).order_by("pk")
    batch = list(unsealed.values_list("pk", "digest")[:size])
    if not batch:
        return None
    contents = Contents()
    for id, digest in batch:
        contents.add(id, digest)
    seal = AuditSeal(
        number=last.number + 1 if last else 1,
        sealed_at=round(time.time(), 3),
        first_id=batch[0][0],
        last_id=batch[-1][0],
        count=contents.count,
        contents=contents.digest(),
        previous=last.digest if last else "",
    )
    seal.digest = digests.digest_of(digests.SEAL, seal.digested())
    try:
        with atomic():
            # The number is unique, so of two processes only one goes on.
            plain_rows(AuditSeal).bulk_create([seal])
            seal = plain_rows(AuditSeal).get(number=seal.number)
            plain_rows(AuditEvent).filter(pk__in=[id for id, _ in batch], seal=None).update(seal=seal)
    except IntegrityError:
        return None
    return seal


def record_refused_sign_ins() -> int:
    """Turn the counters of hours that are over into events; return how many."""
    this_hour = int(time.time() // SECONDS_PER_HOUR)
    recorded = 0
    for row in in_pages(plain_rows(RefusedSignIns).filter(hour__lt=this_hour)):
        details = {"code": row.code, "count": row.count, "since": row.hour * SECONDS_PER_HOUR}
        event = build_event("sign_ins_refused", outcome="refused", details=details)
        with atomic():
            # Another process may have recorded it, or counted one more.
            deleted, _ = plain_rows(RefusedSignIns).filter(pk=row.pk, count=row.count).delete()
            if deleted:
                AuditEvent.objects.record([event])
        if deleted:
            send_recorded([event])
            recorded += 1
    return recorded
