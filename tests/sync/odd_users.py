"""Odd users of Logto and the odd accounts of a site, generated with a fixed seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

ISSUER = "http://localhost:9/oidc"
ROLES = ("admin", "root", "editor", "writer", "reader")
ORGANIZATIONS = {"north": "North", "south": "South", "east": "East " * 60, "west": ""}
ORGANIZATION_ROLES = ("manager", "clerk", "a:colon")
# A sign-in ignores these in claims, so a sync must ignore them in the Management API.
NO_NAMES = ("", "two\nlines", "x" * 300, "half \ud83d a pair", "nul\x00")
USERNAMES = ("reader", "Reader", "READER", "anna", "Anna", "taken", "TAKEN", "bad name!", "\u6797\u6728", "\u00c9mile")
EMAILS = (
    None,
    "",
    "not an address",
    "two@example.com, more@example.com",
    "Upper@Example.com",
    "\u00e9mile@example.com",
    "a" * 250 + "@example.com",
    "nul\x00@example.com",
    "half\ud83d@example.com",
)
NAMES = (None, "", "Anna Reader", "x" * 200, "\u6797\u6728", "nul\x00", "half \ud83d a pair", " spaces ")


@dataclass
class OddUser:
    """A user at Logto, and the state of the site before the user is synced."""

    sub: str
    payload: dict[str, Any]
    """The user object of the Management API."""
    roles: list[str]
    organizations: dict[str, list[str]]
    """The roles by organization id."""
    is_known: bool
    """Whether the site has an account for this user."""
    local_username: str
    """The username of that account, or of a local account without identity."""
    local_email: str
    local_flags: dict[str, bool]
    local_groups: list[str]
    local_roles: list[str]
    local_organizations: dict[str, list[str]]
    status: str
    slipped: bool = False
    """Whether lists may leave this user out, as if rows had been deleted while pages were counted."""
    odd_names: list[str] = field(default_factory=list)


def odd_users(number: int, *, seed: int, unique_emails: bool = False) -> Iterator[OddUser]:
    """Return odd users; the same ones for the same seed."""
    chance = random.Random(seed)
    for count in range(number):
        sub = "".join(chance.choices("abcXYZ0123456789", k=12))
        yield OddUser(
            sub=sub,
            payload=_payload(chance, sub, count, unique_emails=unique_emails),
            roles=chance.sample(ROLES, k=chance.randrange(4)),
            organizations=_organizations(chance),
            is_known=chance.random() < 0.5,
            local_username=f"local{count}",
            local_email=chance.choice(["", f"local{count}@example.com", f"user{count}@example.com"]),
            local_flags={name: chance.random() < 0.3 for name in ("is_staff", "is_superuser")},
            local_groups=chance.sample(["Editors", "Writers", "Not of Logto"], k=chance.randrange(3)),
            local_roles=sorted(chance.sample([*ROLES, "removed"], k=chance.randrange(4))),
            local_organizations=_organizations(chance),
            status=chance.choice(["active", "active", "active", "suspended", "deleted"]),
            slipped=chance.random() < 0.2,
            odd_names=chance.sample(NO_NAMES, k=chance.randrange(3)),
        )


def _organizations(chance: random.Random) -> dict[str, list[str]]:
    chosen = chance.sample(sorted(ORGANIZATIONS), k=chance.randrange(4))
    return {id: chance.sample(ORGANIZATION_ROLES, k=chance.randrange(3)) for id in chosen}


def _payload(chance: random.Random, sub: str, count: int, *, unique_emails: bool) -> dict[str, Any]:
    odd_email = chance.choice(EMAILS) if not unique_emails or chance.random() < 0.5 else f"user{count}@example.com"
    profile: Any = chance.choice(
        [
            {},
            {"givenName": chance.choice(NAMES), "familyName": chance.choice(NAMES)},
            {"preferredUsername": chance.choice(USERNAMES)},
            {"givenName": 7, "locale": "zh", "nickname": None},
            None,
        ]
    )
    return {
        "id": sub,
        "username": chance.choice([None, "", f"user{count}", "y" * 170, *USERNAMES]),
        "primaryEmail": odd_email if chance.random() < 0.6 else f"user{count}@example.com",
        "primaryPhone": chance.choice([None, f"8180{count:08}", "3" * 40]),
        "name": chance.choice(NAMES),
        "avatar": None,
        "customData": chance.choice([{}, {"shelf": "A"}]),
        "identities": {},
        "profile": profile,
        "applicationId": None,
        "isSuspended": chance.random() < 0.15,
        "hasPassword": False,
        "lastSignInAt": None,
        "createdAt": 1795400127932,
        "updatedAt": 1795400127932,
    }
