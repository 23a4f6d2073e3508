"""Pages of people, in any order and by any number of processes; and those whom no page had."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice

from django.db.models import Q, QuerySet
from django.utils.timezone import now

from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.client import PAGE_SIZE
from logto_auth.management_api.types import User
from logto_auth.models import LogtoIdentity, SyncRun, UserStatus
from logto_auth.users.suspension import suspend

from . import report as outcomes
from .apply import sync_people
from .batches import in_batches
from .report import Report
from .runs import MISSING, USERS, advance, check_listed, check_open, is_past, position_in

# A site that knows fewer of a tenant's people than one in this many asks for them by their ids, and lists nobody.
WORTH_LISTING = 4


def sync_all_pages(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    """Sync the pages that are left of `run`, newest people first."""
    if is_past(run, USERS):
        return
    total = api.users.count()
    done = position_in(run, USERS).get("pages", 0)
    if run.creates_users or _known(run).count() * WORTH_LISTING >= total:
        for size, users in in_batches(api.users.pages(first_page=done + 1)):
            done += size
            sync_people(run, users, api, report, then=partial(advance, run, USERS, report, pages=done))
            report.progress(USERS, min(done * PAGE_SIZE, total), total)
    advance(run, MISSING, report)


def sync_users_pages(run: SyncRun, pages: range, api: ManagementAPI, report: Report) -> None:
    """Have the people on these pages be here what Logto says; pages behind the last one are empty.

    Pages may be synced in any order, again, and by several processes at once. Raises RunOver when `run` has ended,
    and NotListed when it has not listed roles and organizations.
    """
    check_listed(run)
    done = 0
    for size, users in in_batches(islice(api.users.pages(first_page=pages.start), len(pages))):
        sync_people(run, users, api, report, then=partial(check_open, run))
        done += size
        report.progress("pages", done, len(pages))


def sync_missing(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    """Ask for the people known here whom no page had. Whom Logto does not know by id either has been deleted there."""
    check_listed(run)
    done = 0
    unseen = Q(seen_in_run=None) | ~Q(seen_in_run=run.pk)
    missing = _known(run).filter(unseen).exclude(status=UserStatus.DELETED).order_by("pk").select_related("user")
    while batch := list(missing.filter(pk__gt=position_in(run, MISSING).get("after") or 0)[:PAGE_SIZE]):
        users = api.users.with_ids([identity.sub for identity in batch])
        found = {user["id"] for user in users}
        gone = [each for each in batch if each.sub not in found and not _is_there(api, each.sub, users)]

        def then(gone: Sequence[LogtoIdentity] = gone, after: int = batch[-1].pk) -> None:
            for identity in gone:
                _shut_out_deleted(run, identity, report)
            advance(run, MISSING, report, after=after)

        sync_people(run, users, api, report, then=then)
        done += len(batch)
        report.progress(MISSING, done, None)


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
        suspend(identity, UserStatus.DELETED, now())
