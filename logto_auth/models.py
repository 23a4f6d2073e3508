"""Who is who at Logto, and who is signed in."""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .encryption import decrypt, encrypt


class LogtoIdentity(models.Model):
    """A person at one Logto, by issuer and `sub`: the only thing a user is ever recognised by."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="logto_identities", verbose_name=_("user")
    )
    issuer = models.CharField(_("issuer"), max_length=255)
    sub = models.CharField(_("subject"), max_length=255)
    # Databases differ in whether "a" and "A" are the same text; a digest is the same to all of them.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("Logto identity")
        verbose_name_plural = _("Logto identities")

    def __str__(self) -> str:
        return self.sub

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.digest = self.make_digest(self.issuer, self.sub)
        super().save(*args, **kwargs)

    @staticmethod
    def make_digest(issuer: str, sub: str) -> str:
        """What `(issuer, sub)` is found by."""
        return hashlib.sha256(f"{issuer}\n{sub}".encode()).hexdigest()


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
