"""Erase the personal data of one person from the audit trail. The digests stay, so the chain can still be verified."""

from __future__ import annotations

from django.db.models import Max, Q

from logto_auth.transactions import atomic, repeat_after_deadlock

from . import digests
from .models import AuditEvent, parsed, plain_rows

__all__ = ["erase_account", "erase_sub", "is_erased", "leave_out"]

NOBODY = {"actor_id": "", "actor_sub": ""}


def erase_account(pk: object) -> int:
    """Erase names, addresses and browsers of the account with this primary key; return the number of its events.

    The data of other people in the same events stays. So do the ids: they name nobody once the account is gone.
    """
    return _erase(str(pk), {"user_id": str(pk)}, {"actor_id": str(pk)})


def erase_sub(sub: str) -> int:
    """Do the same for a user of Logto: for the events without an account, and for the accounts in their events."""
    rows = plain_rows(AuditEvent).order_by()
    accounts = {
        *rows.filter(actor_sub=sub).values_list("actor_id", flat=True).distinct(),
        *rows.filter(user_sub=sub).values_list("user_id", flat=True).distinct(),
    } - {""}
    without_account = _erase(sub, {"user_id": "", "user_sub": sub}, {"actor_id": "", "actor_sub": sub})
    return without_account + sum(erase_account(pk) for pk in sorted(accounts))


def leave_out(event: AuditEvent, key: str) -> None:
    """Leave the data of the person `key` out of an event that is not inserted yet."""
    if event.actor_key == key:
        event.actor_json = digests.salted({})
        event.actor_digest = digests.sha256(event.actor_json)
    if event.user_key == key:
        event.user_json = digests.salted({})
        event.user_digest = digests.sha256(event.user_json)


def _erase(key: str, as_user: dict[str, str], as_actor: dict[str, str]) -> int:
    """Erase the data of the person `key`, whom the columns name as the user and as the actor."""
    if not key:
        raise ValueError("A person without a key cannot be erased.")
    rows = plain_rows(AuditEvent)
    events = rows.filter(Q(**as_user) | Q(**as_actor))
    # If the table is missing, a transaction of a caller who goes on without the erasure is spared.
    with atomic():
        last_id: int | None = events.aggregate(last_id=Max("pk"))["last_id"]
    if last_id is None:
        return 0
    proof = digests.digest_of(digests.ERASURE, _proof(key, last_id))
    mark = digests.canonical({"erased": proof, "last_id": last_id})
    rows = rows.filter(pk__lte=last_id)

    def erase() -> None:
        with atomic():
            rows.filter(**as_user).update(user_json=mark)
            rows.filter(**as_actor).update(actor_json=mark)
            # Where an unknown actor came from is data of the user.
            rows.filter(**NOBODY, **as_user).update(actor_json=mark)

    repeat_after_deadlock(erase)
    count: int = events.filter(pk__lte=last_id).count()
    return count


def is_erased(text: str, key: str, id: int) -> bool:
    """Return whether the data of the person `key` in the event `id` was replaced by `text` in this module."""
    mark = parsed(text)
    last_id = mark.get("last_id")
    if not isinstance(last_id, int) or id > last_id:
        return False
    return digests.is_digest_of(digests.ERASURE, _proof(key, last_id), str(mark.get("erased")))


def _proof(key: str, last_id: int) -> dict[str, object]:
    # With the last event, so that nobody can copy the mark into later events of the person.
    return {"key": key, "last_id": last_id}
