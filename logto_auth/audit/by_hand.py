"""Rights that a signed-in user changes on this site, such as staff in the admin: flags, groups and permissions.

Receivers of the signals of the user model. A change that Logto has caused is in a batch, and `receivers` records it.
What commands and the shell change is not recorded, because there is no signed-in user who does it.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.http import HttpRequest

from logto_auth.batches import current_batch
from logto_auth.transactions import database
from logto_auth.users.current_request import answered_request
from logto_auth.users.rights import FLAGS, flags_of

from .recording import build_event, write_events

__all__: list[str] = []

logger = logging.getLogger("logto_auth")

# Where the flags before a save are kept until after it.
FORMER = "_logto_audit_former_flags"


def keep_former_flags(
    sender: Any, instance: Any, raw: bool = False, update_fields: Collection[str] | None = None, **kwargs: Any
) -> None:
    """Receiver of `pre_save` of the user model. One query, if a signed-in user saves a flag of an account."""
    vars(instance).pop(FORMER, None)
    names = [name for name in flags_of(instance) if update_fields is None or name in update_fields]
    names = [name for name in names if _is_field(sender, name)]
    if raw or not names or request_of_actor() is None:
        return
    if instance._state.adding:
        vars(instance)[FORMER] = {"is_active": True, "is_staff": False, "is_superuser": False}
        return
    rows = sender._base_manager.using(database()).filter(pk=instance.pk)
    vars(instance)[FORMER] = rows.values(*names).first() or {}


def record_flags(sender: object, instance: Any, **kwargs: Any) -> None:
    """Receiver of `post_save` of the user model."""
    former = vars(instance).pop(FORMER, {})
    current = flags_of(instance)
    changed = [name for name in FLAGS if name in former and name in current and former[name] != current[name]]
    if changed:
        _record(
            instance,
            {
                "former": {name: former[name] for name in changed},
                "current": {name: current[name] for name in changed},
            },
        )


def record_groups(sender: object, instance: Any, action: str, reverse: bool, **kwargs: Any) -> None:
    """Receiver of `m2m_changed` of the groups of the user model."""
    _record_related("groups", instance, action, reverse, **kwargs)


def record_permissions(sender: object, instance: Any, action: str, reverse: bool, **kwargs: Any) -> None:
    """Receiver of `m2m_changed` of the permissions of the user model."""
    _record_related("permissions", instance, action, reverse, **kwargs)


def _record_related(
    name: str, instance: Any, action: str, reverse: bool, *, model: Any, pk_set: Collection[Any] | None, **kwargs: Any
) -> None:
    # Before everything is removed, the database says what that is.
    if action not in ("post_add", "post_remove", "pre_clear") or request_of_actor() is None:
        return
    if action == "pre_clear":
        keys = set(_related(name, instance, reverse).values_list("pk", flat=True))
    else:
        keys = set(pk_set or ())
    if not keys:
        return
    verb = "added" if action == "post_add" else "removed"
    rows = model._base_manager.using(database()).filter(pk__in=keys)
    if reverse:
        for user in rows:
            _record(user, {f"{name}_{verb}": [_text(instance)]})
    else:
        _record(instance, {f"{name}_{verb}": sorted(map(_text, rows))})


def _related(name: str, instance: Any, reverse: bool) -> Any:
    if reverse:
        return instance.user_set.using(database())
    return (instance.groups if name == "groups" else instance.user_permissions).using(database())


def _text(row: Any) -> str:
    """Return the name of a group, or the code of a permission."""
    natural_key: tuple[str, ...] = row.natural_key()
    return natural_key[0] if len(natural_key) == 1 else f"{natural_key[1]}.{natural_key[0]}"


def request_of_actor() -> HttpRequest | None:
    """Return the request of the signed-in user who makes the change; None in a batch and outside of a request."""
    if current_batch() is not None:
        return None
    request = answered_request()
    user = getattr(request, "user", None)
    return request if isinstance(user, AbstractBaseUser) and user.is_authenticated else None


def _record(user: Any, details: dict[str, Any]) -> None:
    request = request_of_actor()
    if request is None:
        return
    try:
        write_events([build_event("rights_changed", request, user=user, details=details)])
    except Exception as error:
        # Without the text of the error, which may contain the row.
        logger.error("The audit trail is incomplete: an event was not stored (%s).", type(error).__name__)


def _is_field(model: type[models.Model], name: str) -> bool:
    return any(field.name == name for field in model._meta.concrete_fields)
