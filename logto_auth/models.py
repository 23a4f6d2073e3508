"""Who is who at Logto, who is signed in, and who belongs to which organization."""

from __future__ import annotations

import hashlib
import uuid
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .encryption import decrypt, encrypt


def make_digest(issuer: str, id: str) -> str:
    """What somebody or something at one Logto is found by. Databases differ in whether "a" and "A" are the same text; a
    digest is the same to all of them (decision 0004)."""
    return hashlib.sha256(f"{issuer}\n{id}".encode()).hexdigest()


class Standing(str, Enum):
    """What a person is at Logto."""

    GOOD = "good"
    SUSPENDED = "suspended"
    DELETED = "deleted"


STANDINGS = [
    (Standing.GOOD.value, _("in good standing")),
    (Standing.SUSPENDED.value, _("suspended")),
    (Standing.DELETED.value, _("deleted")),
]


class LogtoIdentity(models.Model):
    """A person at one Logto, by issuer and `sub`: the only thing a user is ever recognised by."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="logto_identities", verbose_name=_("user")
    )
    issuer = models.CharField(_("issuer"), max_length=255)
    sub = models.CharField(_("subject"), max_length=255)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    # Names, as Logto last said: an access token does not say them.
    roles = models.JSONField(_("roles"), default=list, blank=True, editable=False)
    # As Logto last said, since when, and whether that is why the account is switched off: see `standing`.
    standing = models.CharField(
        _("at Logto"), max_length=10, choices=STANDINGS, default=Standing.GOOD.value, editable=False
    )
    standing_at = models.DateTimeField(null=True, editable=False)
    has_switched_off = models.BooleanField(default=False, editable=False)
    # The latest `SyncRun` that had the person on one of its pages.
    seen_in_run = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("Logto identity")
        verbose_name_plural = _("Logto identities")
        permissions = (("manage_at_logto", "Can manage people at Logto"),)

    def __str__(self) -> str:
        return self.sub

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.digest = make_digest(self.issuer, self.sub)
        super().save(*args, **kwargs)


class LogtoSession(models.Model):
    """A session of this site that began with a sign-in at Logto, and its tokens, encrypted."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    identity = models.ForeignKey(
        LogtoIdentity, on_delete=models.CASCADE, related_name="sessions", verbose_name=_("Logto identity")
    )
    session_key = models.CharField(max_length=40, db_index=True, editable=False)
    sid = models.CharField(max_length=255, blank=True, db_index=True, editable=False)
    encrypted_tokens = models.TextField(editable=False)
    user_agent = models.CharField(_("browser"), max_length=255, blank=True, editable=False)
    ip_address = models.GenericIPAddressField(_("IP address"), null=True, editable=False)
    created_at = models.DateTimeField(_("signed in at"), auto_now_add=True)
    # Until when Logto's last word counts, and how refreshing is going: see `refreshing`.
    version = models.PositiveIntegerField(default=0, editable=False)
    fresh_until = models.DateTimeField(editable=False)
    no_refresh_before = models.DateTimeField(null=True, editable=False)
    unreachable_since = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("Logto session")
        verbose_name_plural = _("Logto sessions")
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return str(self.id)

    @property
    def tokens(self) -> dict[str, Any]:
        """The tokens and claims, as `sessions` wrote them; empty when `SECRET_KEY` has changed since."""
        return decrypt(self.encrypted_tokens, purpose="tokens") or {}

    @tokens.setter
    def tokens(self, value: dict[str, Any]) -> None:
        self.encrypted_tokens = encrypt(value, purpose="tokens")


class Organization(models.Model):
    """An organization at one Logto, for models of a site to point to. Members keep it up to date by signing in."""

    issuer = models.CharField(_("issuer"), max_length=255)
    logto_id = models.CharField(_("id at Logto"), max_length=255)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    name = models.CharField(
        _("name"),
        max_length=255,
        blank=True,
        help_text=_("Follows Logto where the claims have it: see organization_data in LOGTO_USERINFO_CLAIMS."),
    )
    subdomain = models.SlugField(
        _("subdomain"),
        max_length=63,
        unique=True,
        null=True,
        blank=True,
        help_text=_("What stands for the organization in an address, in place of its id. For this site to choose."),
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("organization")
        verbose_name_plural = _("organizations")
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name or self.logto_id

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.digest = make_digest(self.issuer, self.logto_id)
        # No text is unique only once.
        self.subdomain = self.subdomain or None
        super().save(*args, **kwargs)


class OrganizationMembership(models.Model):
    """That a person belongs to an organization, as Logto last said, and with which roles in it."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("organization")
    )
    identity = models.ForeignKey(
        LogtoIdentity, on_delete=models.CASCADE, related_name="memberships", verbose_name=_("Logto identity")
    )
    roles = models.JSONField(_("roles"), default=list, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("membership of an organization")
        verbose_name_plural = _("memberships of organizations")
        constraints = (models.UniqueConstraint(fields=("organization", "identity"), name="logto_auth_member_once"),)

    def __str__(self) -> str:
        return f"{self.identity} @ {self.organization}"


class WebhookMark(models.Model):
    """Until when webhooks have told about something, so that what comes late undoes nothing: see `order`."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    at = models.DateTimeField(db_index=True, editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.digest


class SyncRun(models.Model):
    """A run of `logto_sync`: how far it has come, so that another process can go on where one was killed."""

    issuer = models.CharField(max_length=255, editable=False)
    creates_users = models.BooleanField(editable=False)
    is_dry = models.BooleanField(editable=False)
    position = models.JSONField(default=dict, editable=False)
    counts = models.JSONField(default=dict, editable=False)
    started_at = models.DateTimeField(auto_now_add=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


class SyncNote(models.Model):
    """What a run was told about a person and has not used yet: a role, a membership, or a role in it. The run deletes
    its notes when it ends."""

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="notes", db_index=False)
    digest = models.CharField(max_length=64, editable=False)
    organization = models.CharField(max_length=255, blank=True, editable=False)
    role = models.CharField(max_length=255, blank=True, editable=False)

    class Meta:
        default_permissions = ()
        indexes = (models.Index(fields=("run", "digest"), name="logto_auth_sync_note"),)

    def __str__(self) -> str:
        return self.digest
