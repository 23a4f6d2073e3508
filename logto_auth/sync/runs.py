"""Runs: beginning one, going on with one that was interrupted, and ending it.

What was listed at Logto is kept in the database rather than in memory: a site may have a million people, several
processes may share the work, and whoever goes on after a kill may be another machine.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError
from logto_auth.models import SyncNote, SyncRun

from .report import Report

# What was listed longer ago says too little about today.
RESUMABLE_FOR = timedelta(hours=12)
ROLES, ORGANIZATIONS, USERS, MISSING = STAGES = ("roles", "organizations", "users", "missing")


class RunOver(LogtoError):
    """The run has been ended by another process, and its notes are gone: nothing more may be concluded from them."""

    code = "sync_run_over"


class NotListed(LogtoError):
    """Roles and organizations have not all been listed: whom the notes do not name might have some all the same."""

    code = "sync_not_listed"


def begin(*, creates_users: bool = False, is_dry: bool = False, restart: bool = False) -> SyncRun:
    """The run of this kind that was interrupted, else a new one; a new one in any case to `restart`."""
    run = None if restart else find(creates_users=creates_users, is_dry=is_dry)
    if run is not None:
        return run
    for old in SyncRun.objects.filter(issuer=conf.issuer, finished_at=None, creates_users=creates_users, is_dry=is_dry):
        end(old)
    run = SyncRun(issuer=conf.issuer, creates_users=creates_users, is_dry=is_dry, position={"stage": ROLES})
    run.save()
    return run


def find(*, creates_users: bool = False, is_dry: bool = False) -> SyncRun | None:
    """The run of this kind that has begun and not ended, and not too long ago."""
    begun_after = now() - RESUMABLE_FOR
    runs = SyncRun.objects.filter(issuer=conf.issuer, finished_at=None, started_at__gt=begun_after)
    run: SyncRun | None = runs.filter(creates_users=creates_users, is_dry=is_dry).order_by("-started_at").first()
    return run


def end(run: SyncRun) -> None:
    """End the run and forget its notes, both at once."""
    with transaction.atomic():
        SyncRun.objects.filter(pk=run.pk).update(finished_at=now())
        SyncNote.objects.filter(run=run).delete()


def check_open(run: SyncRun) -> None:
    """Raise RunOver unless the notes that were just read can have been all of them."""
    if not SyncRun.objects.filter(pk=run.pk, finished_at=None).exists():
        raise _over(run)


def check_listed(run: SyncRun) -> None:
    """Raise NotListed unless all roles and organizations have been listed."""
    if not is_past(run, ORGANIZATIONS):
        raise NotListed(f"The run of {run} has not listed all roles and organizations yet: that comes first.")


def advance(run: SyncRun, stage: str, report: Report, **position: Any) -> None:
    """Remember how far the run is; in the transaction of what was done. Raises RunOver."""
    run.position = {"stage": stage, **position}
    counts = dict(report.counts)
    if not SyncRun.objects.filter(pk=run.pk, finished_at=None).update(position=run.position, counts=counts):
        raise _over(run)


def is_past(run: SyncRun, stage: str) -> bool:
    """Whether the run has done all of `stage`."""
    return STAGES.index(run.position["stage"]) > STAGES.index(stage)


def position_in(run: SyncRun, stage: str) -> dict[str, Any]:
    """Where in `stage` the run is; empty at its beginning."""
    return run.position if run.position["stage"] == stage else {}


def _over(run: SyncRun) -> RunOver:
    return RunOver(f"The run of {run} was ended by another process. Start again.")
