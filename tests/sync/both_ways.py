"""The same users brought into a site in two ways: by a sign-in of each user, and by a sync of pages of users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from logto_auth.conf import conf
from logto_auth.exceptions import ManagementAPIError, SignInRefused
from logto_auth.models import LogtoIdentity, UserStatus, make_digest
from logto_auth.sync import Report, apply, notes, runs
from logto_auth.users.management_api import changed_at, claims_of
from logto_auth.users.provisioning import find_identity, provision_unknown, update
from logto_auth.users.suspension import reactivate, suspend

from .odd_users import ISSUER, ORGANIZATIONS, ROLES, OddUser

ORGANIZATION_SCOPES = ("urn:logto:scope:organizations", "urn:logto:scope:organization_roles")


# Sign-ins


def sign_in_each(users: Sequence[OddUser]) -> None:
    """Provision each user as a sign-in does. Inactive accounts are not refused, because a sync updates them too."""
    for user in in_order(users):
        identity = find_identity(ISSUER, user.sub)
        if identity is None:
            if user.payload["isSuspended"]:
                continue
        elif identity.status == UserStatus.DELETED:
            continue
        else:
            follow_status(identity, user)
        try:
            if identity is None:
                provision_unknown(claims_at_sign_in(user), may_create=True)
            else:
                update(identity, claims_at_sign_in(user))
        except SignInRefused:
            continue


def in_order(users: Sequence[OddUser]) -> list[OddUser]:
    """Sort users as a page is sorted, because the first user gets a username."""
    return sorted(users, key=lambda user: make_digest(ISSUER, user.sub))


def follow_status(identity: LogtoIdentity, user: OddUser) -> None:
    at = changed_at(user.payload)
    assert at is not None
    if user.payload["isSuspended"] and identity.status == UserStatus.ACTIVE:
        suspend(identity, UserStatus.SUSPENDED, at)
    elif not user.payload["isSuspended"] and identity.status == UserStatus.SUSPENDED:
        reactivate(identity, at)


def claims_at_sign_in(user: OddUser) -> dict[str, Any]:
    claims = claims_of(user.payload, ISSUER, conf.scopes)
    if "roles" in conf.scopes:
        claims["roles"] = [*user.roles, *user.odd_names, *user.roles[:1]]
    if ORGANIZATION_SCOPES[0] in conf.scopes:
        claims["organizations"] = list(user.organizations)
    if ORGANIZATION_SCOPES[1] in conf.scopes:
        claims["organization_roles"] = [f"{id}:{role}" for id, roles in user.organizations.items() for role in roles]
    if "organization_data" in conf.userinfo_claims:
        claims["organization_data"] = [
            {"id": id, "name": ORGANIZATIONS[id], "description": None} for id in user.organizations
        ]
    return claims


# A sync


def sync_pages(users: Sequence[OddUser]) -> None:
    api, report = FakeManagementAPI(users), Report()
    run = runs.start_or_resume(creates_users=True)
    notes.list_roles_and_organizations(run, api, report)
    apply.sync_pages(run, range(1, 1000), api, report)
    runs.end(run)


class FakeManagementAPI:
    """The lists of the Management API. Some users are missing in them."""

    def __init__(self, users: Sequence[OddUser]) -> None:
        self.users = FakeUsers(users)
        self.roles = FakeHolders(
            [{"id": name, "name": name} for name in ROLES],
            {name: [user.payload for user in users if name in user.roles and not is_slipped(user)] for name in ROLES},
        )
        self.organizations = FakeHolders(
            [{"id": id, "name": name} for id, name in ORGANIZATIONS.items()],
            {
                id: [
                    {**user.payload, "organizationRoles": named(user.organizations[id])}
                    for user in users
                    if id in user.organizations and not is_slipped(user)
                ]
                for id in ORGANIZATIONS
            },
        )


def is_slipped(user: OddUser) -> bool:
    """Return whether lists leave the user out. A sync notices that only if the site has stored all it would miss."""
    has_all_here = set(user.roles) <= set(user.local_roles) and set(user.organizations) <= set(user.local_organizations)
    return user.slipped and user.is_known and has_all_here and "east" not in user.organizations


def named(names: Sequence[str]) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


class FakePages:
    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def count(self, **query: Any) -> int:
        return len(self._rows)

    def pages(self, *, first_page: int = 1, **query: Any) -> Iterator[list[Any]]:
        for start in range((first_page - 1) * 100, len(self._rows), 100):
            yield self._rows[start : start + 100]


class FakeHolders(FakePages):
    """Roles or organizations, with the users of each."""

    def __init__(self, rows: list[Any], holders: dict[str, list[Any]]) -> None:
        super().__init__(rows)
        self._holders = holders

    def user_pages(self, id: str, *, first_page: int = 1) -> Iterator[list[Any]]:
        return FakePages(self._holders[id]).pages(first_page=first_page)


class FakeUsers(FakePages):
    def __init__(self, users: Sequence[OddUser]) -> None:
        super().__init__([user.payload for user in users])
        self._by_sub = {user.sub: user for user in users}

    def roles(self, sub: str) -> list[dict[str, str]]:
        user = self._user(sub)
        return named([*user.roles, *user.odd_names])

    def organizations(self, sub: str) -> list[dict[str, Any]]:
        organizations = self._user(sub).organizations
        return [{"id": id, "organizationRoles": named(roles)} for id, roles in organizations.items()]

    def _user(self, sub: str) -> OddUser:
        try:
            return self._by_sub[sub]
        except KeyError as error:
            raise ManagementAPIError("Not found", code="entity.not_found", status=404) from error
