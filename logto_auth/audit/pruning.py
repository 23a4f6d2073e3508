"""Delete old events. Their seals stay, so the chain can still be verified."""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.db.models import Exists, OuterRef, QuerySet

from logto_auth.transactions import atomic

from . import digests
from .models import AuditEvent, AuditSeal, in_pages, plain_rows
from .verifying import batch_problems

__all__ = ["Damaged", "old_seals", "prune"]

SECONDS_PER_DAY = 24 * 3600


class Damaged(Exception):
    """A seal has a problem, which pruning would hide. The text says which."""


def old_seals(*, keep_days: int) -> QuerySet[AuditSeal]:
    """Return the seals all of whose events are older than `keep_days`."""
    kept = plain_rows(AuditEvent).filter(seal=OuterRef("pk"), at__gte=time.time() - keep_days * SECONDS_PER_DAY)
    seals: QuerySet[AuditSeal] = plain_rows(AuditSeal).filter(~Exists(kept), pruned="")
    return seals


def prune(seals: QuerySet[AuditSeal], *, also_damaged: bool = False) -> Iterator[AuditSeal]:
    """Delete the events of `seals`, and yield each seal. Raise Damaged before the first one with a problem."""
    for seal in in_pages(seals, "number"):
        problem = next(batch_problems(seal), None)
        if problem and not also_damaged:
            raise Damaged(problem)
        proof = digests.digest_of(digests.PRUNING, {"seal": seal.digest})
        with atomic():
            # Another process may prune it, too.
            is_ours = plain_rows(AuditSeal).filter(pk=seal.pk, pruned="").update(pruned=proof)
            if is_ours:
                plain_rows(AuditEvent).filter(seal=seal).delete()
        if is_ours:
            yield seal
