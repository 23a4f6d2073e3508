"""Verify the audit trail: find what was changed with SQL, without the key."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import models
from django.db.models import Count, Exists, OuterRef

from . import digests
from .erasing import is_erased
from .models import AuditEvent, AuditSeal, in_pages, plain_rows
from .sealing import Contents

__all__ = ["Verification"]


class Verification:
    """One run. `problems()` looks at each row once, with one page of them in memory."""

    def __init__(self, *, expected: tuple[int, str] | None = None) -> None:
        """`expected` is the number and the digest of a seal that were kept elsewhere."""
        self.expected = expected
        self.sealed = self.unsealed = self.seals = self.pruned_seals = 0
        self.last: AuditSeal | None = None

    def problems(self) -> Iterator[str]:
        """Yield a sentence for each problem."""
        found_expected = self.expected is None
        for seal in in_pages(plain_rows(AuditSeal), "number"):
            yield from self._chain_problems(seal)
            yield from batch_problems(seal)
            self.seals += 1
            self.pruned_seals += bool(seal.pruned)
            self.sealed += 0 if seal.pruned else seal.count
            self.last = seal
            found_expected = found_expected or self.expected == (seal.number, seal.digest)
        if not found_expected and self.expected:
            yield f"Seal {self.expected[0]} is not the expected one: the chain was rewritten, or its end was cut off."
        for event in in_pages(plain_rows(AuditEvent).filter(seal=None)):
            yield from event_problems(event)
            self.unsealed += 1
        yield from _stray_events()

    def _chain_problems(self, seal: AuditSeal) -> Iterator[str]:
        number, digest = (self.last.number, self.last.digest) if self.last else (0, "")
        if seal.number != number + 1:
            yield f"Seal {number + 1} is missing: the next one is number {seal.number}."
        elif seal.previous != digest:
            place = f"does not continue seal {number}" if number else "is not the beginning of the chain"
            yield f"Seal {seal.number} {place}: it was exchanged."
        if not digests.is_digest_of(digests.SEAL, seal.digested(), seal.digest):
            yield f"Seal {seal.number} was edited."


def batch_problems(seal: AuditSeal) -> Iterator[str]:
    """Yield a sentence for each problem of the events of a seal."""
    contents = Contents()
    for event in in_pages(plain_rows(AuditEvent).filter(seal=seal)):
        yield from event_problems(event)
        contents.add(event.pk, event.digest)
    if not seal.pruned and contents.count != seal.count:
        # Perhaps only now: `prune` may run at the same time.
        now = plain_rows(AuditSeal).get(pk=seal.pk)
        if _is_pruned(now):
            seal.pruned = now.pruned
            return
    if seal.pruned:
        if contents.count:
            yield f"Seal {seal.number} is marked as pruned, but it has events: {contents.count}."
        if not _is_pruned(seal):
            yield f"The events of seal {seal.number} are missing: they were deleted, but not by logto_audit prune."
    elif contents.count != seal.count:
        yield f"Seal {seal.number} has {contents.count} events instead of {seal.count}."
    elif contents.digest() != seal.contents:
        yield f"Seal {seal.number} has other events than those that were sealed."


def _is_pruned(seal: AuditSeal) -> bool:
    return digests.is_digest_of(digests.PRUNING, {"seal": seal.digest}, seal.pruned)


def event_problems(event: AuditEvent) -> Iterator[str]:
    """Yield a sentence for each problem of one event."""
    if not digests.is_digest_of(digests.EVENT, event.digested(), event.digest):
        yield f"Event {event.pk} was edited."
    for part, text, digest, key in (
        ("actor", event.actor_json, event.actor_digest, event.actor_key),
        ("user", event.user_json, event.user_digest, event.user_key),
    ):
        if digests.sha256(str(text)) != digest and not is_erased(text, key, event.pk):
            yield f"The personal data of the {part} of event {event.pk} was changed, but not by logto_audit erase."


def _stray_events() -> Iterator[str]:
    """Yield a sentence for each event of a seal that does not exist, or whose digest another one has too.

    An attacker who can drop constraints can make them.
    """
    rows = plain_rows(AuditEvent).order_by()
    seals = plain_rows(AuditSeal).filter(pk=OuterRef("seal_id"))
    for event in in_pages(rows.filter(~Exists(seals), seal__isnull=False)):
        yield f"Event {event.pk} was sealed, and its seal is missing."
    copies: models.QuerySet[AuditEvent, str]
    copies = rows.values("digest").annotate(rows=Count("pk")).filter(rows__gt=1).values_list("digest", flat=True)
    for digest in copies:
        ids = ", ".join(str(id) for id in rows.filter(digest=digest).order_by("pk").values_list("pk", flat=True))
        yield f"These events are copies of one: {ids}."
