"""Which passwords have moved to Logto."""

from __future__ import annotations

from django.db import models

from logto_auth.models import LogtoIdentity, RowQuerySet

__all__ = ["MovedPassword"]


class MovedPassword(models.Model):
    """A user at Logto who has a password there, so that this site never confirms one again. It holds no password.

    With the identity, the row goes too: after a rollback of an import, nothing has moved.
    """

    identity = models.OneToOneField(LogtoIdentity, on_delete=models.CASCADE, related_name="+")
    # When this site confirmed the password, or learned that Logto has one. In seconds since the epoch.
    at = models.FloatField(editable=False)
    # Whether this site confirmed it. Otherwise the user has set one at Logto.
    by_site = models.BooleanField(editable=False)

    objects = RowQuerySet["MovedPassword"].as_manager()

    class Meta:
        base_manager_name = "objects"
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.identity_id)
