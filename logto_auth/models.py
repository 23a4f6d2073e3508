"""The Logto identity of each user, their sessions, their organizations, and the bookkeeping of webhooks and syncs."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Collection, Iterable, Mapping
from enum import Enum
from typing import Any, TypeVar

from django.conf import settings
from django.db import DatabaseError, connections, models, router
from django.db.models import F
from django.db.models.functions import Least
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from .batches import Cause, batch
from .conf import conf
from .oidc.secrets import hide_frames
from .signals import impersonation_ended, session_ended
from .storable import write_storable
from .transactions import atomic, locked

__all__ = ["LogtoIdentity", "LogtoSession", "Organization", "OrganizationMembership", "UserStatus"]

Row = TypeVar("Row", bound=models.Model)


class RowQuerySet(models.QuerySet[Row]):
    """Rows of this package. They are read from the database that they are written to, also by related managers."""

    @property
    def db(self) -> str:
        return self._db or router.db_for_write(self.model)  # type: ignore[attr-defined]

    def lock(self) -> None:
        """Lock these rows before a transaction changes several of them. SQLite locks all rows at the first change."""
        if connections[self.db].features.has_select_for_update:
            list(locked(self).values_list("pk"))


def make_digest(issuer: str, id: str) -> str:
    """Return the key of a user or an organization at one Logto: 64 hexadecimal characters.

    Databases differ in whether "a" and "A" are equal. A digest means the same to all of them (decision 0004).
    """
    return hashlib.sha256(f"{issuer}\n{id}".encode()).hexdigest()


class UserStatus(str, Enum):
    """The status of a user at Logto."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    DELETED = "deleted"


STATUS_CHOICES = [
    (UserStatus.ACTIVE.value, _("active")),
    (UserStatus.SUSPENDED.value, _("suspended")),
    (UserStatus.DELETED.value, _("deleted")),
]


class LogtoIdentityQuerySet(RowQuerySet["LogtoIdentity"]):
    """Look-ups of identities by issuer and `sub`."""

    def for_sub(self, issuer: str, sub: str) -> LogtoIdentityQuerySet:
        """Return the identity `(issuer, sub)`, at most one."""
        return self.filter(digest=make_digest(issuer, sub))  # type: ignore[no-any-return]

    def for_subs(self, issuer: str, subs: Collection[str]) -> LogtoIdentityQuerySet:
        """Return the identities of several users of one issuer."""
        return self.filter(digest__in=[make_digest(issuer, sub) for sub in subs])  # type: ignore[no-any-return]


class LogtoIdentity(models.Model):
    """A user at one Logto. Only the issuer and the `sub` together identify the user."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="logto_identities", verbose_name=_("user")
    )
    issuer = models.CharField(_("issuer"), max_length=255)
    sub = models.CharField(_("subject"), max_length=255)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # Role names of the latest claims: an access token does not carry them.
    roles = models.JSONField(_("roles"), default=list, blank=True, editable=False)
    # The latest status reported by Logto and its time there: see `users.suspension`. Times that code compares are in
    # seconds since the epoch: a datetime depends on USE_TZ, and some local times come twice a year.
    status = models.CharField(
        _("status at Logto"), max_length=10, choices=STATUS_CHOICES, default=UserStatus.ACTIVE.value, editable=False
    )
    status_at = models.FloatField(null=True, editable=False)
    # When this site learned of it, by its own clock.
    status_known_at = models.FloatField(null=True, editable=False)
    # Whether the Django account was deactivated because of that status, rather than by staff.
    deactivated_by_logto = models.BooleanField(default=False, editable=False)
    # The latest `SyncRun` that listed the user.
    seen_in_run = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = LogtoIdentityQuerySet.as_manager()

    class Meta:
        # For foreign keys to it.
        base_manager_name = "objects"
        verbose_name = _("Logto identity")
        verbose_name_plural = _("Logto identities")
        permissions = (
            ("manage_at_logto", "Can manage users at Logto"),
            ("impersonate_users", "Can act as a user (support access)"),
        )

    def __str__(self) -> str:
        return self.sub

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.digest = make_digest(self.issuer, self.sub)
        super().save(*args, **kwargs)


class LogtoSessionQuerySet(RowQuerySet["LogtoSession"]):
    """Signed-in sessions."""

    def of_user(self, user: Any) -> LogtoSessionQuerySet:
        """Return the sessions of a Django user, which may be given by its primary key; no sessions for None."""
        return self.filter(user=user) if user is not None else self.none()  # type: ignore[no-any-return]

    def of_sub(self, issuer: str, sub: str) -> LogtoSessionQuerySet:
        """Return the sessions of the identity `(issuer, sub)`."""
        return self.filter(identity__digest=make_digest(issuer, sub))  # type: ignore[no-any-return]

    def end(self, *, reason: str = "", request: HttpRequest | None = None) -> int:
        """End these sessions on this site; return how many there were.

        The next request of such a session finds no row, and signs the user out (decision 21). With a `reason`,
        `session_ended` is sent for each session that this call has ended; of several calls for one session, only one
        has. For an impersonation it is `impersonation_ended`, and `reason` may be a cause of that signal. `request` is
        passed to the receivers. One query, and with a receiver one more for each session.
        """
        if not reason or not _has_receivers():
            return self._delete()
        rows: list[LogtoSession] = []
        try:
            self._take(rows)
        except DatabaseError:
            # Without a transaction of the caller, the rows that were deleted before the error stay deleted.
            if not connections[self.db].in_atomic_block:
                send_rows_ended(rows, reason=reason, request=request)
            raise
        send_rows_ended(rows, reason=reason, request=request)
        return len(rows)

    def take(self) -> list[LogtoSession]:
        """End these sessions, and return the rows that this call has ended, with their users.

        The caller passes them to `send_rows_ended`, after its transaction. Without a receiver of the signals the list
        is empty, and there is one query.
        """
        rows: list[LogtoSession] = []
        if _has_receivers():
            self._take(rows)
        else:
            self._delete()
        return rows

    def _take(self, rows: list[LogtoSession]) -> None:
        """End these sessions, and append each to `rows`."""
        # A DELETE of several rows does not tell which of them a parallel request has deleted.
        for row in self.defer("encrypted_tokens").select_related("user", "impersonator"):
            if self.model.objects.filter(pk=row.pk)._delete():
                rows.append(row)

    def impersonations(self) -> LogtoSessionQuerySet:
        """Return those of these sessions in which staff act as the user."""
        return self.filter(impersonation_ends_at__isnull=False)  # type: ignore[no-any-return]

    def _delete(self) -> int:
        _total, deleted = self.delete()
        return deleted.get(self.model._meta.label, 0)

    def require_revalidation(self) -> int:
        """Let the next request of each of these sessions ask Logto again; return how many there were. One query.

        A refresh that is under way does not count: Logto may have answered it before the change. It sees the new
        `version`.
        """
        count: int = self.update(fresh_until=Least(F("fresh_until"), time.time()), version=F("version") + 1)
        return count

    # As for `delete()` of Django: not in templates, and not for all rows by `LogtoSession.objects.end()`.
    end.alters_data = True  # type: ignore[attr-defined]
    end.queryset_only = True  # type: ignore[attr-defined]
    take.alters_data = True  # type: ignore[attr-defined]
    take.queryset_only = True  # type: ignore[attr-defined]
    require_revalidation.alters_data = True  # type: ignore[attr-defined]
    require_revalidation.queryset_only = True  # type: ignore[attr-defined]


# The causes of `impersonation_ended`. Another reason for which a session ends is "session_ended" there.
IMPERSONATION_CAUSES = {
    "left",
    "expired",
    "signed_out",
    "impersonator_session_ended",
    "impersonator_not_permitted",
    "user_refused",
}
# Why the site or Logto does not accept the user.
REFUSALS_OF_USER = {"account_disabled", "refused_by_site"}


def _has_receivers() -> bool:
    return bool(session_ended.receivers or impersonation_ended.receivers)


def send_rows_ended(rows: Iterable[LogtoSession], *, reason: str, request: HttpRequest | None = None) -> None:
    """Send `session_ended` or `impersonation_ended` for rows that have just been deleted."""
    rows = list(rows)
    send_session_ended([row.user for row in rows if not row.is_impersonation], reason=reason, request=request)
    cause = "user_refused" if reason in REFUSALS_OF_USER else reason
    for row in rows:
        if row.is_impersonation:
            impersonation_ended.send_robust(
                sender=type(row.user),
                request=request,
                user=row.user,
                impersonator=row.impersonator,
                seconds=max(0, round(time.time() - row.started_at)),
                cause=cause if cause in IMPERSONATION_CAUSES else "session_ended",
            )


def send_session_ended(users: Iterable[Any], *, reason: str, request: HttpRequest | None = None) -> None:
    """Send `session_ended` for sessions of `users` that have just ended."""
    with batch(Cause.LOGTO):
        for user in users:
            session_ended.send_robust(sender=type(user), request=request, user=user, reason=reason)


@hide_frames
def encrypt_tokens(tokens: dict[str, Any], session_id: uuid.UUID) -> str:
    """Return the value of the column `encrypted_tokens` of the session `session_id`."""
    # Imported here, because cryptography takes long to import, and every command imports the models.
    from .encryption import encrypt

    return encrypt({"session": str(session_id), "tokens": tokens}, purpose="tokens")


@hide_frames
def decrypt_tokens(encrypted_tokens: str, session_id: uuid.UUID) -> dict[str, Any]:
    """Return what `encrypt_tokens` encrypted.

    Return an empty dict if `SECRET_KEY` has changed since, or if the text was copied from the row of another session.
    """
    from .encryption import decrypt

    value = decrypt(encrypted_tokens, purpose="tokens") or {}
    tokens: dict[str, Any] = value["tokens"] if value.get("session") == str(session_id) else {}
    return tokens


class LogtoSession(models.Model):
    """A session of this site that began with a sign-in at Logto, with its encrypted tokens. It ends with the row.

    Times that are compared are in seconds since the epoch, so that neither `USE_TZ` nor daylight saving time matters.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="logto_sessions", verbose_name=_("user")
    )
    identity = models.ForeignKey(
        LogtoIdentity, on_delete=models.CASCADE, related_name="sessions", verbose_name=_("Logto identity")
    )
    sid = models.CharField(max_length=255, blank=True, db_index=True, editable=False)
    encrypted_tokens = models.TextField(editable=False)
    # The organization that the user chose. Whether they belong to it is checked at each use.
    chosen_organization = models.CharField(max_length=255, blank=True, editable=False)
    user_agent = models.CharField(_("browser"), max_length=255, blank=True, editable=False)
    ip_address = models.GenericIPAddressField(_("IP address"), null=True, editable=False)
    created_at = models.DateTimeField(_("signed in at"), auto_now_add=True)
    # The same time, for comparisons.
    started_at = models.FloatField(default=time.time, editable=False)
    # When Django's session has certainly expired, so that the row may be deleted: see `sessions.store`.
    delete_after = models.FloatField(editable=False)
    # The time until which the latest claims are fresh, and the state of a refresh: see `sessions.refresh`.
    version = models.PositiveIntegerField(default=0, editable=False)
    fresh_until = models.FloatField(editable=False)
    no_refresh_before = models.FloatField(default=0, editable=False)
    unreachable_since = models.FloatField(null=True, editable=False)
    # The verification record of the Account API, and when it expires: see `sessions.account`.
    # The database has the defaults too: during an upgrade, the former version writes rows without these columns.
    encrypted_verification_id = models.TextField(blank=True, default="", db_default="", editable=False)
    verified_until = models.FloatField(default=0, db_default=0, editable=False)
    # In an impersonation: the staff member who acts as `user`, the id of the row of that person's own session, and the
    # time at which it ends. The id is no foreign key, so that ending rows stays one query.
    impersonator = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
        editable=False,
        verbose_name=_("impersonator"),
    )
    impersonator_session = models.UUIDField(null=True, editable=False)
    impersonation_ends_at = models.FloatField(null=True, editable=False)

    objects = LogtoSessionQuerySet.as_manager()

    class Meta:
        verbose_name = _("Logto session")
        verbose_name_plural = _("Logto sessions")
        ordering = ("-started_at",)

    def __str__(self) -> str:
        return str(self.id)

    @property
    def is_impersonation(self) -> bool:
        """Whether staff act as the user of this session."""
        return self.impersonation_ends_at is not None

    @property
    def tokens(self) -> dict[str, Any]:
        """The tokens and claims, as `sessions.store` wrote them; empty if they cannot be decrypted."""
        return decrypt_tokens(self.encrypted_tokens, self.id)

    @tokens.setter
    def tokens(self, value: dict[str, Any]) -> None:
        self.encrypted_tokens = encrypt_tokens(value, self.id)


class LogtoOrganizationQuerySet(RowQuerySet["Organization"]):
    """Look-ups of organizations by their id at the configured Logto."""

    def for_logto_id(self, logto_id: str) -> LogtoOrganizationQuerySet:
        """Return the organization with this id at Logto, at most one."""
        return self.filter(digest=make_digest(conf.issuer, logto_id))  # type: ignore[no-any-return]

    def for_logto_ids(self, logto_ids: Collection[str]) -> LogtoOrganizationQuerySet:
        """Return the organizations with these ids at Logto."""
        return self.filter(digest__in=[make_digest(conf.issuer, logto_id) for logto_id in logto_ids])  # type: ignore[no-any-return]

    def get_or_create_for_logto_id(self, logto_id: str) -> Organization:
        """Return the organization with this id at Logto. Its row is created if it is missing."""
        organization: Organization
        organization, _created = self.get_or_create(
            digest=make_digest(conf.issuer, logto_id), defaults={"issuer": conf.issuer, "logto_id": logto_id}
        )
        return organization

    def create_missing(self, names: Mapping[str, str]) -> None:
        """Create rows for the organizations that have none. `names` maps ids at Logto to names. One query."""

        def create(storable_names: dict[str, str]) -> bool:
            rows = [
                Organization(
                    issuer=conf.issuer,
                    logto_id=logto_id,
                    digest=make_digest(conf.issuer, logto_id),
                    name=storable_names.get(logto_id, ""),
                )
                for logto_id in names
            ]
            with atomic():
                self.bulk_create(rows, ignore_conflicts=True)
            return True

        write_storable({logto_id: name[:255] for logto_id, name in names.items()}, create)


class Organization(models.Model):
    """An organization at one Logto, for foreign keys of a site. It is updated when its members sign in."""

    issuer = models.CharField(_("issuer"), max_length=255)
    logto_id = models.CharField(_("id at Logto"), max_length=255)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    name = models.CharField(
        _("name"),
        max_length=255,
        blank=True,
        help_text=_("Updated from Logto if the claims contain it: see organization_data in LOGTO_USERINFO_CLAIMS."),
    )
    subdomain = models.SlugField(
        _("subdomain"),
        max_length=63,
        unique=True,
        null=True,
        blank=True,
        help_text=_("The subdomain that selects the organization, instead of its id. Chosen by this site."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = LogtoOrganizationQuerySet.as_manager()

    class Meta:
        # For foreign keys to it.
        base_manager_name = "objects"
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name or self.logto_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.digest = make_digest(self.issuer, self.logto_id)
        # Store NULL: a second "" would violate the unique constraint.
        self.subdomain = self.subdomain or None
        super().save(*args, **kwargs)


class OrganizationMembership(models.Model):
    """The membership of a user in an organization, with their roles in it, as of the latest claims."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("organization")
    )
    identity = models.ForeignKey(
        LogtoIdentity, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("Logto identity")
    )
    roles = models.JSONField(_("roles"), default=list, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = RowQuerySet.as_manager()

    class Meta:
        verbose_name = _("organization membership")
        verbose_name_plural = _("organization memberships")
        constraints = (models.UniqueConstraint(fields=("organization", "identity"), name="logto_auth_member_once"),)

    def __str__(self) -> str:
        return f"{self.identity} @ {self.organization}"


class WebhookMark(models.Model):
    """The time of the newest webhook applied to an object, so that stale ones are ignored: see `webhooks.ordering`."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    at = models.FloatField(db_index=True, editable=False)

    objects = RowQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.digest


class SyncRun(models.Model):
    """A run of `logto_sync` and its position, so that another process can resume it: see `sync.runs`."""

    issuer = models.CharField(max_length=255, editable=False)
    creates_users = models.BooleanField(editable=False)
    is_dry = models.BooleanField(editable=False)
    # The kind of the run until it ends, then NULL: at most one run of a kind is open.
    open_kind = models.CharField(max_length=64, unique=True, null=True, blank=True, editable=False)
    # Who continues the run, a number that changes with each holder, and the time of the latest step, in epoch seconds.
    holder = models.CharField(max_length=64, editable=False)
    turn = models.PositiveIntegerField(default=1, editable=False)
    active_at = models.FloatField(editable=False)
    position = models.JSONField(default=dict, editable=False)
    counts = models.JSONField(default=dict, editable=False)
    started_at = models.DateTimeField(auto_now_add=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = RowQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


class SyncNote(models.Model):
    """A role or membership that a run has listed and not applied yet. It is deleted when the run ends."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="notes", db_index=False)
    digest = models.CharField(max_length=64, editable=False)
    organization = models.CharField(max_length=255, blank=True, editable=False)
    # As JSON, which is ASCII: the name may have characters that the database does not store.
    role = models.JSONField(default=str, editable=False)

    objects = RowQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=("run", "digest"), name="logto_auth_sync_note"),)

    def __str__(self) -> str:
        return self.digest


class SyncPart(models.Model):
    """Pages of users that one Celery task of a run syncs. It is deleted when the run ends."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="parts")
    first_page = models.PositiveIntegerField(editable=False)
    last_page = models.PositiveIntegerField(editable=False)
    # How often a worker has started it.
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    is_done = models.BooleanField(default=False, editable=False)
    counts = models.JSONField(default=dict, editable=False)

    objects = RowQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.first_page}-{self.last_page}"
