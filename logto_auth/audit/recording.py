"""Record events: build their rows, and insert them.

The functions import the models when called, because `logto_auth.audit` offers them before Django is set up.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, connections
from django.http import HttpRequest

from logto_auth.conf import conf
from logto_auth.transactions import atomic, database

from . import digests
from .signals import event_recorded

if TYPE_CHECKING:
    from .models import AuditEvent

__all__ = ["build_event", "log_missed", "record_event", "send_recorded", "try_to_write", "write_events"]

logger = logging.getLogger("logto_auth")

MAX_LENGTH = 255
MAX_ACTION_LENGTH = 64


def record_event(
    action: str,
    request: HttpRequest | None = None,
    *,
    actor: Any = None,
    user: Any = None,
    organization_id: str = "",
    outcome: str = "success",
    details: Mapping[str, Any] | None = None,
) -> AuditEvent | None:
    """Record an event with one INSERT, in the transaction of the caller if there is one; return it.

    `action`: a name; those of a site begin with a prefix of its own, such as "shop.refund". `actor`: who does it, by
    default the signed-in user of `request`; it is the staff member while one acts as this user. `user`: to whom it is
    done. `organization_id`: the id at Logto. `details`: JSON without personal data, because it cannot be erased. The IP
    address and the browser come from `request`.

    If the database does not accept the row, the error is logged and None is returned; with `LOGTO_AUDIT_REQUIRED`, the
    error is raised. Raise TypeError or ValueError for a wrong argument.
    """
    event = build_event(
        action, request, actor=actor, user=user, organization_id=organization_id, outcome=outcome, details=details
    )
    return event if write_events([event]) else None


def build_event(
    action: str,
    request: HttpRequest | None = None,
    *,
    actor: Any = None,
    actor_sub: str = "",
    user: Any = None,
    user_sub: str = "",
    organization_id: str = "",
    outcome: str = "success",
    details: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Return an event for `write_events`. The arguments are those of `record_event`, and the ids at Logto."""
    from .models import AuditEvent, Outcome

    if not action or len(action) > MAX_ACTION_LENGTH:
        raise ValueError(f"The action must have 1 to {MAX_ACTION_LENGTH} characters, not {len(action)}.")
    if actor is None and request is not None and getattr(request, "user", None) is not None:
        actor = request.user if request.user.is_authenticated else None
    impersonation = getattr(request, "impersonation", None)
    if impersonation is not None and _key(actor) == _key(impersonation.user):
        # Staff act as this user.
        actor, actor_sub = impersonation.impersonator, impersonation.impersonator_sub
        details = {**(details or {}), "impersonating": True}
    actor_id, user_id = _key(actor), _key(user)
    actor_json = digests.salted({**_names(actor), **_origin(request)})
    # Each person's data is in one place, and is erased with that person.
    user_json = digests.salted({} if user_id == actor_id else _names(user))
    return AuditEvent(
        at=round(time.time(), 3),
        action=_storable(action),
        outcome=Outcome(outcome).value,
        actor_id=actor_id,
        actor_sub=_storable(actor_sub),
        user_id=user_id,
        user_sub=_storable(user_sub),
        organization_id=_storable(organization_id),
        details_json=digests.canonical(dict(details or {})),
        actor_json=actor_json,
        actor_digest=digests.sha256(actor_json),
        user_json=user_json,
        user_digest=digests.sha256(user_json),
    )


def write_events(events: Iterable[AuditEvent]) -> bool:
    """Insert the events with one query, and send `event_recorded` for each. Return whether they were inserted.

    A database error is logged; with `LOGTO_AUDIT_REQUIRED` it is raised.
    """
    from .models import AuditEvent

    rows = list(events)
    if not rows:
        return True
    try:
        AuditEvent.objects.record(rows)
    except DatabaseError as error:
        if conf.audit_required:
            raise
        actions = ", ".join(sorted({row.action for row in rows}))
        # Without the text of the error: it may contain the row.
        logger.error("The audit trail has missed %d events (%s): %s.", len(rows), actions, type(error).__name__)
        return False
    send_recorded(rows)
    return True


def try_to_write(events: Iterable[AuditEvent]) -> None:
    """Do as `write_events`, for a change that goes on whatever happens: each error is logged."""
    try:
        write_events(events)
    except Exception as error:
        log_missed(error)


def log_missed(error: Exception) -> None:
    """Log that an event was not stored, without the text of the error, which may contain the row."""
    logger.error("The audit trail is incomplete: an event was not stored (%s).", type(error).__name__)


def send_recorded(events: Iterable[AuditEvent]) -> None:
    """Send `event_recorded` for events that were inserted. An error of a receiver is logged, and breaks nothing."""
    if not event_recorded.receivers:
        return
    is_in_transaction = connections[database()].in_atomic_block
    for event in events:
        try:
            # A transaction could not go on after an error of the database that only `send_robust` sees.
            with atomic() if is_in_transaction else nullcontext():
                event_recorded.send_robust(sender=type(event), event=event)
        except DatabaseError as error:
            logger.error("What receivers of event_recorded have written was rolled back: %s.", type(error).__name__)


def _key(user: Any) -> str:
    """Return the primary key of an account as text; "" for no account."""
    return "" if user is None or user.pk is None else _storable(str(user.pk))


def _names(user: Any) -> dict[str, str]:
    """Return the name and the e-mail address of an account, without what is empty.

    Nothing for an account without a key, which was deleted: nobody could erase it.
    """
    if not _key(user):
        return {}
    # `request.user` may be of another class, such as one for the owner of an API key.
    name = user.get_username() if hasattr(user, "get_username") else ""
    email = getattr(user, user.get_email_field_name(), "") if hasattr(user, "get_email_field_name") else ""
    return {key: str(value)[:MAX_LENGTH] for key, value in (("name", name), ("email", email)) if value}


def _origin(request: HttpRequest | None) -> dict[str, str]:
    """Return the IP address and the browser of a request, without what is empty."""
    if request is None:
        return {}
    # Imported here, because this module is imported when each command starts.
    from logto_auth.navigation import ip_address

    browser = request.headers.get("User-Agent", "")[:MAX_LENGTH]
    return {name: value for name, value in (("ip_address", ip_address(request)), ("user_agent", browser)) if value}


def _storable(text: str) -> str:
    """Return a text that each database stores: no NUL, no half of a surrogate pair, at most `MAX_LENGTH`."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:MAX_LENGTH]
