"""Pages of people, in any order and by any number of processes; and those whom no page had."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from django.db.models import Q, QuerySet
from django.utils.timezone import now

from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.client import PAGE_SIZE
from logto_auth.management_api.types import User
from logto_auth.models import LogtoIdentity, Standing, SyncRun
from logto_auth.standing import shut_out

from . import report as outcomes
from .applying import sync_people
from .report import Report
from .runs import MISSING, USERS, advance, check_listed, check_open, is_past, position_in

# A site that knows fewer of a tenant's people than one in this many asks for them by their ids, and lists nobody.
WORTH_LISTING = 4


def sync_all_pages(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    """Sync the pages that are left of `run`, newest people first."""
    if is_past(run, USERS):
        return
    total = api.users.count()
    page = position_in(run, USERS).get("page", 0)
    is_last = not run.creates_users and _known(run).count() * WORTH_LISTING < total
    while not is_last:
        page += 1
        users = _page(api, page)
        sync_people(run, users, report, then=partial(advance, run, USERS, report, page=page))
        report.progress(USERS, min(page * PAGE_SIZE, total), total)
        is_last = len(users) < PAGE_SIZE
    advance(run, MISSING, report)


def sync_users_page(run: SyncRun, page: int, api: ManagementAPI, report: Report) -> int:
    """Have the people on one page be here what Logto says; returns how many there are on it, 0 behind the last page.

    Pages may be synced in any order, again, and by several processes at once. Raises RunOver when `run` has ended,
    and NotListed when it has not listed roles and organizations.
    """
    check_listed(run)
    users = _page(api, page)
    sync_people(run, users, report, then=partial(check_open, run))
    return len(users)


def sync_missing(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    """Ask for the people known here whom no page had. Whom Logto does not know by id either has been deleted there."""
    check_listed(run)
    done = 0
    unseen = Q(seen_in_run=None) | ~Q(seen_in_run=run.pk)
    missing = _known(run).filter(unseen).exclude(standing=Standing.DELETED).order_by("pk").select_related("user")
    while batch := list(missing.filter(pk__gt=position_in(run, MISSING).get("after") or 0)[:PAGE_SIZE]):
        users = api.users.with_ids([identity.sub for identity in batch])
        found = {user["id"] for user in users}
        gone = [each for each in batch if each.sub not in found and not _is_there(api, each.sub, users)]

        def then(gone: Sequence[LogtoIdentity] = gone, after: int = batch[-1].pk) -> None:
            for identity in gone:
                _shut_out_deleted(run, identity, report)
            advance(run, MISSING, report, after=after)

        sync_people(run, users, report, then=then)
        done += len(batch)
        report.progress(MISSING, done, None)


def _page(api: ManagementAPI, page: int) -> list[User]:
    return next(api.users.pages(first_page=page), [])


def _known(run: SyncRun) -> QuerySet[LogtoIdentity]:
    """Whom the run is about: whoever has come since has told all there is."""
    known: QuerySet[LogtoIdentity] = LogtoIdentity.objects.filter(issuer=run.issuer, created_at__lt=run.started_at)
    return known


def _is_there(api: ManagementAPI, sub: str, users: list[User]) -> bool:
    """Whether Logto has somebody with this id after all, who is one of `users` then."""
    try:
        users.append(api.users.get(sub))
    except ManagementAPIError as error:
        if error.status != 404:
            raise
        return False
    return True


def _shut_out_deleted(run: SyncRun, identity: LogtoIdentity, report: Report) -> None:
    report.conflict(
        outcomes.DEACTIVATED, f"{identity.sub}: deleted at Logto; account {identity.user.pk} is switched off"
    )
    if not run.is_dry:
        shut_out(identity, Standing.DELETED, now())
