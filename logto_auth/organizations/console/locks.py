"""A lock while the state of an organization at Logto is read and then changed: see `logto_auth.users.locks`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from logto_auth.models import Organization
from logto_auth.users.locks import rows_locked

__all__ = ["organization_locked"]


@contextmanager
def organization_locked(organization_id: str) -> Iterator[None]:
    """Lock the row of an organization, which is created if it is missing, during a block that calls Logto."""
    organization = Organization.objects.get_or_create_for_logto_id(organization_id)
    with rows_locked(Organization.objects.filter(pk=organization.pk), issuer=organization.issuer):
        yield
