"""The status of a user at Logto, and what it means for the account on this site.

When a user is suspended or deleted at Logto, all sessions end at once, tokens are refused, and the account is
deactivated (`is_active`) unless it has another active identity. An account that staff deactivated stays inactive when
the suspension is lifted (decision 0015).
"""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist
from django.db.models import F
from django.dispatch import Signal

from logto_auth.announcements import announce, identity_key
from logto_auth.exceptions import SignInRefused
from logto_auth.models import LogtoIdentity, LogtoSession, UserStatus, send_rows_ended
from logto_auth.oidc.types import Claims
from logto_auth.signals import user_reactivated, user_suspended
from logto_auth.transactions import atomic, database, locked

from .accepted import accepted_user


def suspend(identity: LogtoIdentity, status: UserStatus, at: float) -> bool:
    """Suspend a user whom Logto has reported as suspended or deleted at the time `at`, in seconds at Logto.

    Return False if something newer is known. A deleted user stays deleted: a `sub` that is used again is another user.
    Repeating a status does not deactivate an account that staff reactivated.
    """
    with atomic():
        has_changed = _store_status(identity, status, at)
        if has_changed is None:
            return False
        rows = LogtoSession.objects.filter(identity=identity).take()
        if has_changed and _is_last_active_of_account(identity):
            _reload_user(identity)
            if identity.user.is_active:
                LogtoIdentity.objects.filter(pk=identity.pk).update(deactivated_by_logto=True)
                rows += LogtoSession.objects.of_user(identity.user_id).take()
                _set_active(identity.user, is_active=False)
        # For sockets with access tokens. A socket of a session closes with its row.
        announce([identity_key(identity.pk)], using=database())
    # After the transaction: an error of a receiver in the database must not undo the suspension.
    send_rows_ended(rows, reason="account_disabled")
    if has_changed:
        _send(user_suspended, identity, status=status)
    return True


def reactivate(identity: LogtoIdentity, at: float) -> bool:
    """Reactivate a user whom Logto has reported as active at the time `at`, in seconds at Logto.

    Return False if something newer is known. The account is reactivated only if it was deactivated because of Logto.
    """
    with atomic():
        has_changed = _store_status(identity, UserStatus.ACTIVE, at)
        if has_changed is None:
            return False
        because_of_logto = LogtoIdentity.objects.filter(user_id=identity.user_id, deactivated_by_logto=True)
        if because_of_logto.update(deactivated_by_logto=False):
            _reload_user(identity)
            _set_active(identity.user, is_active=True)
    if has_changed:
        _send(user_reactivated, identity)
    return True


def lift_suspension(claims: Claims, *, started_at: float) -> bool:
    """Reactivate the suspended user of a sign-in that was started here at `started_at`; return whether it did.

    Logto signs in no suspended user, and does not repeat webhooks: after a lost one, this ends the suspension here. But
    Logto may accept a code that it issued before the suspension, so a sign-in that was started before this site knew
    of the suspension lifts nothing. Neither does a refresh, a silent sign-in or an access token.
    """
    suspended = LogtoIdentity.objects.for_sub(claims["iss"], claims["sub"]).filter(status=UserStatus.SUSPENDED)
    identity = suspended.filter(status_known_at__lt=started_at).first()
    return identity is not None and reactivate(identity, claims["iat"])


def release_account(user: AbstractBaseUser, issuer: str) -> bool:
    """Undo the deactivation of an account all of whose users at `issuer` were deleted there; return whether it did.

    Then their successor, such as a user who was created anew with the same e-mail, can get it. A deactivation by staff
    is not undone. Call it in a transaction.
    """
    identities = LogtoIdentity.objects.filter(user_id=user.pk, issuer=issuer)
    if identities.exclude(status=UserStatus.DELETED).exists():
        return False
    if not identities.filter(deactivated_by_logto=True).update(deactivated_by_logto=False):
        return False
    _set_active(user, is_active=True)
    return True


def refuse_inactive(identity: LogtoIdentity, *, joined: AbstractBaseUser | None = None) -> None:
    """Load `identity.user`. Raise SignInRefused if Logto or this site does not accept the user. One query.

    `joined` is the account as it was read with the identity: see `accepted_user`. Then there is no query.
    """
    if identity.status != UserStatus.ACTIVE:
        raise SignInRefused(f"The user {identity.sub} is {identity.status} at Logto.", code="account_disabled")
    identity.user = accepted_user(identity.user_id, joined=joined)  # type: ignore[assignment]


def forget_deactivation(
    sender: object, instance: Any, raw: bool = False, update_fields: frozenset[str] | None = None, **kwargs: Any
) -> None:
    """Receiver of `post_save` of the user model: an active account is not deactivated because of Logto."""
    if instance.is_active and not raw and not kwargs.get("created") and "is_active" in (update_fields or {"is_active"}):
        LogtoIdentity.objects.filter(user_id=instance.pk, deactivated_by_logto=True).update(deactivated_by_logto=False)


def _store_status(identity: LogtoIdentity, status: UserStatus, at: float) -> bool | None:
    """Store `status`; return whether it differs from the former one, or None if something newer is known.

    All identities of the account are locked first: `identity` may have changed since it was read, and simultaneous
    changes of two identities must see each other.
    """
    # This changes nothing, but it takes a lock on SQLite too.
    LogtoIdentity.objects.filter(user_id=identity.user_id).update(status=F("status"))
    rows = LogtoIdentity.objects.filter(pk=identity.pk)
    former = locked(rows).values_list("status", "status_at").first()
    if former is None or former[0] == UserStatus.DELETED or (former[1] is not None and former[1] > at):
        return None
    rows.update(status=status, status_at=at, status_known_at=time.time())
    identity.status, identity.status_at = status.value, at
    return bool(former[0] != status)


def _reload_user(identity: LogtoIdentity) -> None:
    """Read the account again under the lock of its identity: it may have been changed meanwhile."""
    identity.user = locked(type(identity.user)._base_manager.using(database())).get(pk=identity.user_id)


def _is_last_active_of_account(identity: LogtoIdentity) -> bool:
    """Return whether the account has no other active identity, and has a field `is_active` at all."""
    try:
        identity.user._meta.get_field("is_active")
    except FieldDoesNotExist:
        return False
    others = LogtoIdentity.objects.filter(user_id=identity.user_id, issuer=identity.issuer, status=UserStatus.ACTIVE)
    return not others.exists()


def _send(signal: Signal, identity: LogtoIdentity, **arguments: Any) -> None:
    # Without a receiver, the user need not be loaded.
    if signal.receivers:
        user = identity.user
        signal.send_robust(sender=type(user), user=user, identity=identity, **arguments)


def _set_active(user: Any, *, is_active: bool) -> None:
    # With save(), so that receivers of `post_save` run.
    user.is_active = is_active
    user.save(update_fields=["is_active"])
