"""Measure webhooks in their own process: `python -m bench.webhooks`, with the task as JSON on standard input."""

from __future__ import annotations

import hashlib
import hmac
import json
import sys
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from typing import Any

import django
from django.conf import settings as django_settings

from . import sites
from .candidate import Costs, Meter
from .sessions import in_turn

REFUSED = "wrong signature"
UNKNOWN = "event without a handler"
SAME = "user, nothing changed"
RENAMED = "user, new name"
SUSPENDED = "user, suspended and reactivated"
MEMBER = "membership added and removed"
MANY = "user, new name, among 10,000 others"
USERS = 10_000
ROUNDS = 1000
SIGNING_KEY = "benchmark-benchmark-benchmark-32"
# One user for each kind of event, so that the kinds do not affect each other.
SUBS = ("constant0001", "renamed00001", "suspended001", "member000001")

Payload = dict[str, Any]


def payload(event: str, **members: Any) -> Payload:
    now = datetime.now(tz=timezone.utc)
    return {"event": event, "createdAt": now.isoformat(timespec="microseconds"), **members}


def user_event(event: str, sub: str, **changes: Any) -> Payload:
    user = {
        "id": sub,
        "username": "reader",
        "primaryEmail": "reader@example.com",
        "name": "Reader",
        "customData": {},
        "identities": {},
        "profile": {},
        "isSuspended": False,
        **changes,
    }
    return payload(event, params={"userId": sub}, matchedRoute="/users/:userId", data=user)


def about_membership(number: int) -> Payload:
    lists = ("addedUserIds", "removedUserIds")
    return payload("Organization.Membership.Updated", organizationId="one", **{lists[number // 2 % 2]: [SUBS[3]]})


# Half of the rounds are counted and half are timed, so alternating events change after every second round.
KINDS: dict[str, Callable[[int], Payload]] = {
    REFUSED: lambda number: payload("PostSignIn", userId=SUBS[0]),
    UNKNOWN: lambda number: payload("PostSignIn", userId=SUBS[0]),
    SAME: lambda number: user_event("User.Data.Updated", SUBS[0]),
    RENAMED: lambda number: user_event("User.Data.Updated", SUBS[1], name=f"User {number}"),
    SUSPENDED: lambda number: user_event("User.SuspensionStatus.Updated", SUBS[2], isSuspended=number // 2 % 2 == 0),
    MEMBER: about_membership,
}


def deliver(client: Any, event: Payload, key: str = SIGNING_KEY) -> Callable[[], int]:
    """Return a function that sends one signed delivery and returns the status of the response."""
    body = json.dumps(event, separators=(",", ":")).encode()
    headers = {"logto-signature-sha-256": hmac.new(key.encode(), body, hashlib.sha256).hexdigest()}
    return lambda: client.post("/webhooks/logto", body, "application/json", headers=headers).status_code


def measure(meter: Meter) -> dict[str, Costs]:
    """Return the costs of each kind of delivery on a small site, and of one kind on a large one."""
    from django.test import Client

    client = Client()
    costs = {kind: Costs() for kind in (*KINDS, MANY)}
    create_users(SUBS)
    for number in range(ROUNDS):
        for kind, event in KINDS.items():
            key = "wrong" if kind == REFUSED else SIGNING_KEY
            status = in_turn(meter, costs[kind], number)(deliver(client, event(number), key))
            assert status == (401 if kind == REFUSED else 204), (kind, status)
    create_users(f"other{number:07}" for number in range(USERS))
    for number in range(ROUNDS):
        event = user_event("User.Data.Updated", SUBS[1], name=f"Name {number}")
        assert in_turn(meter, costs[MANY], number)(deliver(client, event)) == 204
    return costs


def create_users(subs: Iterable[str]) -> None:
    from django.contrib.auth.models import User

    from logto_auth.conf import conf
    from logto_auth.models import LogtoIdentity, make_digest

    users = User.objects.bulk_create(User(username=sub) for sub in subs)
    LogtoIdentity.objects.bulk_create(
        LogtoIdentity(user=user, issuer=conf.issuer, sub=user.username, digest=make_digest(conf.issuer, user.username))
        for user in users
    )


def main() -> None:
    task = json.load(sys.stdin)
    settings = sites.settings("logto_auth", **task["logto"])
    django_settings.configure(**{**settings, "LOGTO_WEBHOOK_SIGNING_KEY": SIGNING_KEY})
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    costs = {kind: cost.medians() for kind, cost in measure(Meter()).items()}
    json.dump(costs, sys.stdout)


if __name__ == "__main__":
    main()
