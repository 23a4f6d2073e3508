"""`logto_sync` shared out to Celery's workers, for a site that outgrows one machine. Needs the extra `celery`.

    CELERY_BEAT_SCHEDULE = {
        "logto": {"task": "logto_auth.sync", "schedule": crontab(hour=3), "kwargs": {"creates_users": True}},
    }

Celery needs a result backend for it. A run in which a task has failed for good is taken up again by the next one.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from celery import chord, shared_task

from logto_auth.clients import management_api
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.client import PAGE_SIZE
from logto_auth.models import SyncRun
from logto_auth.sync import Report, notes, people, runs
from logto_auth.sync.pace import requests_per_second

logger = logging.getLogger("logto_auth")

# Some seconds of work: little is lost with a worker, and a queue is not filled with trifles.
PAGES_PER_TASK = 20


class LoggedReport(Report):
    """What somebody should look at goes to the log."""

    def say(self, text: str) -> None:
        logger.warning("logto_sync: %s", text)


@shared_task(name="logto_auth.sync")
def sync(creates_users: bool = False, rate: float | None = None) -> None:
    """List roles and organizations, and have the workers sync pages of people; see `logto_sync`.

    `rate` is the requests a second of each process: divide what Logto takes by how many there are.
    """
    run, api = runs.begin(creates_users=creates_users), _api(rate)
    notes.take_notes(run, api, LoggedReport())
    last = max(1, -(-api.users.count() // PAGE_SIZE))
    starts = range(1, last + 1, PAGES_PER_TASK)
    # One more page than there are, for those who come meanwhile.
    parts = [sync_pages.si(run.pk, start, min(start + PAGES_PER_TASK - 1, last + 1), rate) for start in starts]
    chord(parts)(finish.s(run.pk, rate))


@shared_task(
    name="logto_auth.sync_pages", autoretry_for=(Exception,), dont_autoretry_for=(runs.RunOver,), max_retries=3
)
def sync_pages(run_id: int, first: int, last: int, rate: float | None = None) -> dict[str, int]:
    """Sync these pages of people; returns what was done, counted."""
    report = LoggedReport()
    people.sync_users_pages(SyncRun.objects.get(pk=run_id), range(first, last + 1), _api(rate), report)
    return dict(report.counts)


@shared_task(
    name="logto_auth.finish_sync", autoretry_for=(Exception,), dont_autoretry_for=(runs.RunOver,), max_retries=3
)
def finish(counts: Iterable[Mapping[str, int]], run_id: int, rate: float | None = None) -> dict[str, int]:
    """Ask for those whom no page had, and end the run; returns what all tasks have done, counted."""
    run, report = SyncRun.objects.get(pk=run_id), LoggedReport()
    people.sync_missing(run, _api(rate), report)
    runs.end(run)
    total = sum((Counter(each) for each in counts), Counter(report.counts))
    logger.info("logto_sync: %s", ", ".join(f"{name}: {number}" for name, number in total.items()))
    return dict(total)


def _api(rate: float | None) -> ManagementAPI:
    api = management_api()
    api.limit(requests_per_second(api, rate))
    return api
