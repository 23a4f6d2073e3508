"""What is recorded: the signals of the package, as events of the audit trail.

The events of a batch, such as a sign-in or a page of a sync, are inserted together at its end. An event that cannot be
stored is logged. Only a sign-in can fail because of it, with `LOGTO_AUDIT_REQUIRED`.

The IP address and the browser are those of the actor. There is no actor if Logto has reported a change: then the
request, if there is one, is not that of the actor.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib.auth import SESSION_KEY
from django.db import transaction
from django.http import HttpRequest

from logto_auth.batches import Batch, Cause, current_batch
from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError, NotRecorded
from logto_auth.memberships.claims import organizations_in
from logto_auth.models import LogtoIdentity, UserStatus
from logto_auth.oidc.types import Claims
from logto_auth.transactions import database, repeat_after_deadlock
from logto_auth.users.current_request import answered_request
from logto_auth.users.rights import flags_of, rights_of

from .by_hand import recorded_own_deletion
from .erasing import erase_account, leave_out
from .models import PASSWORD_PREFIX, RefusedSignIns
from .recording import build_event, log_missed, try_to_write, write_events

if TYPE_CHECKING:
    from .models import AuditEvent

__all__: list[str] = []

# The user of the request is the actor.
BY_ACTOR = {Cause.STAFF, Cause.USER}
# Reasons for which another request than one of the session may end it, such as that of staff in the admin.
BY_STAFF = {"account_disabled", "ended_by_staff"}


# Changes of accounts, which Logto reports


def record_created(sender: object, user: Any, claims: Claims, **kwargs: Any) -> None:
    """Receiver of `user_created`."""
    sub, details = _sub_in(claims), _rights_in(user, claims)
    # Outside of a batch, an access token has created the account.
    current = current_batch()
    if current is None or current.cause is Cause.SIGN_IN:
        _record_own("account_created", user, sub, request=_request_of(current), details=details)
    else:
        _record("account_created", user, sub, details=details)


def record_linked(sender: object, user: Any, identity: LogtoIdentity, **kwargs: Any) -> None:
    """Receiver of `identity_linked`."""
    _record("identity_linked", user, identity.sub)


def record_rights(
    sender: object,
    user: Any,
    identity: LogtoIdentity,
    former: Mapping[str, Any],
    current: Mapping[str, Any],
    **kwargs: Any,
) -> None:
    """Receiver of `rights_changed`."""
    _record("rights_changed", user, identity.sub, details={"former": former, "current": current})


def record_memberships(
    sender: object,
    user: Any,
    identity: LogtoIdentity,
    former: Mapping[str, Any],
    current: Mapping[str, Any],
    **kwargs: Any,
) -> None:
    """Receiver of `memberships_changed`. The event names the organization if there is only one."""
    ids = former.keys() | current.keys()
    _record(
        "memberships_changed",
        user,
        identity.sub,
        organization_id=next(iter(ids)) if len(ids) == 1 else "",
        details={"former": former, "current": current},
    )


def record_suspended(sender: object, user: Any, identity: LogtoIdentity, status: UserStatus, **kwargs: Any) -> None:
    """Receiver of `user_suspended`."""
    _record("suspended", user, identity.sub, details={"status": UserStatus(status).value})
    if status == UserStatus.DELETED:
        _erase(user)


def record_password_migrated(sender: object, user: Any, identity: LogtoIdentity, **kwargs: Any) -> None:
    """Receiver of `password_migrated`. Logto has asked, so there is no actor."""
    _record("password_migrated", user, identity.sub)


def record_reactivated(sender: object, user: Any, identity: LogtoIdentity, **kwargs: Any) -> None:
    """Receiver of `user_reactivated`."""
    _record("reactivated", user, identity.sub)


# The console of organizations


def record_organization(
    sender: object,
    request: HttpRequest,
    user: Any,
    organization_id: str,
    action: str,
    target: str = "",
    details: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> None:
    """Receiver of `organization_changed`. The target is the user of the event, also without an account here."""
    principal = getattr(request, "logto", None)
    actor_sub = getattr(principal, "sub", None) or ""
    _add(
        build_event(
            action,
            request,
            actor=user,
            actor_sub=actor_sub,
            user=user if target and target == actor_sub else _account_of(target),
            user_sub=target,
            organization_id=organization_id,
            details={**(details or {}), **_client_of(request)},
        )
    )


def _client_of(request: HttpRequest) -> dict[str, str]:
    """Return which application has acted for the user, if there is an access token."""
    client_id = getattr(getattr(getattr(request, "logto", None), "token", None), "client_id", None)
    return {"client_id": client_id} if client_id else {}


def _account_of(sub: str) -> Any:
    """Return the account of a user of Logto, None if there is none. One query."""
    if not sub:
        return None
    identity = LogtoIdentity.objects.for_sub(conf.issuer, sub).select_related("user").first()
    return identity.user if identity is not None else None


# Sessions


def record_session_ended(
    sender: object, user: Any, reason: str, request: HttpRequest | None = None, **kwargs: Any
) -> None:
    """Receiver of `session_ended`."""
    details, current = {"reason": reason}, answered_request()
    if reason == "ended_by_user":
        _record_own("session_ended", user, request=current, details=details)
    elif request is None and current is not None and reason in BY_STAFF:
        # Without an actor if nobody is signed in, as at a webhook.
        _add(build_event("session_ended", current if _is_signed_in(current) else None, user=user, details=details))
    else:
        _record("session_ended", user, details=details)


def record_impersonation_started(
    sender: object, request: HttpRequest, user: Any, impersonator: Any, reason: str, seconds: int, **kwargs: Any
) -> None:
    """Receiver of `impersonation_started`."""
    details = {"reason": reason, "seconds": seconds}
    _add(_impersonation_event("impersonation_started", request, user, impersonator, details=details))


def record_impersonation_ended(
    sender: object, request: HttpRequest | None, user: Any, impersonator: Any, cause: str, seconds: int, **kwargs: Any
) -> None:
    """Receiver of `impersonation_ended`. The request may be one of another person, or of Logto."""
    own = request if getattr(request, "impersonator", None) == impersonator else None
    details = {"cause": cause, "seconds": seconds}
    _add(_impersonation_event("impersonation_ended", own, user, impersonator, details=details))


def record_impersonation_refused(
    sender: object, request: HttpRequest, user: Any, impersonator: Any, code: str, reason: str, **kwargs: Any
) -> None:
    """Receiver of `impersonation_refused`. There is no actor if a visitor has tried."""
    details = {"code": code, **({"reason": reason} if reason else {})}
    _add(_impersonation_event("impersonation_refused", request, user, impersonator, outcome="refused", details=details))


def _impersonation_event(
    action: str, request: HttpRequest | None, user: Any, impersonator: Any, **values: Any
) -> AuditEvent:
    """Return the event, with the ids at Logto. Two queries."""
    return build_event(
        action,
        request,
        actor=impersonator,
        actor_sub=_sub_of(impersonator),
        user=user,
        user_sub=_sub_of(user),
        **values,
    )


def _sub_of(user: Any) -> str:
    """Return the id of an account at the configured Logto, "" if it has none."""
    if user is None or user.pk is None:
        return ""
    subs = LogtoIdentity.objects.filter(user_id=user.pk, issuer=conf.issuer).order_by("pk")
    return subs.values_list("sub", flat=True).first() or ""


def record_signed_out(sender: object, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Receiver of `signed_out`."""
    _record_own("sign_out", user, request=request)


def record_password_sign_in(sender: object, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Receiver of `signed_in_with_password`."""
    _record_own("admin_password_sign_in", user, request=request)


# Commands


def record_issuer(sender: object, issuer: str, identities: int, organizations: int, **kwargs: Any) -> None:
    """Receiver of `issuer_changed`."""
    details = {"issuer": issuer, "identities": identities, "organizations": organizations}
    _add(build_event("issuer_changed", details=details))


# The account pages


def record_account_changed(
    sender: object, request: HttpRequest, user: Any, task: str, changed: frozenset[str], **kwargs: Any
) -> None:
    """Receiver of `account_changed`."""
    _record_own("account_changed", user, request=request, details={"task": task, "changed": sorted(changed)})


def record_account_edited(sender: object, request: HttpRequest, user: Any, change: str, **kwargs: Any) -> None:
    """Receiver of `account_edited`."""
    _record_own("account_changed", user, request=request, details={"change": change})


def record_account_deleted(sender: object, request: HttpRequest, claims: Claims, **kwargs: Any) -> None:
    """Receiver of `account_deleted`: without personal data. It is erased, also if the site has kept the row."""
    # The account may have no key any more.
    key = str(request.session.get(SESSION_KEY) or "")
    if not recorded_own_deletion(request):
        sub = _sub_in(claims)
        event = build_event("account_deleted", actor_sub=sub, user_sub=sub)
        event.actor_id = event.user_id = key
        _add(event)
    if key:
        erase_account(key)


# API keys


def record_api_keys_limited(sender: object, request: HttpRequest, **kwargs: Any) -> None:
    """Receiver of `api_keys_limited`. The address is that of the request, and personal data."""
    _add(build_event("api_keys_limited", request, outcome="refused"))


def record_api_key(sender: object, request: HttpRequest, user: Any, action: str, key_id: str, **kwargs: Any) -> None:
    """Receiver of `api_key_changed`. The name of a key may be personal data, so the event has its id."""
    sub = getattr(getattr(request, "logto", None), "sub", None) or ""
    details = {"key": key_id, **_client_of(request)}
    _record_own(f"api_key_{action}", user, sub, request=request, details=details)


# Personal data of deleted users


def erase_deleted_account(sender: object, instance: Any, using: str | None = None, **kwargs: Any) -> None:
    """Receiver of `pre_delete` of the user model. Without the erasure, the account is not deleted.

    A copy in another database is no account, see `transactions.database`.
    """
    if using is None or using == database():
        _erase(instance)


def _erase(user: Any) -> None:
    erase_account(user.pk)
    current = current_batch()
    for event in current.collected if current is not None else ():
        leave_out(event, str(user.pk))


# The end of a batch


def record_batch(sender: object, batch: Batch, **kwargs: Any) -> None:
    """Insert the events of a batch, and that of its sign-in: a receiver of `batch_ended`.

    Raise NotRecorded if a sign-in cannot be recorded and `LOGTO_AUDIT_REQUIRED` is set.
    """
    is_signed_in = batch.cause is Cause.SIGN_IN and batch.user is not None
    try:
        if is_signed_in:
            sub = _sub_in(batch.claims)
            batch.collected.append(
                build_event("sign_in", batch.request, actor=batch.user, actor_sub=sub, user=batch.user, user_sub=sub)
            )
        write_events(batch.collected)
    except Exception as error:
        if (is_signed_in or batch.must_be_recorded) and conf.audit_required:
            what = "a sign-in" if is_signed_in else "the start of an impersonation"
            raise NotRecorded(
                f"The audit trail did not store {what} ({type(error).__name__}), and LOGTO_AUDIT_REQUIRED is set. "
                "Is the database in order, and are all migrations applied?"
            ) from error
        log_missed(error)
    finally:
        batch.collected.clear()


# Refused sign-ins, which anybody can cause


def count_refused(sender: object, error: LogtoError, **kwargs: Any) -> None:
    """Count a refused sign-in: a receiver of `sign_in_refused`."""
    _count(error.code)


def count_refused_password(sender: object, code: str, **kwargs: Any) -> None:
    """Count an attempt at the password form of the admin: a receiver of `password_sign_in_refused`."""
    _count(f"{PASSWORD_PREFIX}{code}")


def _count(code: str) -> None:
    """Count after the transaction of the request.

    A row that all refused sign-ins change must not stay locked, and requests that insert it while each of them holds
    locks could wait for each other.
    """
    transaction.on_commit(partial(_count_now, code), using=database())


def _count_now(code: str) -> None:
    try:
        repeat_after_deadlock(partial(RefusedSignIns.objects.add_one, code))
    except Exception as error:
        log_missed(error)


# Events


def _record(action: str, user: Any, sub: str = "", **values: Any) -> None:
    """Record what has happened to a user: at the sign-in of the user, by staff or another user, or without an actor."""
    current = current_batch()
    if current is not None and current.cause is Cause.SIGN_IN:
        _record_own(action, user, sub, request=current.request, **values)
    elif current is not None and current.cause in BY_ACTOR:
        _add(build_event(action, current.request, user=user, user_sub=sub, **values))
    else:
        _add(build_event(action, user=user, user_sub=sub, **values))


def _record_own(action: str, user: Any, sub: str = "", *, request: HttpRequest | None, **values: Any) -> None:
    """Record what users have done themselves."""
    _add(build_event(action, request, actor=user, actor_sub=sub, user=user, user_sub=sub, **values))


def _add(event: AuditEvent) -> None:
    """Insert the event with its batch, or now if there is none."""
    current = current_batch()
    if current is not None:
        current.collected.append(event)
        return
    try_to_write([event])


def _is_signed_in(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)
    return user is not None and user.is_authenticated


def _request_of(current: Batch | None) -> HttpRequest | None:
    return answered_request() if current is None else current.request


def _sub_in(claims: Claims) -> str:
    sub = claims.get("sub")
    return sub if isinstance(sub, str) else ""


def _rights_in(user: Any, claims: Claims) -> dict[str, Any]:
    """Return the rights of a new account: its roles, groups, flags and organizations."""
    details: dict[str, Any] = {name: value for name, value in flags_of(user).items() if name != "is_active" and value}
    rights = rights_of(claims)
    if rights is not None:
        details |= {"roles": sorted(rights.roles), "groups": sorted(rights.groups)}
    if organizations := organizations_in(claims):
        details["organizations"] = {each.id: sorted(each.roles) for each in organizations}
    return details
