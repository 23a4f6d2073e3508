"""One page of people, from what Logto says to what the site is told of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import DataError, IntegrityError, reset_queries, transaction
from django.utils.timezone import now

from logto_auth.exceptions import SignInRefused
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.types import User
from logto_auth.models import LogtoIdentity, SyncRun, UserStatus
from logto_auth.signals import user_created, user_updated
from logto_auth.users.management_api import changed_at
from logto_auth.users.provisioning import find_identity, provision_unknown, update
from logto_auth.users.suspension import reactivate, suspend

from . import report as outcomes
from .person import Person
from .plan import plan
from .report import Report
from .write import can_be_written_in_bulk, write


def sync_people(
    run: SyncRun, users: Iterable[User], api: ManagementAPI, report: Report, *, then: Callable[[], object]
) -> None:
    """Have these people be here what Logto says, with what is to happen `then` in the same transaction.

    Whoever listens to `user_created` and `user_updated` is told afterwards.
    """
    people = plan(run, users, api, report)
    seen = [person.identity.pk for person in people if person.identity is not None]
    written: Sequence[Person] = ()
    with transaction.atomic():
        LogtoIdentity.objects.filter(pk__in=seen).update(seen_in_run=run.pk)
        if run.is_dry:
            _foresee(people, report)
        else:
            _apply_statuses(people, report)
            written = _write([person for person in people if not person.is_refused], report)
        then()
    # With DEBUG, Django would keep them all.
    reset_queries()
    for person in written:
        _tell(person)


def _foresee(people: Sequence[Person], report: Report) -> None:
    for person in people:
        if not person.is_refused:
            report.add(outcomes.LINKED if person.may_be_linked else _outcome(person))
        if person.status:
            report.add(_OUTCOMES_BY_STATUS[person.status])


def _outcome(person: Person) -> str:
    if person.is_new:
        return outcomes.CREATED
    return outcomes.UPDATED if person.changed else outcomes.UNCHANGED


def _tell(person: Person) -> None:
    user = person.account
    if person.is_new:
        user_created.send_robust(sender=type(user), user=user, claims=person.claims)
    elif person.changed:
        user_updated.send_robust(sender=type(user), user=user, claims=person.claims, changed=person.changed)


# Writing


def _write(people: Sequence[Person], report: Report) -> Sequence[Person]:
    """Write in bulk what can be, and the rest as a sign-in would; returns who was written in bulk."""
    is_plain = can_be_written_in_bulk(get_user_model())
    written = _write_in_bulk([person for person in people if is_plain and not person.may_be_linked], report)
    for person in people:
        if person.may_be_linked or not is_plain:
            _write_one(person, report)
    return written


def _write_in_bulk(people: Sequence[Person], report: Report) -> Sequence[Person]:
    """Write people together; where the database has something against it, in halves, until it is clear against whom."""
    if not people:
        return []
    if _could_be_written(people):
        for person in people:
            report.add(_outcome(person))
        return people
    if len(people) == 1:
        _write_one(people[0], report)
        return []
    half = len(people) // 2
    return [*_write_in_bulk(people[:half], report), *_write_in_bulk(people[half:], report)]


def _could_be_written(people: Sequence[Person]) -> bool:
    """Whether the database had nothing against it: another process may have been faster with a person or a name, and
    the site's values may not fit its columns."""
    try:
        with transaction.atomic():
            write(people)
    except (IntegrityError, DataError, ValidationError, TypeError, ValueError):
        for person in people:
            if person.is_new:
                person.identity = None
        return False
    return True


def _write_one(person: Person, report: Report) -> None:
    sub = person.user["id"]
    try:
        with transaction.atomic():
            if person.is_new:
                _, is_created = provision_unknown(person.claims, may_create=True)
                report.add(outcomes.CREATED if is_created else outcomes.LINKED)
            elif (identity := find_identity(person.claims["iss"], sub)) is not None:
                report.add(outcomes.UPDATED if update(identity, person.claims) else outcomes.UNCHANGED)
    except SignInRefused as error:
        report.conflict(outcomes.REFUSED, f"{sub}: {error} ({error.code})")


# UserStatus


_OUTCOMES_BY_STATUS = {UserStatus.SUSPENDED: outcomes.DEACTIVATED, UserStatus.ACTIVE: outcomes.REACTIVATED}


def _apply_statuses(people: Sequence[Person], report: Report) -> None:
    """Shut out who is suspended, and let back in who is no longer; one by one, for sessions end and the site hears."""
    for person in people:
        if person.status is None or person.identity is None:
            continue
        at = changed_at(person.user) or now()
        if person.status == UserStatus.SUSPENDED:
            is_news = suspend(person.identity, person.status, at)
        else:
            is_news = reactivate(person.identity, at)
        if is_news:
            report.add(_OUTCOMES_BY_STATUS[person.status])
