"""Parallel webhooks, in four processes and in any order: the newest wins, and no request blocks."""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any

import pytest

from tests.webhooks.deliveries import encoded, event, signature, user_event

from .deployment import Deployment, Site, User, at_once

pytestmark = [pytest.mark.postgresql, pytest.mark.redis]
SIGNING_KEY = "only-for-tests-of-many-processes"
SUBS = [f"reader{number:06}" for number in range(6)]


def deliver(site: Site, payload: dict[str, Any]) -> int:
    body = encoded(payload)
    headers = {"logto-signature-sha-256": signature(body, SIGNING_KEY), "Content-Type": "application/json"}
    response = User(site).session.post(f"{site.url}/webhooks/logto", data=body, headers=headers, timeout=60)
    return response.status_code


@pytest.mark.parametrize("seed", range(3))
def test_newest_of_parallel_events_wins(deployment: Deployment, site: Site, seed: int) -> None:
    for sub in SUBS:
        deployment.emulator.tenant.add_user(id=sub, username=sub)
        User(site, deployment.emulator).sign_in(sub)
    at = datetime.now(tz=timezone.utc) - timedelta(minutes=1)
    payloads = []
    for number in range(8):
        moment = at + timedelta(milliseconds=number)
        is_last = number == 7
        for sub in SUBS:
            suspended = number % 2 == 1
            payloads.append(user_event("User.Data.Updated", sub, at=moment, name=f"{number}", isSuspended=suspended))
        members = "removedUserIds" if number % 2 else "addedUserIds"
        subs = random.Random(number).sample(SUBS, len(SUBS)) if not is_last else SUBS[:3]
        payloads.append(
            event("Organization.Membership.Updated", at=moment, organizationId="harbour", **{members: subs})
        )
    random.Random(seed).shuffle(payloads)
    assert Counter(at_once([partial(deliver, site, payload) for payload in payloads])) == {204: len(payloads)}
    users = deployment.sql(
        "SELECT username, first_name, is_active, status FROM auth_user "
        "JOIN logto_auth_logtoidentity ON user_id = auth_user.id ORDER BY username"
    )
    assert users == [(sub, "7", False, "suspended") for sub in SUBS]
    assert deployment.count("logto_auth_logtosession") == 0
    members = deployment.sql(
        "SELECT sub FROM logto_auth_organizationmembership m JOIN logto_auth_logtoidentity i ON identity_id = i.id "
        "ORDER BY sub"
    )
    assert members == [(sub,) for sub in SUBS[3:]]
