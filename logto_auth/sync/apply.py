"""Apply Logto's data to pages of users, in any order and by any number of processes; then to users that no page had."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.db import IntegrityError, reset_queries
from django.db.models import Q, QuerySet

from logto_auth.batches import Cause, batch
from logto_auth.exceptions import ManagementAPIError, SignInRefused
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.transport import PAGE_SIZE
from logto_auth.models import LogtoIdentity, SyncRun, UserStatus
from logto_auth.signals import user_created, user_updated
from logto_auth.storable import VALUE_ERRORS, is_refused_value
from logto_auth.transactions import atomic
from logto_auth.users.management_api import changed_at
from logto_auth.users.provisioning import find_identity, provision_unknown, send_changes, update
from logto_auth.users.suspension import reactivate, suspend

from . import report as outcomes
from .listed import listed_before, mark_listed
from .plan import plan
from .planned_user import PlannedUser
from .report import Report
from .runs import UNLISTED, USERS, advance, check_listed, check_open, in_batches, is_past, position_in
from .write import can_be_written_in_bulk, write

if TYPE_CHECKING:
    from logto_auth.management_api.types import User

# If a site knows fewer than one in this many users of its tenant, it asks for them by id and lists no pages.
WORTH_LISTING = 4


# Stages of a run


def sync_all_pages(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    """Sync the remaining pages of `run`, newest users first. Raise RunEnded."""
    if is_past(run, USERS):
        return
    total = api.users.count()
    done = position_in(run, USERS).get("pages", 0)
    if run.creates_users or _known(run).count() * WORTH_LISTING >= total:
        report.progress(USERS, min(done * PAGE_SIZE, total), total)
        for size, users in in_batches(api.users.pages(first_page=done + 1)):
            done += size
            apply_batch(run, users, api, report, then=partial(advance, run, USERS, report, pages=done))
            report.progress(USERS, min(done * PAGE_SIZE, total), total)
    advance(run, UNLISTED, report)


def sync_pages(run: SyncRun, pages: range, api: ManagementAPI, report: Report) -> None:
    """Sync the users on these pages; pages after the last one are empty.

    Pages may be synced in any order, repeatedly, and by several processes at once. Raise RunEnded if `run` has ended,
    and NotListed if it has not listed all roles and organizations.
    """
    check_listed(run)
    done = 0
    for size, users in in_batches(islice(api.users.pages(first_page=pages.start), len(pages))):
        # Another worker may have synced them and not have reported its counts.
        apply_batch(run, users, api, report, then=partial(check_open, run), repeats=True)
        done += size
        report.progress("pages", done, len(pages))


def sync_unlisted(run: SyncRun, api: ManagementAPI, report: Report) -> None:
    """Ask Logto for the known users that no page listed. A user whom Logto does not find by id has been deleted."""
    check_listed(run)
    done = 0
    unlisted = Q(seen_in_run=None) | ~Q(seen_in_run=run.pk)
    rows = _known(run).filter(unlisted).exclude(status=UserStatus.DELETED).order_by("pk").select_related("user")
    while batch := list(rows.filter(pk__gt=position_in(run, UNLISTED).get("after") or 0)[:PAGE_SIZE]):
        users = api.users.with_ids([identity.sub for identity in batch])
        found = {user["id"] for user in users}
        deleted = [each for each in batch if each.sub not in found and not _add_if_found(api, each.sub, users)]

        def then(deleted: Sequence[LogtoIdentity] = deleted, after: int = batch[-1].pk) -> None:
            for identity in deleted:
                _mark_deleted(run, identity, report)
            advance(run, UNLISTED, report, after=after)

        apply_batch(run, users, api, report, then=then)
        done += len(batch)
        report.progress(UNLISTED, done, None)


def _known(run: SyncRun) -> QuerySet[LogtoIdentity]:
    """Return the identities that the run covers. An identity that was created after its start has newer data."""
    known: QuerySet[LogtoIdentity] = LogtoIdentity.objects.filter(issuer=run.issuer, created_at__lt=run.started_at)
    return known


def _add_if_found(api: ManagementAPI, sub: str, users: list[User]) -> bool:
    """Ask for one user by id and add it to `users`; return False if Logto does not have it."""
    try:
        users.append(api.users.get(sub))
    except ManagementAPIError as error:
        if error.status != 404:
            raise
        return False
    return True


def _mark_deleted(run: SyncRun, identity: LogtoIdentity, report: Report) -> None:
    report.conflict(
        outcomes.DEACTIVATED, f"{identity.sub}: deleted at Logto; account {identity.user.pk} is deactivated"
    )
    if not run.is_dry:
        suspend(identity, UserStatus.DELETED, time.time())


# One batch


def apply_batch(
    run: SyncRun,
    payloads: Iterable[User],
    api: ManagementAPI,
    report: Report,
    *,
    then: Callable[[], object],
    repeats: bool = False,
) -> None:
    """Apply Logto's data for these users, then call `then`, in one transaction.

    Users whom the run has listed before are left out, except with `repeats`. `user_created` and `user_updated` are
    sent afterwards.
    """
    by_sub = {payload["id"]: payload for payload in payloads}
    before = set[str]() if repeats else listed_before(run, by_sub)
    new = {sub: payload for sub, payload in by_sub.items() if sub not in before}
    users = plan(run, new.values(), api, report)
    known = [user.identity.pk for user in users if user.identity is not None]
    written: Sequence[PlannedUser] = ()
    with batch(Cause.COMMAND, is_one_transaction=True):
        with atomic():
            identities = LogtoIdentity.objects.filter(pk__in=known)
            identities.lock()
            # A change first: SQLite refuses a transaction that reads, waits for another one, and then writes.
            identities.update(seen_in_run=run.pk)
            if run.is_dry:
                _count_planned(users, report)
            else:
                _apply_statuses(users, report)
                written = _write([user for user in users if not user.is_refused], report)
            mark_listed(run, new)
            then()
        # With DEBUG, Django keeps every query in memory.
        reset_queries()
        for user in written:
            _send_signal(user)


def _count_planned(users: Sequence[PlannedUser], report: Report) -> None:
    for user in users:
        if not user.is_refused:
            report.add(outcomes.LINKED if user.may_be_linked else _outcome(user))
        if user.status:
            report.add(_OUTCOMES_BY_STATUS[user.status])


def _outcome(user: PlannedUser) -> str:
    if user.is_new:
        return outcomes.CREATED
    return outcomes.UPDATED if user.changed else outcomes.UNCHANGED


def _send_signal(user: PlannedUser) -> None:
    account = user.account
    if user.is_new:
        user_created.send_robust(sender=type(account), user=account, claims=user.claims)
    elif user.changed:
        assert user.identity is not None
        user_updated.send_robust(sender=type(account), user=account, claims=user.claims, changed=user.changed)
        send_changes(user.identity, user.rights_changes, user.organizations)


def _write(users: Sequence[PlannedUser], report: Report) -> Sequence[PlannedUser]:
    """Write in bulk where possible, and the rest as a sign-in would; return the users written in bulk."""
    in_bulk = can_be_written_in_bulk(get_user_model())
    written = _write_in_bulk([user for user in users if in_bulk and not user.may_be_linked], report)
    for user in users:
        if user.may_be_linked or not in_bulk:
            _write_one(user, report)
    return written


def _write_in_bulk(users: Sequence[PlannedUser], report: Report) -> Sequence[PlannedUser]:
    """Write users together. If the database refuses, write halves, until only the user at fault is left."""
    if not users:
        return []
    if _try_to_write(users):
        for user in users:
            report.add(_outcome(user))
        return users
    if len(users) == 1:
        _write_one(users[0], report)
        return []
    half = len(users) // 2
    return [*_write_in_bulk(users[:half], report), *_write_in_bulk(users[half:], report)]


def _try_to_write(users: Sequence[PlannedUser]) -> bool:
    """Return whether the database accepted the users.

    It may refuse because another process created the same user or name, or because of a value of the site's function.
    """
    try:
        with atomic():
            write(users)
    except (IntegrityError, *VALUE_ERRORS) as error:
        if not is_refused_value(error):
            raise
        for user in users:
            if user.is_new:
                user.identity = None
        return False
    return True


def _write_one(user: PlannedUser, report: Report) -> None:
    sub = user.payload["id"]
    try:
        with atomic():
            if user.is_new:
                _, is_created = provision_unknown(user.claims, may_create=True)
                report.add(outcomes.CREATED if is_created else outcomes.LINKED)
            elif (identity := find_identity(user.claims["iss"], sub)) is not None:
                report.add(outcomes.UPDATED if update(identity, user.claims) else outcomes.UNCHANGED)
    except SignInRefused as error:
        report.conflict(outcomes.REFUSED, f"{sub}: {error} ({error.code})")


# Status


_OUTCOMES_BY_STATUS = {UserStatus.SUSPENDED: outcomes.DEACTIVATED, UserStatus.ACTIVE: outcomes.REACTIVATED}


def _apply_statuses(users: Sequence[PlannedUser], report: Report) -> None:
    """Suspend and reactivate users, one by one, because sessions end and receivers of `post_save` run."""
    for user in users:
        if user.status is None or user.identity is None:
            continue
        at = changed_at(user.payload) or time.time()
        if user.status == UserStatus.SUSPENDED:
            is_stored = suspend(user.identity, user.status, at)
        else:
            is_stored = reactivate(user.identity, at)
        if is_stored:
            report.add(_OUTCOMES_BY_STATUS[user.status])
