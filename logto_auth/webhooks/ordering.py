"""Ignore stale webhooks: an older event never overrides a newer one for the same object.

The time of the newest event is stored in a `WebhookMark`, also for objects that have no row any more, such as a
membership that has ended (decision 0015). The status of a user has its time in the identity: see `users.suspension`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from django.db import connections

from logto_auth.conf import conf
from logto_auth.models import WebhookMark, make_digest
from logto_auth.transactions import database

# A mark is needed as long as older events may arrive, from Logto or from a task queue of the site.
KEPT_FOR_SECONDS = 7 * 24 * 3600


def membership_subject(organization_id: str, sub: str) -> str:
    """Return the subject of events that say whether a user belongs to an organization."""
    return f"membership:{organization_id}:{sub}"


def name_subject(organization_id: str) -> str:
    """Return the subject of events that say how an organization is named."""
    return f"organization:{organization_id}"


def deletion_subject(organization_id: str) -> str:
    """Return the subject of the event that an organization was deleted."""
    return f"organization:{organization_id}:end"


def claim_newest(subjects: Iterable[str], at: float) -> frozenset[str]:
    """Return those of `subjects` that have no event newer than `at`, in seconds at Logto, and mark them with it.

    Call it in the transaction that applies the event: other processes wait for its end. Three queries for any number of
    subjects.
    """
    by_digest = {make_digest(conf.issuer, subject): subject for subject in subjects}
    if not by_digest:
        return frozenset()
    _lock_marks(sorted(by_digest), at)
    times = WebhookMark.objects.filter(digest__in=by_digest).select_for_update().values_list("digest", "at")
    newest = [digest for digest, marked_at in times if marked_at <= at]
    WebhookMark.objects.filter(digest__in=newest).update(at=at)
    return frozenset(by_digest[digest] for digest in newest)


def _lock_marks(digests: Sequence[str], at: float) -> None:
    """Create the missing marks and lock all, in this order, so that no two processes wait for each other.

    An existing mark is overwritten with itself: an INSERT that ignores it would take only a shared lock on MariaDB.
    """
    features = connections[database()].features
    WebhookMark.objects.bulk_create(
        [WebhookMark(digest=digest, at=at) for digest in digests],
        update_conflicts=True,
        update_fields=["digest"],
        unique_fields=["digest"] if features.supports_update_conflicts_with_target else None,
    )


def has_newer_event(subject: str, at: float) -> bool:
    """Return whether `subject` has an event newer than `at`."""
    return bool(WebhookMark.objects.filter(digest=make_digest(conf.issuer, subject), at__gt=at).exists())


def delete_old_marks() -> int:
    """Delete the marks that are not needed any more, and return their number."""
    kept_for_seconds = max(KEPT_FOR_SECONDS, 2 * conf.webhook_max_age_seconds)
    deleted, _ = WebhookMark.objects.filter(at__lt=time.time() - kept_for_seconds).delete()
    return int(deleted)
