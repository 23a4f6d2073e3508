"""A sync of pages of users and a sign-in of each user write the same rows and send the same signals."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import transaction

from logto_auth.exceptions import SignInRefused
from logto_auth.models import LogtoIdentity, Organization, OrganizationMembership
from logto_auth.signals import user_created, user_updated
from logto_auth.users.claims import user_fields

from .both_ways import ORGANIZATION_SCOPES, sign_in_each, sync_pages
from .odd_users import ISSUER, OddUser, odd_users

pytestmark = pytest.mark.django_db
User = get_user_model()

ALL_SCOPES = ("openid", "profile", "email", "phone", "custom_data", "roles", *ORGANIZATION_SCOPES)


def odd_fields(claims: Any) -> dict[str, Any]:
    """Refuse some users, and return invalid values for others."""
    if claims["sub"].startswith("a"):
        raise SignInRefused("Not this user.")
    fields = {**user_fields(claims), "no_such_field": 1}
    if claims["sub"].startswith("b"):
        fields |= {"last_name": "z" * 400, "username": ""}
    if claims["sub"].startswith("c"):
        fields |= {"date_joined": "yesterday"}
    return fields


def trust_all(claims: Any) -> bool:
    return True


def by_sub(claims: Any) -> dict[str, Any]:
    """Use unique usernames, because linked users are written after the others."""
    return {**user_fields(claims), "username": claims["sub"]}


PROFILES: dict[str, dict[str, Any]] = {
    "all scopes": {"LOGTO_USERINFO_CLAIMS": ("organization_data",)},
    "no names of organizations": {},
    "no roles": {"LOGTO_SCOPES": ("openid", "profile", "email", *ORGANIZATION_SCOPES)},
    "no organizations": {"LOGTO_SCOPES": ("openid", "profile", "email", "roles")},
    "no organization roles": {"LOGTO_SCOPES": ("openid", "profile", "roles", ORGANIZATION_SCOPES[0])},
    "no rights by role": {"LOGTO_STAFF_ROLES": (), "LOGTO_SUPERUSER_ROLES": (), "LOGTO_GROUPS_BY_ROLE": {}},
    "odd fields": {"LOGTO_USER_FIELDS": f"{__name__}.odd_fields"},
    "linked by e-mail": {
        "LOGTO_LINK_BY_EMAIL": f"{__name__}.trust_all",
        "LOGTO_USER_FIELDS": f"{__name__}.by_sub",
    },
}


@pytest.mark.parametrize("profile", PROFILES)
def test_sync_and_sign_in_give_the_same_result(profile: str, settings, monkeypatch) -> None:
    defaults = {
        "LOGTO_SCOPES": ALL_SCOPES,
        "LOGTO_STAFF_ROLES": ("admin",),
        "LOGTO_SUPERUSER_ROLES": ("root",),
        "LOGTO_GROUPS_BY_ROLE": {"editor": "Editors", "writer": "Writers", "admin": "Editors"},
    }
    for name, value in {**defaults, **PROFILES[profile]}.items():
        setattr(settings, name, value)
    # The last candidate for a username is random.
    monkeypatch.setattr(secrets, "token_hex", lambda size: "0" * 2 * size)
    users = list(odd_users(120, seed=list(PROFILES).index(profile)))
    by_sign_in = outcome(users, sign_in_each)
    by_sync = outcome(users, sync_pages)
    assert len(by_sign_in["users"]) > 60
    for table, rows in by_sign_in.items():
        assert differences(by_sync[table], rows) == {}, table


def outcome(users: Sequence[OddUser], bring_in: Callable[[Sequence[OddUser]], None]) -> dict[str, dict[str, Any]]:
    """Run `bring_in` on a site that knows some of the users, return the rows, and roll back."""
    with transaction.atomic():
        make_site(users)
        with heard_signals() as signals:
            bring_in(users)
        rows = {"signals": signals, **tables()}
        transaction.set_rollback(True)
    return rows


def make_site(users: Sequence[OddUser]) -> None:
    for name in ("taken", "Reader-", "\u6797\u6728"):
        User.objects.create_user(name, "two@example.com")
    groups = {name: Group.objects.get_or_create(name=name)[0] for name in ("Editors", "Not of Logto")}
    known_names = {id: Organization(issuer=ISSUER, logto_id=id, name=f"old {id}") for id in ("north", "south", "west")}
    for row in known_names.values():
        row.save()
    for user in users:
        if not user.is_known:
            if user.local_email.startswith("user"):
                User.objects.create_user(user.local_username, user.local_email.title(), **user.local_flags)
            continue
        account = User.objects.create_user(
            user.local_username, user.local_email, first_name="Old", last_name="Name", **user.local_flags
        )
        account.groups.set([groups[name] for name in user.local_groups if name in groups])
        identity = LogtoIdentity(user=account, issuer=ISSUER, sub=user.sub, roles=user.local_roles, status=user.status)
        identity.save()
        for id, roles in user.local_organizations.items():
            if id in known_names:
                OrganizationMembership.objects.create(
                    organization=known_names[id], identity=identity, roles=sorted(roles)
                )


class heard_signals:
    """The arguments of `user_created` and `user_updated`, by `sub`."""

    def __enter__(self) -> dict[str, Any]:
        self.heard: dict[str, Any] = {}
        user_created.connect(self.on_created)
        user_updated.connect(self.on_updated)
        return self.heard

    def __exit__(self, *error: object) -> None:
        user_created.disconnect(self.on_created)
        user_updated.disconnect(self.on_updated)

    def on_created(self, user: Any, claims: Any, **kwargs: Any) -> None:
        self.heard[claims["sub"]] = ("created", user.username, comparable(claims))

    def on_updated(self, user: Any, claims: Any, changed: frozenset[str], **kwargs: Any) -> None:
        self.heard[claims["sub"]] = ("updated", user.username, sorted(changed), comparable(claims))


def comparable(claims: Any) -> dict[str, Any]:
    """Return the claims without lists: their order and their invalid names may differ."""
    lists = ("roles", "organizations", "organization_roles", "organization_data")
    return {name: value for name, value in claims.items() if name not in lists}


def tables() -> dict[str, dict[str, Any]]:
    fields = ("email", "first_name", "last_name", "is_active", "is_staff", "is_superuser")
    memberships: dict[str, list[Any]] = {}
    for row in OrganizationMembership.objects.select_related("organization", "identity").order_by(
        "organization__logto_id"
    ):
        memberships.setdefault(row.identity.sub, []).append((row.organization.logto_id, row.roles))
    return {
        "users": {
            user.username: (
                *[getattr(user, name) for name in fields],
                sorted(group.name for group in user.groups.all()),
            )
            for user in User.objects.prefetch_related("groups")
        },
        "identities": {
            row.sub: (row.user.username, row.roles, row.status, row.deactivated_by_logto)
            for row in LogtoIdentity.objects.select_related("user")
        },
        "memberships": memberships,
    }


def differences(synced: dict[str, Any], signed_in: dict[str, Any]) -> dict[str, Any]:
    return {
        key: (synced.get(key), signed_in.get(key))
        for key in synced.keys() | signed_in.keys()
        if synced.get(key) != signed_in.get(key)
    }
