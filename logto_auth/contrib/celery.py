"""`logto_sync` shared by Celery workers, for sites that need more than one machine. Needs the extra `celery`.

    CELERY_BEAT_SCHEDULE = {
        "logto": {"task": "logto_auth.sync", "schedule": crontab(hour=3), "kwargs": {"creates_users": True}},
    }

What is done is stored in the database of the site, so any broker will do, and no result backend is needed. A task whose
worker is killed is delivered again, and continues where the run was (decision 0032).
"""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task

from logto_auth.clients import management_api
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.transport import PAGE_SIZE
from logto_auth.models import SyncPart, SyncRun
from logto_auth.sync import Report, apply, missed, notes, runs

__all__ = ["finish", "sync", "sync_pages"]

logger = logging.getLogger("logto_auth")

# Some seconds of work: a lost worker loses little, and the queue stays short.
PAGES_PER_TASK = 20
# A message is deleted when its task has ended, not when it starts: another worker then gets that of a killed one.
OPTIONS: dict[str, Any] = {
    "bind": True,
    "acks_late": True,
    "reject_on_worker_lost": True,
    "ignore_result": True,
    "autoretry_for": (Exception,),
    "max_retries": 3,
}
# Nothing is left to do for the task: another one or a command does it.
ELSEWHERE = (runs.RunEnded, runs.RunInProgress)


class LoggedReport(Report):
    """A report whose messages go to the log."""

    def say(self, text: str) -> None:
        logger.warning("logto_sync: %s", text)


@shared_task(name="logto_auth.sync", **OPTIONS)
def sync(self: Any, creates_users: bool = False, rate: float | None = None) -> None:
    """List roles and organizations, then let the workers sync pages of users; see `logto_sync`.

    While another task or command is at work on a run of this kind, only say so in the log. `rate` is in requests per
    second for each process: divide what Logto accepts by the number of processes.
    """
    try:
        run = runs.start_or_resume(creates_users=creates_users, holder=self.request.id)
        api, report = _api(rate), LoggedReport(run.counts)
        notes.list_roles_and_organizations(run, api, report)
        if not runs.is_split(run):
            pages = max(1, -(-api.users.count() // PAGE_SIZE))
            # One page more than counted, for users that are created meanwhile.
            runs.split(run, pages + 1, PAGES_PER_TASK, report)
    except ELSEWHERE as error:
        logger.warning("logto_sync: %s", error)
        return
    parts = list(runs.open_parts(run))
    for part in parts:
        sync_pages.delay(part.pk, rate)
    if not parts:
        finish.delay(run.pk, rate)


@shared_task(name="logto_auth.sync_pages", **OPTIONS)
def sync_pages(self: Any, part_id: int, rate: float | None = None) -> None:
    """Sync the pages of users of a `SyncPart`. The task that syncs the last open part of the run starts `finish`."""
    part = SyncPart.objects.select_related("run").filter(pk=part_id).first()
    if part is None:
        # The run has ended: the part was synced before, by another delivery of this task or by a command.
        return
    if runs.begin_part(part):
        report = LoggedReport()
        try:
            apply.sync_pages(part.run, range(part.first_page, part.last_page + 1), _api(rate), report)
        except ELSEWHERE as error:
            logger.warning("logto_sync: %s", error)
            return
        runs.end_part(part, report)
    if not runs.open_parts(part.run).exists():
        finish.delay(part.run.pk, rate)


@shared_task(name="logto_auth.finish_sync", **OPTIONS)
def finish(self: Any, run_id: int, rate: float | None = None) -> None:
    """Sync the users that no page listed, end the run, and log the counts of outcomes of all tasks."""
    run = SyncRun.objects.get(pk=run_id)
    try:
        runs.take_after_parts(run, self.request.id)
        report = LoggedReport(run.counts)
        api = _api(rate)
        apply.sync_unlisted(run, api, report)
        missed.sync_missed(run, api, report)
        runs.end(run)
    except ELSEWHERE as error:
        logger.info("logto_sync: %s", error)
        return
    logger.info("logto_sync: %s", ", ".join(f"{name}: {number}" for name, number in report.counts.items()))


def _api(rate: float | None) -> ManagementAPI:
    api = management_api()
    api.limit_batch(rate)
    return api
