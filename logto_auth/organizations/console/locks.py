"""A lock while the state at Logto is read and then changed, so that two requests of this site do so in turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections

from logto_auth.models import LogtoIdentity, Organization, RowQuerySet
from logto_auth.transactions import atomic

__all__ = ["organization_locked", "user_locked"]


@contextmanager
def organization_locked(organization_id: str) -> Iterator[None]:
    """Lock the row of an organization, which is created if it is missing, during a block that calls Logto."""
    organization = Organization.objects.get_or_create_for_logto_id(organization_id)
    with _locked(Organization.objects.filter(pk=organization.pk), issuer=organization.issuer):
        yield


@contextmanager
def user_locked(issuer: str, sub: str) -> Iterator[None]:
    """Lock the row of a user, if there is one, during a block that calls Logto."""
    with _locked(LogtoIdentity.objects.for_sub(issuer, sub), issuer=issuer):
        yield


@contextmanager
def _locked(rows: RowQuerySet[Any], **unchanged: str) -> Iterator[None]:
    with atomic():
        if connections[rows.db].features.has_select_for_update:
            rows.lock()
        else:
            # SQLite has no lock of a row. The first change of a transaction locks the database.
            rows.update(**unchanged)
        yield
