"""How far the move is."""

from __future__ import annotations

from django.db.models import Exists, OuterRef

from logto_auth.clients import management_api
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.models import LogtoIdentity, UserStatus
from logto_auth.tenant.password_migration import stored_action
from logto_auth.tenant.site import password_migration_keys

from .accounts import is_over, left_accounts, linked_accounts, mark_moved
from .models import MovedPassword
from .values import Status

__all__ = ["find_moved", "status"]

BATCH = 100


def status() -> Status:
    """Return how many passwords have moved and how many are left, and whether Logto asks this site."""
    total, left = linked_accounts().count(), left_accounts().count()
    return Status(
        total=total,
        migrated=total - left,
        left=left,
        is_installed=_is_installed(),
        is_open=bool(left and password_migration_keys()) and not is_over(),
    )


def find_moved() -> int:
    """Ask Logto which users have a password there by now; return how many are new."""
    api, found, last_key = management_api(), 0, 0
    moved = MovedPassword.objects.filter(identity=OuterRef("pk"))
    left = LogtoIdentity.objects.filter(issuer=conf.issuer, status=UserStatus.ACTIVE, user__in=linked_accounts())
    while batch := list(left.filter(~Exists(moved), pk__gt=last_key).order_by("pk")[:BATCH]):
        last_key = batch[-1].pk
        by_sub = {identity.sub: identity for identity in batch}
        for row in api.users.with_ids(list(by_sub)):
            if row.get("hasPassword") is True and row["id"] in by_sub:
                found += mark_moved(by_sub[row["id"]], by_site=False)
    return found


def _is_installed() -> bool | None:
    try:
        action = stored_action(management_api())
    except (ConfigurationError, LogtoError):
        return None
    return action is not None and action.is_ours and action.is_enabled
