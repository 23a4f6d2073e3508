"""Deliveries of Logto's webhooks, in the format of Logto."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime, timezone
from typing import Any

from django.test import Client
from django.utils.timezone import now

URL = "/webhooks/logto"
# All events of Logto 1.42.
EVENTS = (
    "PostRegister",
    "PostSignIn",
    "PostSignInAdaptiveMfaTriggered",
    "PostResetPassword",
    "User.Created",
    "User.Deleted",
    "User.Data.Updated",
    "User.SuspensionStatus.Updated",
    "Role.Created",
    "Role.Deleted",
    "Role.Data.Updated",
    "Role.Scopes.Updated",
    "Scope.Created",
    "Scope.Deleted",
    "Scope.Data.Updated",
    "Organization.Created",
    "Organization.Deleted",
    "Organization.Data.Updated",
    "Organization.Membership.Updated",
    "OrganizationRole.Created",
    "OrganizationRole.Deleted",
    "OrganizationRole.Data.Updated",
    "OrganizationRole.Scopes.Updated",
    "OrganizationScope.Created",
    "OrganizationScope.Deleted",
    "OrganizationScope.Data.Updated",
    "Identifier.Lockout",
    "Message.RateLimited",
    "Grant.LimitExceeded",
)
# The user whom the events are about.
SUB = "reader000001"
SIGNING_KEY = "WZjZXvEsntxQUEKE4kYC8Ed9A8laShny"
ROUTES = {
    "User.Data.Updated": ("PATCH", "/users/:userId"),
    "User.SuspensionStatus.Updated": ("PATCH", "/users/:userId/is-suspended"),
    "User.Deleted": ("DELETE", "/users/:userId"),
    "Organization.Membership.Updated": ("POST", "/organizations/:id/users"),
    "Organization.Data.Updated": ("PATCH", "/organizations/:id"),
    "Organization.Deleted": ("DELETE", "/organizations/:id"),
}


def signature(body: bytes, key: str = SIGNING_KEY) -> str:
    return hmac.new(key.encode(), body, hashlib.sha256).hexdigest()


def encoded(payload: Any) -> bytes:
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def iso(at: datetime) -> str:
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03}Z"


def user(id: str, *, at: datetime | None = None, **changes: Any) -> dict[str, Any]:
    """Return Logto's user object, changed `at`."""
    return {
        "id": id,
        "username": "reader",
        "primaryEmail": "reader@example.com",
        "primaryPhone": None,
        "name": "Reader",
        "avatar": None,
        "customData": {},
        "identities": {},
        "lastSignInAt": None,
        "createdAt": 1795400127932,
        "updatedAt": milliseconds(at or now()),
        "profile": {},
        "applicationId": None,
        "isSuspended": False,
        "hasPassword": False,
        **changes,
    }


def event(name: str, /, *, at: datetime | None = None, **members: Any) -> dict[str, Any]:
    """Return the payload of an event that the Management API caused."""
    method, route = ROUTES.get(name, ("POST", "/somewhere"))
    return {
        "event": name,
        "createdAt": iso(at or now()),
        "userAgent": "python-requests/2.34.2",
        "ip": "::ffff:127.0.0.1",
        "path": route,
        "method": method,
        "status": 200,
        "params": {},
        "matchedRoute": route,
        **members,
        "hookId": "0r4rzemdl1wjkznh4bwk8",
    }


def user_event(name: str, id: str, /, *, at: datetime | None = None, **changes: Any) -> dict[str, Any]:
    """Return the payload of an event about a user whose user object was changed at the same time."""
    at = at or now()
    return event(name, at=at, params={"userId": id}, data=user(id, at=at, **changes))


def part_event(part: str, id: str, data: Any, *, at: datetime | None = None) -> dict[str, Any]:
    """Return the payload of an event of a route that returns a part of the user: `profile` or `custom-data`."""
    return event("User.Data.Updated", at=at, params={"userId": id}, data=data, matchedRoute=f"/users/:userId/{part}")


def deliver(payload: Any) -> Any:
    """Return the response of the site to a payload."""
    return send(encoded(payload))


def send(body: bytes, *, signed: str | None = None, content_type: str = "application/json") -> Any:
    """Return the response of the site to a body, with a valid signature unless another one is given."""
    headers = {"logto-signature-sha-256": signature(body) if signed is None else signed}
    client = Client(raise_request_exception=False)
    return client.generic("POST", URL, body, content_type, headers=headers)
