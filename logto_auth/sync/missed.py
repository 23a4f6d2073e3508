"""Find the users that no page had, for a run that creates users.

The users that this site knows are asked for by id. Others are missed in two cases: they share their time of creation
with others, or rows were deleted while pages were counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from logto_auth.management_api import ManagementAPI
from logto_auth.models import SyncRun

from .apply import apply_batch
from .by_id import Group, all_groups
from .listed import count_listed, listed_before
from .report import NOT_LISTED, Report, report_not_listed
from .runs import UNLISTED, advance, position_in

if TYPE_CHECKING:
    from logto_auth.management_api.types import User


def sync_missed(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    """Compare the number of listed users with that of Logto, and find the missing ones by the characters of their ids.

    Call it after `sync_unlisted`. Only for a run with `creates_users`: others need only the users known here.
    """
    if not run.creates_users:
        return
    total = api.users.count()
    missing = total - count_listed(run)
    if missing <= 0:
        return
    # Users who registered during the run are on the first page.
    newest, _ = api.users.first_page()
    missing -= _apply_new(run, newest, api, report)
    if missing <= 0:
        return
    for group in all_groups(api.users.first_page):
        missing -= _apply_new(run, group.users, api, report)
        if not group.is_complete:
            missing = _sync_incomplete(run, group, missing, api, report)
        report.progress(NOT_LISTED, total - max(0, missing), total)
        if missing <= 0:
            return


def _apply_new(run: SyncRun, users: Sequence[User], api: ManagementAPI, report: Report) -> int:
    """Apply Logto's data for those of these users that the run has not listed yet, and return their number."""
    before = listed_before(run, [user["id"] for user in users])
    new = [user for user in users if user["id"] not in before]
    if new:
        note_step = partial(advance, run, UNLISTED, report, **position_in(run, UNLISTED))
        apply_batch(run, new, api, report, then=note_step)
    return len(new)


def _sync_incomplete(run: SyncRun, group: Group, missing: int, api: ManagementAPI, report: Report) -> int:
    """Sync the pages of a group of users that cannot be divided, and return how many of `missing` are still missing.

    Report those of the group.
    """
    listed = set[str]()
    for page in api.users.pages(**group.query):
        missing -= _apply_new(run, page, api, report)
        listed |= {user["id"] for user in page}
    number = min(missing, api.users.count(**group.query) - len(listed))
    if number > 0:
        report_not_listed(report, number, f"users whose ids match {group.pattern}")
    return missing
