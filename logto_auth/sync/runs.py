"""Runs: start one, resume one that was interrupted, end it.

What was listed at Logto is stored in the database rather than in memory. A site may have a million users, several
processes may share the work, and another machine may resume a run that was killed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.utils.timezone import now

from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError
from logto_auth.models import SyncNote, SyncRun, atomic

from .report import Report

# Older lists differ too much from what Logto has now.
RESUMABLE_FOR = timedelta(hours=12)
ROLES, ORGANIZATIONS, USERS, UNLISTED = STAGES = ("roles", "organizations", "users", "unlisted")
# Logto sends at most a hundred rows a page; a database is faster with more at once.
PAGES_PER_BATCH = 10


class RunEnded(LogtoError):
    """Another process has ended the run and deleted its lists, so this process cannot use them."""

    code = "sync_run_ended"


class NotListed(LogtoError):
    """Roles and organizations are not all listed yet: a user who is not in the lists may still have some."""

    code = "sync_not_listed"


def start_or_resume(*, creates_users: bool = False, is_dry: bool = False, restart: bool = False) -> SyncRun:
    """Return the interrupted run of this kind, or a new one. With `restart` it is always a new one."""
    run = None if restart else find_resumable(creates_users=creates_users, is_dry=is_dry)
    if run is not None:
        return run
    for old in SyncRun.objects.filter(issuer=conf.issuer, finished_at=None, creates_users=creates_users, is_dry=is_dry):
        end(old)
    run = SyncRun(issuer=conf.issuer, creates_users=creates_users, is_dry=is_dry, position={"stage": ROLES})
    run.save()
    return run


def find_resumable(*, creates_users: bool = False, is_dry: bool = False) -> SyncRun | None:
    """Return the run of this kind that was started in the last 12 hours and has not ended; None if there is none."""
    runs = SyncRun.objects.filter(issuer=conf.issuer, finished_at=None, started_at__gt=now() - RESUMABLE_FOR)
    run: SyncRun | None = runs.filter(creates_users=creates_users, is_dry=is_dry).order_by("-started_at").first()
    return run


def end(run: SyncRun) -> None:
    """End the run and delete its lists, in one transaction."""
    with atomic():
        SyncRun.objects.filter(pk=run.pk).update(finished_at=now())
        SyncNote.objects.filter(run=run).delete()


def check_open(run: SyncRun) -> None:
    """Raise RunEnded if the run has ended, because then the lists that were just read may be incomplete."""
    if not SyncRun.objects.filter(pk=run.pk, finished_at=None).exists():
        raise _ended(run)


def check_listed(run: SyncRun) -> None:
    """Raise NotListed unless all roles and organizations have been listed."""
    if not is_past(run, ORGANIZATIONS):
        raise NotListed(f"The run of {run} has not listed all roles and organizations yet. Finish that first.")


def advance(run: SyncRun, stage: str, report: Report, **position: Any) -> None:
    """Store the position of the run. Call it in the transaction of the work that was done. Raise RunEnded."""
    run.position = {"stage": stage, **position}
    counts = dict(report.counts)
    if not SyncRun.objects.filter(pk=run.pk, finished_at=None).update(position=run.position, counts=counts):
        raise _ended(run)


def is_past(run: SyncRun, stage: str) -> bool:
    """Return whether the run has finished `stage`."""
    return STAGES.index(run.position["stage"]) > STAGES.index(stage)


def position_in(run: SyncRun, stage: str) -> dict[str, Any]:
    """Return the position of the run within `stage`; empty at its beginning."""
    return run.position if run.position["stage"] == stage else {}


def in_batches(pages: Iterable[list[Any]]) -> Iterator[tuple[int, list[Any]]]:
    """Return the rows of up to ten pages at a time, each with the number of pages."""
    number = 0
    rows: list[Any] = []
    for page in pages:
        number, rows = number + 1, [*rows, *page]
        if number == PAGES_PER_BATCH:
            yield number, rows
            number, rows = 0, []
    if rows:
        yield number, rows


def _ended(run: SyncRun) -> RunEnded:
    return RunEnded(f"The run of {run} was ended by another process. Start again.")
