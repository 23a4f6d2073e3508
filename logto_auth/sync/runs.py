"""Runs: start one, resume one that was interrupted, end it.

What was listed at Logto is stored in the database rather than in memory. A site may have a million users, several
processes may share the work, and another machine may resume a run that was killed.

One process at a time moves a run on: its holder. `turn` changes with the holder, so a process that was believed dead
cannot go on beside its successor (decision 0032). Pages of users are synced by any number of processes.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import F, Q, QuerySet
from django.utils.timezone import now

from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError
from logto_auth.models import SyncNote, SyncPart, SyncRun, make_digest
from logto_auth.transactions import atomic, database

from .report import Report

logger = logging.getLogger("logto_auth")

# Older lists differ too much from what Logto has now.
RESUMABLE_FOR = timedelta(hours=12)
ROLES, ORGANIZATIONS, USERS, UNLISTED = STAGES = ("roles", "organizations", "users", "unlisted")
# Logto sends at most a hundred rows a page; a database is faster with more at once.
PAGES_PER_BATCH = 10
# The holder of a run that a command continues. With Celery, it is the id of a task.
COMMAND = "logto_sync"
# A holder without a step for this long has stopped. It is longer than Celery waits before it tries a task again.
STALLED_SECONDS = 600
# A part that kills its workers is not started for ever.
MAX_ATTEMPTS = 10


class RunEnded(LogtoError):
    """Another process has ended the run and deleted its lists, or continues it, so this process cannot."""

    code = "sync_run_ended"


class RunInProgress(LogtoError):
    """Another process is at work on the run."""

    code = "sync_run_in_progress"


class NotListed(LogtoError):
    """Roles and organizations are not all listed yet: a user who is not in the lists may still have some."""

    code = "sync_not_listed"


def start_or_resume(
    *, creates_users: bool = False, is_dry: bool = False, restart: bool = False, holder: str = COMMAND
) -> SyncRun:
    """Return the interrupted run of this kind, or a new one. With `restart` it is always a new one.

    A command takes the run from any other process, which then stops with RunEnded. A task, whose id is `holder`, does
    not: raise RunInProgress while another process is at work on the run.
    """
    run = _find_open(creates_users=creates_users, is_dry=is_dry)
    if run is not None:
        take(run, holder)
        if not restart and _is_resumable(run):
            return run
        end(run)
    run = SyncRun(issuer=conf.issuer, creates_users=creates_users, is_dry=is_dry, position={"stage": ROLES})
    run.open_kind, run.holder, run.active_at = _kind(creates_users, is_dry), holder, time.time()
    try:
        with atomic():
            run.save()
    except IntegrityError as error:
        raise RunInProgress("A run is in progress: another process has started it a moment ago.") from error
    return run


def find_resumable(*, creates_users: bool = False, is_dry: bool = False) -> SyncRun | None:
    """Return the run of this kind that was started in the last 12 hours and has not ended; None if there is none."""
    run = _find_open(creates_users=creates_users, is_dry=is_dry)
    return run if run is not None and _is_resumable(run) else None


def take(run: SyncRun, holder: str, *, after: str | None = None) -> None:
    """Let only `holder` move the run on. Raise RunInProgress while another holder than `after` does.

    A task that is delivered again has the same id, so it continues at once.
    """
    rows = SyncRun.objects.filter(pk=run.pk, turn=run.turn, finished_at=None)
    if holder != COMMAND:
        has_stopped = Q(active_at__lt=time.time() - STALLED_SECONDS)
        rows = rows.filter(Q(holder__in=[holder, after or holder]) | has_stopped)
    turn = run.turn + 1
    if not rows.update(holder=holder, turn=turn, active_at=time.time()):
        raise RunInProgress(f"The run of {run} is in progress. It counts as stopped after ten minutes without a step.")
    if run.holder != after and holder != COMMAND:
        logger.error("logto_sync: the run of %s had stopped at the stage %r.", run, run.position["stage"])
    run.refresh_from_db(using=database(), fields=["position", "counts"])
    run.holder, run.turn = holder, turn


def end(run: SyncRun) -> None:
    """End the run and delete its lists, in one transaction."""
    with atomic():
        SyncRun.objects.filter(pk=run.pk).update(finished_at=now(), open_kind=None)
        SyncNote.objects.filter(run=run).delete()
        SyncPart.objects.filter(run=run).delete()


def check_open(run: SyncRun) -> None:
    """Note a step of the run. Raise RunEnded if it has ended: the lists that were just read may be incomplete."""
    if not SyncRun.objects.filter(pk=run.pk, finished_at=None).update(active_at=time.time()):
        raise _ended(run)


def check_listed(run: SyncRun) -> None:
    """Raise NotListed unless all roles and organizations have been listed."""
    if not is_past(run, ORGANIZATIONS):
        raise NotListed(f"The run of {run} has not listed all roles and organizations yet. Finish that first.")


def advance(run: SyncRun, stage: str, report: Report, **position: Any) -> None:
    """Store the position of the run. Call it in the transaction of the work that was done. Raise RunEnded."""
    run.position, run.counts, run.active_at = {"stage": stage, **position}, dict(report.counts), time.time()
    rows = SyncRun.objects.filter(pk=run.pk, turn=run.turn, finished_at=None)
    if not rows.update(position=run.position, counts=run.counts, active_at=run.active_at):
        raise _ended(run)


def is_past(run: SyncRun, stage: str) -> bool:
    """Return whether the run has finished `stage`."""
    return STAGES.index(run.position["stage"]) > STAGES.index(stage)


def position_in(run: SyncRun, stage: str) -> dict[str, Any]:
    """Return the position of the run within `stage`; empty at its beginning."""
    position = dict(run.position)
    return position if position.pop("stage") == stage else {}


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


# Parts


def is_split(run: SyncRun) -> bool:
    """Return whether the pages of users are divided into parts, or all synced."""
    return is_past(run, USERS) or "parts" in position_in(run, USERS)


def split(run: SyncRun, pages: int, pages_per_part: int, report: Report) -> None:
    """Divide the pages of users into parts. Raise RunEnded."""
    first = position_in(run, USERS).get("pages", 0) + 1
    starts = range(first, max(first, pages) + 1, pages_per_part)
    with atomic():
        SyncPart.objects.filter(run=run).delete()
        SyncPart.objects.bulk_create(
            [
                SyncPart(run=run, first_page=start, last_page=min(start + pages_per_part - 1, max(first, pages)))
                for start in starts
            ]
        )
        advance(run, USERS, report, parts=len(starts))


def open_parts(run: SyncRun) -> QuerySet[SyncPart]:
    """Return the parts that are not synced yet."""
    parts: QuerySet[SyncPart] = SyncPart.objects.filter(run=run, is_done=False).order_by("pk")
    return parts


def begin_part(part: SyncPart) -> bool:
    """Return whether to sync the part: it is not done, and has not stopped its workers too often."""
    if part.is_done:
        return False
    if part.attempts >= MAX_ATTEMPTS:
        logger.error("logto_sync: pages %s were started %d times. The run is given up.", part, part.attempts)
        return False
    if part.attempts:
        logger.error("logto_sync: pages %s are synced again, because a worker has not finished them.", part)
    SyncPart.objects.filter(pk=part.pk).update(attempts=F("attempts") + 1)
    return True


def end_part(part: SyncPart, report: Report) -> None:
    """Note that the part is synced, with the counts of the first worker that has synced it."""
    SyncPart.objects.filter(pk=part.pk, is_done=False).update(is_done=True, counts=dict(report.counts))


def take_after_parts(run: SyncRun, holder: str) -> None:
    """Let `holder` finish the run, all of whose parts are synced. Raise RunInProgress, or RunEnded."""
    if is_past(run, USERS):
        # Another delivery of the same task has begun to finish it.
        take(run, holder)
        return
    take(run, holder, after=run.holder)
    total = sum((Counter(part.counts) for part in SyncPart.objects.filter(run=run)), Counter(run.counts))
    advance(run, UNLISTED, Report(total))


def _kind(creates_users: bool, is_dry: bool) -> str:
    return make_digest(conf.issuer, f"sync {creates_users} {is_dry}")


def _find_open(*, creates_users: bool, is_dry: bool) -> SyncRun | None:
    run: SyncRun | None = SyncRun.objects.filter(open_kind=_kind(creates_users, is_dry)).first()
    return run


def _is_resumable(run: SyncRun) -> bool:
    return run.started_at > now() - RESUMABLE_FOR


def _ended(run: SyncRun) -> RunEnded:
    return RunEnded(f"The run of {run} was ended or is continued by another process.")
