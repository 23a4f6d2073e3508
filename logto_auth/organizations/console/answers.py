"""Read what the Management API returns about organizations and their members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logto_auth.management_api.answers import optional_text, plain_text, read

from .values import OrganizationRole, OwnOrganization

if TYPE_CHECKING:
    from logto_auth.management_api import types

__all__ = [
    "LiveMembership",
    "UserNames",
    "custom_data",
    "memberships_in",
    "names_by_id",
    "organization_role",
    "own_organization",
    "template_roles",
    "user_names",
]


def custom_data(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the custom data of an organization. Raise TypeError if it is no object."""
    value = row.get("customData") or {}
    if not isinstance(value, dict):
        raise TypeError
    return value


@dataclass(frozen=True, kw_only=True)
class LiveMembership:
    """A membership, as Logto has it now."""

    id: str
    name: str
    roles: Mapping[str, str]
    """The names of the roles by their ids."""
    custom_data: Mapping[str, Any] = field(default_factory=dict)
    created_at: int = 0
    """When the organization was created, in milliseconds since the epoch."""


@read
def memberships_in(organizations: Iterable[types.OrganizationOfMember]) -> list[LiveMembership]:
    """Return the memberships in the answer to `GET /users/{userId}/organizations`."""
    return [
        LiveMembership(
            id=plain_text(each["id"]),
            name=plain_text(each["name"]),
            roles=names_by_id(each["organizationRoles"]),
            custom_data=custom_data(each),
            created_at=int(each.get("createdAt") or 0),
        )
        for each in organizations
    ]


def own_organization(membership: LiveMembership) -> OwnOrganization:
    """Return a membership as the console shows it."""
    roles = tuple(sorted(membership.roles.values()))
    return OwnOrganization(id=membership.id, name=membership.name, roles=roles)


@read
def names_by_id(roles: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the names of roles by their ids."""
    return {plain_text(role["id"]): plain_text(role["name"]) for role in roles}


@dataclass(frozen=True, kw_only=True)
class UserNames:
    """What members see of each other."""

    id: str
    name: str
    """The name, else the username, else the address, else the id."""
    email: str
    avatar: str


@read
def user_names(user: Mapping[str, Any]) -> UserNames:
    """Return how a user is shown."""
    id = plain_text(user["id"])
    name, username, email, avatar = (
        optional_text(user.get(key)) for key in ("name", "username", "primaryEmail", "avatar")
    )
    return UserNames(id=id, name=name or username or email or id, email=email, avatar=avatar)


@read
def template_roles(roles: Iterable[types.OrganizationRole]) -> list[dict[str, Any]]:
    """Return the roles for users, sorted by name, as JSON for the cache."""
    rows = [
        {
            "id": plain_text(role["id"]),
            "name": plain_text(role["name"]),
            "description": optional_text(role["description"]),
            "scopes": [plain_text(scope["name"]) for scope in role["scopes"]],
            # Pairs of the id of an API resource and the name of a permission.
            "resource_scopes": [
                [plain_text(scope["resource"]["id"]), plain_text(scope["name"])] for scope in role["resourceScopes"]
            ],
        }
        for role in roles
        if role["type"] == "User"
    ]
    return sorted(rows, key=lambda row: str(row["name"]))


def organization_role(row: Mapping[str, Any]) -> OrganizationRole:
    """Return the role of a row of `template_roles`."""
    return OrganizationRole(
        id=row["id"], name=row["name"], description=row["description"], scopes=frozenset(row["scopes"])
    )
