"""The audit trail: events, the seals that chain them, and the counters of refused sign-ins.

`id`, `seal` and the personal data are not in the digest of an event: the seal covers the first, and the digest covers
the digests of the last. So a row can be sealed, and personal data erased, without a new digest.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from typing import Any, NoReturn, TypeVar

from django.conf import settings
from django.db import models
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from logto_auth.exceptions import AuditIsAppendOnly
from logto_auth.transactions import atomic, database

from . import digests

__all__ = ["AuditEvent", "AuditSeal", "Outcome"]

Row = TypeVar("Row", bound=models.Model)

PAGE_SIZE = 2000
SECONDS_PER_HOUR = 3600
OTHER_CODE = "other"
# The password form of the admin, see the signal `password_sign_in_refused`.
PASSWORD_PREFIX = "admin_password_"  # noqa: S105
PASSWORD_CODES = {
    f"{PASSWORD_PREFIX}{code}" for code in ("attempts_not_counted", "inactive", "invalid_login", "too_many_attempts")
}


class Outcome(models.TextChoices):
    """What became of an action."""

    SUCCESS = "success", _("success")
    REFUSED = "refused", _("refused")
    FAILED = "failed", _("failed")


def refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """Raise AuditIsAppendOnly."""
    raise AuditIsAppendOnly(
        "The audit trail is append-only. Use record_event(), or manage.py logto_audit erase or prune."
    )


def plain_rows(model: type[Row]) -> models.QuerySet[Row]:
    """Return the rows for this app's own changes: a queryset that refuses nothing."""
    return models.QuerySet(model, using=database())


def in_pages(rows: models.QuerySet[Row], key: str = "pk") -> Iterator[Row]:
    """Yield the rows in the order of a unique column, with one query for each page.

    `iterator()` would load all of them on MySQL, whose drivers read an answer whole.
    """
    rest = rows.order_by(key)
    while page := list(rest[:PAGE_SIZE]):
        yield from page
        rest = rows.order_by(key).filter(**{f"{key}__gt": getattr(page[-1], key)})


class AppendOnlyQuerySet(models.QuerySet[Row]):
    """Rows that code cannot change by mistake. Against an attacker with SQL, there are the digests."""

    @property
    def db(self) -> str:
        return self._db or database()  # type: ignore[attr-defined]

    # The asynchronous methods call these.
    create = bulk_create = get_or_create = update_or_create = refuse
    update = bulk_update = delete = refuse


class AppendOnlyRow(models.Model):
    """A row that is inserted once, with a digest of its columns in `DIGESTED`."""

    DIGESTED: tuple[str, ...] = ()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        refuse()

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse()

    def digested(self) -> dict[str, Any]:
        """Return the columns that the digest covers."""
        return {name: getattr(self, name) for name in self.DIGESTED}


class AuditEventQuerySet(AppendOnlyQuerySet["AuditEvent"]):
    """Events."""

    def record(self, events: Iterable[AuditEvent]) -> list[AuditEvent]:
        """Insert events that `recording.build_event` has built, with one query, and return them.

        A transaction goes on if the database refuses the rows.
        """
        rows = list(events)
        for row in rows:
            row.digest = digests.digest_of(digests.EVENT, row.digested())
        with atomic():
            return plain_rows(AuditEvent).bulk_create(rows)


class AuditEvent(AppendOnlyRow):
    """What was done. Accounts are named by primary key and by `sub`, so that the row outlives them."""

    # In seconds since the epoch, to the millisecond: each database returns exactly what was written.
    at = models.FloatField(_("time"), editable=False)
    action = models.CharField(_("action"), max_length=64, editable=False)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices, editable=False)
    # Who did it, and to whom. Empty: the site itself, Logto, or a visitor.
    actor_id = models.CharField(_("actor"), max_length=255, blank=True, editable=False)
    actor_sub = models.CharField(_("actor at Logto"), max_length=255, blank=True, editable=False)
    user_id = models.CharField(_("user"), max_length=255, blank=True, editable=False)
    user_sub = models.CharField(_("user at Logto"), max_length=255, blank=True, editable=False)
    organization_id = models.CharField(_("organization"), max_length=255, blank=True, editable=False)
    # JSON that is ASCII, see `digests`: a column for JSON would change the order of keys and the form of numbers.
    details_json = models.TextField(_("details"), editable=False)
    # Personal data of the actor and of the user, each with a salt, or the proof that it was erased. The SHA-256 stays.
    actor_json = models.TextField(editable=False)
    actor_digest = models.CharField(max_length=64, editable=False)
    user_json = models.TextField(editable=False)
    user_digest = models.CharField(max_length=64, editable=False)
    # Unique, so that no row can be inserted again: the salts differ.
    digest = models.CharField(_("digest"), max_length=64, editable=False)
    seal = models.ForeignKey(
        "AuditSeal", on_delete=models.PROTECT, null=True, related_name="events", verbose_name=_("seal"), editable=False
    )

    objects = AuditEventQuerySet.as_manager()

    DIGESTED = (
        *("at", "action", "outcome", "actor_id", "actor_sub", "user_id", "user_sub", "organization_id"),
        *("details_json", "actor_digest", "user_digest"),
    )

    class Meta:
        # For the events of a seal, and the seal of an event.
        base_manager_name = "objects"
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        default_permissions = ("view",)
        ordering = ("-id",)
        # Not in the fields: PostgreSQL would get a second index of each, for searches by the first characters.
        constraints = (models.UniqueConstraint(fields=("digest",), name="logto_audit_digest"),)
        indexes = (
            models.Index(fields=("at",), name="logto_audit_at"),
            models.Index(fields=("actor_id",), name="logto_audit_actor"),
            models.Index(fields=("user_id",), name="logto_audit_user"),
            # For `erase --sub`, and for the events of an organization. The search of the admin needs all of them.
            models.Index(fields=("actor_sub",), name="logto_audit_actor_sub"),
            models.Index(fields=("user_sub",), name="logto_audit_user_sub"),
            models.Index(fields=("organization_id",), name="logto_audit_organization"),
        )

    def __str__(self) -> str:
        return self.action

    @property
    def actor_key(self) -> str:
        """Whose data is in `actor_json`: a primary key or `sub`; the user's if the actor is unknown."""
        return self.actor_id or self.actor_sub or self.user_key

    @property
    def user_key(self) -> str:
        """Whose data is in `user_json`: a primary key, or the `sub` of a user without an account."""
        return self.user_id or self.user_sub

    @property
    def occurred_at(self) -> datetime | None:
        """The time, with a time zone if `USE_TZ` is on; otherwise in that of the site. None if SQL has damaged it."""
        try:
            return datetime.fromtimestamp(self.at, timezone.utc if settings.USE_TZ else None)
        except (OSError, OverflowError, TypeError, ValueError):
            return None

    @property
    def details(self) -> dict[str, Any]:
        """What the action was about: codes, names of roles, counts, ids. No personal data."""
        return parsed(self.details_json)

    @property
    def actor_data(self) -> dict[str, str] | None:
        """Name, e-mail address, IP address and browser of the actor, as of then; None if they were erased."""
        return personal(self.actor_json)

    @property
    def user_data(self) -> dict[str, str] | None:
        """Name and e-mail address of the user, as of then; empty if the user is the actor; None if erased."""
        return personal(self.user_json)


class AuditSeal(AppendOnlyRow):
    """A batch of events, chained to the former batch. The row stays when its events are pruned."""

    number = models.PositiveBigIntegerField(_("number"), unique=True, editable=False)
    sealed_at = models.FloatField(editable=False)
    first_id = models.BigIntegerField(editable=False)
    last_id = models.BigIntegerField(editable=False)
    count = models.PositiveIntegerField(editable=False)
    # SHA-256 over the ids and digests of its events.
    contents = models.CharField(max_length=64, editable=False)
    # The digest of the former seal; "" for the first one.
    previous = models.CharField(max_length=64, blank=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    # The proof that `logto_audit prune` has deleted the events; "" before.
    pruned = models.CharField(max_length=64, blank=True, editable=False)

    objects = AppendOnlyQuerySet["AuditSeal"].as_manager()

    DIGESTED = ("number", "sealed_at", "first_id", "last_id", "count", "contents", "previous")

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()
        ordering = ("number",)

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"


class RefusedSignInsQuerySet(models.QuerySet["RefusedSignIns"]):
    """Counters of refused sign-ins."""

    def add_one(self, code: str) -> None:
        """Count a refused sign-in. `code` is that of the error. One query; three for the first one of an hour."""
        from logto_auth.sign_in.error_page import MESSAGES

        # A code from outside must not make a row of its own.
        known = code in MESSAGES or code in PASSWORD_CODES
        key = {"hour": int(time.time() // SECONDS_PER_HOUR), "code": code if known else OTHER_CODE}
        rows = plain_rows(RefusedSignIns)
        if not rows.filter(**key).update(count=F("count") + 1):
            with atomic():
                rows.bulk_create([RefusedSignIns(**key)], ignore_conflicts=True)
            rows.filter(**key).update(count=F("count") + 1)


class RefusedSignIns(models.Model):
    """How many sign-ins were refused within an hour, so that a visitor cannot fill the table of events.

    Also at the password form of the admin.
    """

    # Hours since the epoch.
    hour = models.PositiveIntegerField(editable=False)
    code = models.CharField(max_length=64, editable=False)
    count = models.PositiveBigIntegerField(default=0, editable=False)

    objects = RefusedSignInsQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("hour", "code"), name="logto_audit_hour_code"),)

    def __str__(self) -> str:
        return f"{self.code}: {self.count}"


def parsed(text: str) -> dict[str, Any]:
    """Return the JSON object in a column; an empty one if an attacker has replaced it by something else."""
    try:
        value: Any = json.loads(text)
        return value if isinstance(value, dict) and digests.canonical(value) == text else {}
    except (RecursionError, TypeError, ValueError):
        return {}


def personal(text: str) -> dict[str, str] | None:
    """Return the personal data in a column; None if it was erased."""
    values = {name: str(value) for name, value in parsed(text).items()}
    return None if values.pop("salt", None) is None else values
