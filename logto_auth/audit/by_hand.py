"""What a signed-in user, such as staff in the admin, does to accounts here: flags, groups, permissions, and deletions.

Receivers of the signals of the user model. A change that Logto has caused is in a batch, and `receivers` records it.
What commands and the shell change is not recorded, because there is no signed-in user who does it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, Permission
from django.http import HttpRequest

from logto_auth.batches import current_batch
from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity
from logto_auth.transactions import database
from logto_auth.users.current_request import answered_request, unwrapped
from logto_auth.users.rights import flag_columns

from .erasing import leave_out
from .models import AuditEvent
from .recording import build_event, try_to_write

__all__: list[str] = []

# Where the flags before a save are kept until after it.
FORMER = "_logto_audit_former_flags"
# The event of an account that the user of a request has deleted in it.
OWN_DELETION = "_logto_audit_own_deletion"


def keep_former_flags(
    sender: Any,
    instance: Any,
    raw: bool = False,
    using: str | None = None,
    update_fields: Collection[str] | None = None,
    **kwargs: Any,
) -> None:
    """Receiver of `pre_save` of the user model. One query, if a signed-in user saves a flag of an account."""
    vars(instance).pop(FORMER, None)
    # Columns only: the code of a property may need a saved account. Deferred columns are not in `update_fields`.
    names = [name for name in flag_columns(sender) if update_fields is None or name in update_fields]
    if raw or not names or actor() is None or not _is_here(using):
        return
    former = None
    if instance.pk is not None:
        former = sender._base_manager.using(database()).filter(pk=instance.pk).values(*names).first()
    if former is None and instance._state.adding:
        former = {name: name == "is_active" for name in names}
    vars(instance)[FORMER] = former or {}


def record_flags(sender: object, instance: Any, **kwargs: Any) -> None:
    """Receiver of `post_save` of the user model."""
    former = vars(instance).pop(FORMER, {})
    changed = [name for name in former if former[name] != getattr(instance, name)]
    if changed:
        details = {
            "former": {name: former[name] for name in changed},
            "current": {name: getattr(instance, name) for name in changed},
        }
        _record([instance], details)


def record_deletion(sender: object, instance: Any, using: str | None = None, **kwargs: Any) -> None:
    """Receiver of `pre_delete` of the user model, in the transaction of the deletion. Two queries."""
    request, by = answered_request(), actor()
    if request is None or by is None or not _is_here(using):
        return
    identity = LogtoIdentity.objects.filter(user_id=instance.pk, issuer=conf.issuer).first()
    sub = identity.sub if identity is not None else ""
    is_own = by.pk == instance.pk
    event = build_event(
        "account_deleted", request, actor=by, actor_sub=sub if is_own else "", user=instance, user_sub=sub
    )
    # It is erased from all other events now.
    leave_out(event, event.user_id)
    try_to_write([event])
    if is_own:
        vars(request)[OWN_DELETION] = event


def recorded_own_deletion(request: HttpRequest) -> bool:
    """Return whether the user of `request` has deleted their account in it, and the event of that is stored."""
    event = vars(request).get(OWN_DELETION)
    # The transaction may have been rolled back.
    return event is not None and AuditEvent.objects.filter(digest=event.digest).exists()


def record_groups(sender: object, instance: Any, action: str, reverse: bool, **kwargs: Any) -> None:
    """Receiver of `m2m_changed` of the groups of the user model."""
    _record_related("groups", instance, action, reverse, **kwargs)


def record_permissions(sender: object, instance: Any, action: str, reverse: bool, **kwargs: Any) -> None:
    """Receiver of `m2m_changed` of the permissions of the user model."""
    _record_related("permissions", instance, action, reverse, **kwargs)


def _record_related(
    name: str,
    instance: Any,
    action: str,
    reverse: bool,
    *,
    model: Any,
    pk_set: Collection[Any] | None,
    using: str | None = None,
    **kwargs: Any,
) -> None:
    # Before everything is removed, the database says what that is.
    if action not in ("post_add", "post_remove", "pre_clear") or actor() is None or not _is_here(using):
        return
    field = "groups" if name == "groups" else "user_permissions"
    rows = model._base_manager.using(database())
    if action != "pre_clear":
        rows = rows.filter(pk__in=pk_set or ())
    elif reverse:
        # Not by the name of the manager: a site may have changed `related_name`, because Django's has to be unique.
        rows = rows.filter(**{field: instance.pk})
    else:
        rows = getattr(instance, field).using(database())
    verb = "added" if action == "post_add" else "removed"
    if reverse:
        _record(rows, {f"{name}_{verb}": [_text(instance)]})
        return
    if issubclass(model, Permission):
        rows = rows.select_related("content_type")
    if texts := sorted(map(_text, rows)):
        _record([instance], {f"{name}_{verb}": texts})


def _text(row: Any) -> str:
    """Return the name of a group, or the code of a permission; the primary key if the model has no natural key."""
    if not callable(getattr(row, "natural_key", None)):
        return str(row.pk)
    natural_key = row.natural_key()
    return str(natural_key[0]) if len(natural_key) == 1 else f"{natural_key[1]}.{natural_key[0]}"


def actor() -> AbstractBaseUser | None:
    """Return the signed-in user who makes the change; None in a batch and outside of a request.

    The user is not loaded: code that loads the user may save accounts, and would be called within itself.
    """
    request = answered_request()
    if request is None or current_batch() is not None:
        return None
    for user in (unwrapped(getattr(request, "user", None)), getattr(request, "_acached_user", None)):
        if isinstance(user, AbstractBaseUser):
            return user
    return None


def _is_here(using: str | None) -> bool:
    """Return whether the rows are those of the accounts that sign in, not copies in another database."""
    return using is None or using == database()


def _record(users: Iterable[Any], details: dict[str, Any]) -> None:
    """Record the same change of each of `users`, with one INSERT."""
    request, by = answered_request(), actor()
    if by is None:
        return
    # Not as a part of the attempt: an error of the database here would break a transaction of the caller.
    changed = list(users)
    try_to_write(build_event("rights_changed", request, actor=by, user=user, details=details) for user in changed)
