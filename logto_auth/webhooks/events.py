"""Read a webhook delivery: check its signature and parse its body as a `WebhookEvent`. No database.

Source: Logto 1.41 and 1.42. The signature covers the raw body, which contains the time of the event.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from logto_auth.oidc.secrets import Secret, hide_frames

__all__ = ["WebhookEvent"]

MAX_ID_LENGTH = 255
# Logto's signing keys have 32 characters. A much shorter key can be guessed.
MIN_SIGNING_KEY_LENGTH = 16
# Routes of the Management API that return only a part of the user, so that `data` has only this part.
PARTS = {"/users/:userId/profile": "profile", "/users/:userId/custom-data": "custom_data"}


class WebhookRefused(Exception):
    """A delivery is refused. `code` and `status` are for the response. The message contains nothing of the body."""

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True, kw_only=True)
class WebhookEvent:
    """An event at Logto."""

    name: str
    """Logto's name of the event, such as `User.Data.Updated`."""
    created_at: datetime
    """When Logto reported it, an aware time."""
    user_id: str | None
    """The `sub` of the user that the event is about; None for other events."""
    organization_id: str | None
    """The organization that the event is about; None for other events."""
    params: Mapping[str, Any] = field(repr=False)
    """The parameters in the path of the Management API's route; empty if the event has another cause."""
    data: Any = field(repr=False)
    """The response of the Management API; None if the event has none."""
    payload: Mapping[str, Any] = field(repr=False)
    """The whole body."""

    @property
    def at(self) -> float:
        """`created_at` in seconds since the epoch."""
        return self.created_at.timestamp()

    @property
    def part(self) -> str | None:
        """The part of the user that `data` contains, `profile` or `custom_data`; None if it is not a part."""
        route = self.payload.get("matchedRoute")
        return PARTS.get(route) if isinstance(route, str) else None

    @property
    def user(self) -> Mapping[str, Any] | None:
        """The complete user object; None if the event has none."""
        if self.user_id is None or self.part:
            return None
        value = self.data if self.name.startswith("User.") else self.payload.get("user")
        # An object with another id is something else: a test event, or a part that this version does not know.
        return value if isinstance(value, dict) and value.get("id") == self.user_id else None

    def ids(self, name: str) -> frozenset[str]:
        """Return the ids in a list of the payload, such as `addedUserIds`."""
        values = self.payload.get(name)
        return frozenset(filter(None, map(_id, values))) if isinstance(values, list) else frozenset()


@hide_frames
def is_signed(body: bytes, signature: str, keys: Sequence[Secret]) -> bool:
    """Return whether `signature` is the signature of `body` with one of `keys`."""
    given = signature.encode("utf-8", "replace")
    expected = [hmac.new(key.reveal().encode(), body, hashlib.sha256).hexdigest().encode() for key in keys]
    return any(hmac.compare_digest(each, given) for each in expected)


def read(body: str) -> WebhookEvent:
    """Return the event in a body. Raise WebhookRefused if there is none."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _not_an_event("The body is not JSON") from error
    if not isinstance(payload, dict):
        raise _not_an_event(f"The body is a JSON {type(payload).__name__}, not an object")
    name = payload.get("event")
    if not isinstance(name, str) or not name.isprintable():
        raise _not_an_event("The body has no event name")
    params = payload.get("params")
    return WebhookEvent(
        name=name,
        created_at=_time(payload.get("createdAt")),
        user_id=_user_id(name, payload),
        organization_id=_organization_id(name, payload),
        params=params if isinstance(params, dict) else {},
        data=payload.get("data"),
        payload=payload,
    )


def _user_id(name: str, payload: Mapping[str, Any]) -> str | None:
    if not name.startswith("User."):
        return _id(payload.get("userId"))
    # The data may be custom data with an "id" of its own, so the path comes first.
    return _in(payload, "params", "userId") or _in(payload, "data", "id")


def _organization_id(name: str, payload: Mapping[str, Any]) -> str | None:
    if not name.startswith("Organization."):
        return None
    return _id(payload.get("organizationId")) or _in(payload, "params", "id") or _in(payload, "data", "id")


def _in(payload: Mapping[str, Any], member: str, name: str) -> str | None:
    value = payload.get(member)
    return _id(value.get(name)) if isinstance(value, dict) else None


def _id(value: Any) -> str | None:
    """Return `value` if it can be an id, else None. Databases do not store half a surrogate pair or a NUL."""
    is_id = isinstance(value, str) and 0 < len(value) <= MAX_ID_LENGTH and value.isprintable()
    return value if is_id else None


def _time(value: Any) -> datetime:
    try:
        time = parse_datetime(value)
    except (TypeError, ValueError) as error:
        raise _not_an_event("The event's createdAt is not a time") from error
    if time is None or time.tzinfo is None:
        raise _not_an_event("The event's createdAt has no time zone")
    return time


def _not_an_event(message: str) -> WebhookRefused:
    return WebhookRefused(f"{message}.", code="invalid_request", status=400)
