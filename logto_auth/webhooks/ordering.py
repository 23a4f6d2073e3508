"""Newer wins: what a webhook told late, or out of order, undoes nothing that was told of the same thing since.

People who are shut out keep that time in their own row (`standing`); everything else has a `WebhookMark`, also what has
no row any more, such as a membership that has ended (decision 0015).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils.timezone import now

from logto_auth.conf import conf
from logto_auth.models import WebhookMark, make_digest

# Marks are needed for as long as something older may still come: from Logto, or from a queue of the site's.
KEPT_FOR = timedelta(days=7)


def claim_newest(subjects: Iterable[str], at: datetime) -> frozenset[str]:
    """Those of `subjects` of which nothing newer than `at` has been told; they are as told `at` from now on.

    To be called in a transaction, together with what is done about them: nobody else is told that they are newest
    until it ends. Three queries, however many there are.
    """
    by_digest = {make_digest(conf.issuer, subject): subject for subject in subjects}
    if not by_digest:
        return frozenset()
    # In one order for everyone, so that no two wait for each other. An INSERT first: that is a lock on SQLite too.
    WebhookMark.objects.bulk_create(
        [WebhookMark(digest=digest, at=at) for digest in sorted(by_digest)], ignore_conflicts=True
    )
    marks = WebhookMark.objects.filter(digest__in=by_digest, at__lte=at).order_by("digest")
    newest = list(marks.select_for_update().values_list("digest", flat=True))
    WebhookMark.objects.filter(digest__in=newest).update(at=at)
    return frozenset(by_digest[digest] for digest in newest)


def has_newer_event(subject: str, at: datetime) -> bool:
    """Whether `subject` has been told of later than `at`."""
    return bool(WebhookMark.objects.filter(digest=make_digest(conf.issuer, subject), at__gt=at).exists())


def delete_old_marks() -> int:
    """Delete the marks that nothing older can come for any more; returns how many there were."""
    kept_for = max(KEPT_FOR, 2 * timedelta(seconds=conf.webhook_max_age_seconds))
    deleted, _ = WebhookMark.objects.filter(at__lt=now() - kept_for).delete()
    return int(deleted)
