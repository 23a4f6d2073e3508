"""Users whose rows stay when they are deleted."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class PresentUserManager(UserManager):
    """Only the users that are not deleted."""

    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(deleted_at=None)


class User(AbstractUser):
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = PresentUserManager()
    everyone = UserManager()
