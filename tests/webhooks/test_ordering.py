"""Events that arrive late or out of order: an older event never overrides a newer one for the same object."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils.timezone import now

from logto_auth.models import LogtoIdentity, OrganizationMembership
from tests.webhooks.deliveries import SUB, deliver, event, iso, part_event, user_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("signing_key", "identity")]
User = get_user_model()


def suspension(at: datetime | None = None) -> dict[str, Any]:
    return user_event("User.SuspensionStatus.Updated", SUB, at=at, isSuspended=True)


def ago(**time: float) -> datetime:
    return now() - timedelta(**time)


def end() -> tuple[Any, ...]:
    account, identity = User.objects.get(), LogtoIdentity.objects.get()
    memberships = sorted(OrganizationMembership.objects.values_list("organization__logto_id", flat=True))
    return (account.first_name, account.email, account.is_active, identity.status, memberships)


STORIES = {
    "names": (
        lambda: [
            user_event("User.Data.Updated", SUB, at=ago(seconds=9), name="A", primaryEmail="a@example.com"),
            user_event("User.Data.Updated", SUB, at=ago(seconds=8), name="B", primaryEmail="b@example.com"),
            user_event("User.Data.Updated", SUB, at=ago(seconds=7), name="C", primaryEmail=None),
        ],
        ("C", "", True, "active", []),
    ),
    "suspended, lifted, suspended": (
        lambda: [
            suspension(ago(seconds=9)),
            user_event("User.SuspensionStatus.Updated", SUB, at=ago(seconds=8)),
            suspension(ago(seconds=7)),
        ],
        ("Reader", "reader@example.com", False, "suspended", []),
    ),
    "suspended, renamed, lifted": (
        lambda: [
            suspension(ago(seconds=9)),
            user_event("User.Data.Updated", SUB, at=ago(seconds=8), name="B", isSuspended=True),
            user_event("User.SuspensionStatus.Updated", SUB, at=ago(seconds=7), name="B"),
        ],
        ("B", "reader@example.com", True, "active", []),
    ),
    "suspended, lifted, deleted": (
        lambda: [
            suspension(ago(seconds=9)),
            user_event("User.SuspensionStatus.Updated", SUB, at=ago(seconds=8), name="Old", primaryEmail=None),
            user_event("User.Deleted", SUB, at=ago(seconds=7), name="Old", primaryEmail=None),
        ],
        # Updates of a deleted user are ignored: the account keeps its former values.
        None,
    ),
    "joined, left, joined another": (
        lambda: [
            event("Organization.Membership.Updated", at=ago(seconds=9), organizationId="one", addedUserIds=[SUB]),
            event("Organization.Membership.Updated", at=ago(seconds=8), organizationId="one", removedUserIds=[SUB]),
            event("Organization.Membership.Updated", at=ago(seconds=7), organizationId="two", addedUserIds=[SUB]),
        ],
        ("Old", "old@example.com", True, "active", ["two"]),
    ),
    "joined, renamed, deleted": (
        lambda: [
            event("Organization.Membership.Updated", at=ago(seconds=9), organizationId="one", addedUserIds=[SUB]),
            event("Organization.Data.Updated", at=ago(seconds=8), params={"id": "one"}, data={"name": "One"}),
            event("Organization.Deleted", at=ago(seconds=7), params={"id": "one"}),
        ],
        ("Old", "old@example.com", True, "active", []),
    ),
}


@pytest.mark.parametrize(
    ("story", "order"),
    [
        (name, order)
        for name, (payloads, _) in STORIES.items()
        for order in itertools.permutations(range(len(payloads())))
    ],
)
def test_final_state_does_not_depend_on_order(story: str, order: tuple[int, ...]) -> None:
    payloads, expected = STORIES[story]
    deliveries = payloads()
    for number in order:
        assert deliver(deliveries[number]).status_code == 204
    if expected is not None:
        assert end() == expected
    else:
        assert end()[2:4] == (False, "deleted")


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_parts_of_user_are_ordered_separately(settings: Any, order: tuple[int, ...]) -> None:
    """Change name, custom data and profile one after the other, each by its own route."""
    settings.LOGTO_SCOPES = (*settings.LOGTO_SCOPES, "custom_data")
    settings.LOGTO_USER_FIELDS = "tests.webhooks.test_ordering.plan_and_nickname"
    deliveries = [
        part_event("custom-data", SUB, {"plan": "silver"}, at=ago(seconds=9)),
        user_event(
            "User.Data.Updated",
            SUB,
            at=ago(seconds=8),
            customData={"plan": "silver"},
            profile={"nickname": "old"},
            primaryEmail="new@example.com",
        ),
        part_event("custom-data", SUB, {"plan": "gold"}, at=ago(seconds=7)),
        part_event("profile", SUB, {"nickname": "new"}, at=ago(seconds=6)),
    ]
    for number in order:
        assert deliver(deliveries[number]).status_code == 204
    account = User.objects.get()
    assert (account.first_name, account.last_name, account.email) == ("gold", "new", "new@example.com")


def plan_and_nickname(claims: Any) -> dict[str, Any]:
    return {
        "first_name": (claims.get("custom_data") or {}).get("plan") or "free",
        "last_name": claims.get("nickname") or "",
        "email": claims.get("email") or "",
    }


def test_update_after_deletion_is_ignored() -> None:
    assert deliver(user_event("User.Deleted", SUB)).status_code == 204
    late = user_event("User.Data.Updated", SUB, at=ago(seconds=1), name="New")
    assert deliver(late).status_code == 204
    assert end() == ("Old", "old@example.com", False, "deleted", [])


@pytest.mark.parametrize("updated_at", [None, "soon", True, -1, 0, 10**400, 10**15, 1.5, [], {}], ids=repr)
def test_invalid_time_does_not_block_later_events(updated_at: Any) -> None:
    at = ago(seconds=5)
    odd = user_event("User.Data.Updated", SUB, at=at, name="Odd")
    odd["data"]["updatedAt"] = updated_at
    assert deliver(odd).status_code == 204
    assert deliver(user_event("User.Data.Updated", SUB, name="New")).status_code == 204
    assert User.objects.get().first_name == "New"
    assert iso(at) < iso(now())
