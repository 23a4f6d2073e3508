"""Who is shut out because Logto says so, and who may come back.

Somebody suspended or deleted at Logto is out at once: their sessions end, their tokens count for nothing, and the
account is switched off (`is_active`) unless another identity of theirs is left. Whoever was switched off by hand stays
so when a suspension is lifted (decision 0015).
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import transaction
from django.db.models import F

from logto_auth.models import LogtoIdentity, LogtoSession, UserStatus
from logto_auth.oidc.types import Claims


def suspend(identity: LogtoIdentity, status: UserStatus, at: datetime) -> bool:
    """Shut the person out, as Logto has since `at`; returns False when something newer is known.

    Deleted is for good: a `sub` that comes back is somebody else. What is told again switches off no account that was
    switched on by hand since.
    """
    with transaction.atomic():
        is_news = _take_over(identity, status, at)
        if is_news is None:
            return False
        LogtoSession.objects.filter(identity=identity).end()
        if is_news and _is_last_of_account(identity):
            _read_user_again(identity)
            if identity.user.is_active:
                LogtoIdentity.objects.filter(pk=identity.pk).update(deactivated_by_logto=True)
                _switch(identity.user, is_active=False)
    return True


def reactivate(identity: LogtoIdentity, at: datetime) -> bool:
    """Let a person in again who is in good standing at Logto since `at`; returns False when something newer is known.

    The account is switched on again if it was Logto who switched it off.
    """
    with transaction.atomic():
        if _take_over(identity, UserStatus.ACTIVE, at) is None:
            return False
        because_of_logto = LogtoIdentity.objects.filter(user_id=identity.user_id, deactivated_by_logto=True)
        if because_of_logto.update(deactivated_by_logto=False):
            _read_user_again(identity)
            _switch(identity.user, is_active=True)
    return True


def reactivate_on_sign_in(identity: LogtoIdentity, claims: Claims) -> None:
    """Let a suspended person in again who has just signed in: Logto signs nobody in who is suspended there.

    So a webhook that got lost, for Logto sends none twice, shuts nobody out for good.
    """
    issued_at = claims.get("iat")
    if identity.status == UserStatus.SUSPENDED and isinstance(issued_at, int):
        reactivate(identity, datetime.fromtimestamp(issued_at, tz=timezone.utc))


def forget_deactivation(
    sender: object, instance: Any, raw: bool = False, update_fields: frozenset[str] | None = None, **kwargs: Any
) -> None:
    """Receiver of `post_save` of the user model: an account that is switched on is not off because of Logto."""
    if instance.is_active and not raw and not kwargs.get("created") and "is_active" in (update_fields or {"is_active"}):
        LogtoIdentity.objects.filter(user_id=instance.pk, deactivated_by_logto=True).update(deactivated_by_logto=False)


def _take_over(identity: LogtoIdentity, status: UserStatus, at: datetime) -> bool | None:
    """Whether `status` is another one than before; None when something newer is known.

    The row is locked first: nobody may go by what `identity` was when it was read.
    """
    rows = LogtoIdentity.objects.filter(pk=identity.pk)
    # Changes nothing, and is a lock on SQLite too.
    rows.update(status=F("status"))
    former = rows.select_for_update().values_list("status", "status_at").first()
    if former is None or former[0] == UserStatus.DELETED or (former[1] is not None and former[1] > at):
        return None
    rows.update(status=status, status_at=at)
    identity.status, identity.status_at = status.value, at
    return bool(former[0] != status)


def _read_user_again(identity: LogtoIdentity) -> None:
    """The account as it is now that nobody else can change the status: it may have been switched meanwhile."""
    identity.user = type(identity.user)._base_manager.select_for_update().get(pk=identity.user_id)


def _is_last_of_account(identity: LogtoIdentity) -> bool:
    """Whether the account has no other identity in good standing, and can be switched off at all."""
    try:
        identity.user._meta.get_field("is_active")
    except FieldDoesNotExist:
        return False
    others = LogtoIdentity.objects.filter(user_id=identity.user_id, issuer=identity.issuer, status=UserStatus.ACTIVE)
    return not others.exists()


def _switch(user: Any, *, is_active: bool) -> None:
    # By save(), so that the receivers of the site and ours learn of it.
    user.is_active = is_active
    user.save(update_fields=["is_active"])
