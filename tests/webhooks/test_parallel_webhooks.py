"""Webhooks in parallel transactions: none waits for another that waits for it."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.utils.timezone import now

from logto_auth.conf import conf
from logto_auth.models import LogtoIdentity, LogtoSession, Organization
from logto_auth.webhooks import handle

from .deliveries import encoded, event, user_event

SUBS = [f"reader{number:06}" for number in range(6)]
ORGANIZATIONS = ["harbour", "station"]
ROUNDS = 12


def sign_in_everyone() -> None:
    Organization.objects.create_missing(dict.fromkeys(ORGANIZATIONS, ""))
    for sub in SUBS:
        account = get_user_model().objects.create_user(sub)
        identity = LogtoIdentity.objects.create(user=account, issuer=conf.issuer, sub=sub)
        for _device in range(3):
            LogtoSession.objects.create(
                user=account, identity=identity, delete_after=time.time() + 3600, fresh_until=time.time() + 3600
            )


def events_of(number: int) -> list[dict[str, Any]]:
    """Return suspensions of each user, and changes of the members of each organization, in any order."""
    at = now() - timedelta(minutes=1) + timedelta(milliseconds=number)
    users = [user_event("User.Data.Updated", sub, at=at, isSuspended=number % 2 == 1) for sub in SUBS]
    members = "removedUserIds" if number % 2 else "addedUserIds"
    organizations = [
        event("Organization.Membership.Updated", at=at, organizationId=id, **{members: random.sample(SUBS, len(SUBS))})
        for id in ORGANIZATIONS
    ]
    return users + organizations


def handle_and_close(payload: dict[str, Any]) -> None:
    try:
        handle(encoded(payload).decode())
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_parallel_webhooks_are_all_applied() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: nothing is parallel.")
    sign_in_everyone()
    payloads = [payload for number in range(ROUNDS) for payload in events_of(number)]
    random.shuffle(payloads)
    with ThreadPoolExecutor(12) as threads:
        list(threads.map(handle_and_close, payloads))
    assert set(LogtoIdentity.objects.values_list("status", flat=True)) == {"suspended"}
    assert not LogtoSession.objects.exists()
