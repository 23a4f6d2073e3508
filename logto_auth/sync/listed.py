"""Which users a run has listed: all have an identity that it has marked, or a note."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable
from typing import Any

from logto_auth.models import LogtoIdentity, SyncNote, SyncRun

# In place of an organization in the note of a listed user who has no account. The digest of the note is the user's id.
WITHOUT_ACCOUNT = "without account"
BUCKETS = 16


def mark_listed(run: SyncRun, subs: Collection[str]) -> None:
    """Store that these users were listed. At most three queries. Call it in a transaction, after they are written."""
    identities = LogtoIdentity.objects.for_subs(run.issuer, subs)
    identities.update(seen_in_run=run.pk)
    if not run.creates_users:
        # Only such a run compares the number of listed users with that of Logto.
        return
    with_account = set(identities.values_list("sub", flat=True))
    SyncNote.objects.bulk_create(
        [SyncNote(run=run, digest=sub[:64], organization=WITHOUT_ACCOUNT) for sub in set(subs) - with_account]
    )


def listed_before(run: SyncRun, subs: Collection[str]) -> set[str]:
    """Return those of these users that the run has listed before: some are on two pages. At most two queries."""
    identities = LogtoIdentity.objects.for_subs(run.issuer, subs).filter(seen_in_run=run.pk)
    known = set(identities.values_list("sub", flat=True))
    if run.creates_users:
        notes = _without_account(run).filter(digest__in=[sub[:64] for sub in subs]).values_list("digest", flat=True)
        noted = set(notes)
        known |= {sub for sub in subs if sub[:64] in noted}
    return known


def count_listed(run: SyncRun) -> int:
    """Return how many users a run with `creates_users` has listed. Two queries."""
    identities: int = LogtoIdentity.objects.filter(issuer=run.issuer, seen_in_run=run.pk).count()
    return identities + int(_without_account(run).values("digest").distinct().count())


def _without_account(run: SyncRun) -> Any:
    return SyncNote.objects.filter(run=run, organization=WITHOUT_ACCOUNT)


class Distinct:
    """Count the different ids among many, with 8 bytes for each."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def __len__(self) -> int:
        """Return how many ids were added, with repetitions."""
        return len(self._hashes)

    def add(self, ids: Iterable[str]) -> None:
        """Add ids."""
        self._hashes.extend(map(hash, ids))

    def count(self) -> int:
        """Return the number of different ids. They are counted in parts, because one set takes much memory."""
        return sum(len({each for each in self._hashes if each % BUCKETS == part}) for part in range(BUCKETS))
