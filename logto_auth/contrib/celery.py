"""`logto_sync` shared by Celery workers, for sites that need more than one machine. Needs the extra `celery`.

    CELERY_BEAT_SCHEDULE = {
        "logto": {"task": "logto_auth.sync", "schedule": crontab(hour=3), "kwargs": {"creates_users": True}},
    }

Celery needs a result backend for it. If a task fails after all retries, the next run resumes the interrupted one.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping

from celery import chord, shared_task

from logto_auth.clients import management_api
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.transport import PAGE_SIZE
from logto_auth.models import SyncRun
from logto_auth.sync import Report, apply, notes, runs

__all__ = ["finish", "sync", "sync_pages"]

logger = logging.getLogger("logto_auth")

# Some seconds of work: a lost worker loses little, and the queue stays short.
PAGES_PER_TASK = 20


class LoggedReport(Report):
    """A report whose messages go to the log."""

    def say(self, text: str) -> None:
        logger.warning("logto_sync: %s", text)


@shared_task(name="logto_auth.sync")
def sync(creates_users: bool = False, rate: float | None = None) -> None:
    """List roles and organizations, then let the workers sync pages of users; see `logto_sync`.

    `rate` is in requests per second for each process: divide what Logto accepts by the number of processes.
    """
    run, api = runs.start_or_resume(creates_users=creates_users), _api(rate)
    notes.list_roles_and_organizations(run, api, LoggedReport())
    last = max(1, -(-api.users.count() // PAGE_SIZE))
    starts = range(1, last + 1, PAGES_PER_TASK)
    # One page more than counted, for users that are created meanwhile.
    parts = [sync_pages.si(run.pk, start, min(start + PAGES_PER_TASK - 1, last + 1), rate) for start in starts]
    chord(parts)(finish.s(run.pk, rate))


@shared_task(
    name="logto_auth.sync_pages", autoretry_for=(Exception,), dont_autoretry_for=(runs.RunEnded,), max_retries=3
)
def sync_pages(run_id: int, first: int, last: int, rate: float | None = None) -> dict[str, int]:
    """Sync the users of these pages, and return the counts of outcomes."""
    report = LoggedReport()
    apply.sync_pages(SyncRun.objects.get(pk=run_id), range(first, last + 1), _api(rate), report)
    return dict(report.counts)


@shared_task(
    name="logto_auth.finish_sync", autoretry_for=(Exception,), dont_autoretry_for=(runs.RunEnded,), max_retries=3
)
def finish(counts: Iterable[Mapping[str, int]], run_id: int, rate: float | None = None) -> dict[str, int]:
    """Sync the users that no page listed, end the run, and return the counts of outcomes of all tasks."""
    run, report = SyncRun.objects.get(pk=run_id), LoggedReport()
    apply.sync_unlisted(run, _api(rate), report)
    runs.end(run)
    total = sum((Counter(each) for each in counts), Counter(report.counts))
    logger.info("logto_sync: %s", ", ".join(f"{name}: {number}" for name, number in total.items()))
    return dict(total)


def _api(rate: float | None) -> ManagementAPI:
    api = management_api()
    api.limit_batch(rate)
    return api
