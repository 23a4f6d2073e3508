"""Many users at once: `logto_sync` updates this site from Logto, `logto_import` creates this site's users at Logto.

`sync` does a whole run. Its stages can also be called one by one, and by several processes:

- `runs.start_or_resume` starts a run, or finds the one that was interrupted;
- `notes.list_roles_and_organizations` lists the holders of roles and the members of organizations, and stores both;
- `apply.sync_pages` updates the users of some pages, by the rules of a sign-in;
- `apply.sync_unlisted` asks for known users that no page listed, because rows shift while pages are counted;
- `missed.sync_missed` finds unknown users that no page listed;
- `runs.end` deletes the stored lists.

For each batch of pages `plan` reads and decides, and `write` writes in bulk.
"""

from __future__ import annotations

from logto_auth.clients import management_api
from logto_auth.management_api import ManagementAPI
from logto_auth.models import SyncRun

from . import apply, missed, notes, runs
from .payloads import user_values
from .report import Report

__all__ = ["Report", "sync", "user_values"]


def sync(*, creates_users: bool = False, is_dry: bool = False, report: Report | None = None) -> Report:
    """Update the users of this site from Logto, as `manage.py logto_sync` does; return the counts.

    With `creates_users`, create accounts for users who are unknown here. With `is_dry`, change nothing. An interrupted
    run of the same kind is resumed. Raise LogtoError if Logto fails, ConfigurationError if a setting is missing.
    """
    api = management_api()
    api.limit_batch(None)
    run = runs.start_or_resume(creates_users=creates_users, is_dry=is_dry)
    report = report or Report()
    report.counts.update(run.counts)
    sync_run(run, api, report)
    return report


def sync_run(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    """Do what is left of `run`. Raise LogtoError if Logto fails; the run can be resumed."""
    notes.list_roles_and_organizations(run, api, report)
    apply.sync_all_pages(run, api, report)
    apply.sync_unlisted(run, api, report)
    missed.sync_missed(run, api, report)
    runs.end(run)
