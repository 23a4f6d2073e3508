"""Read what the Management API returns. An answer of another shape is an error of Logto, not of this site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from logto_auth.exceptions import ManagementAPIError
from logto_auth.oidc.claims import storable

from .values import OrganizationRole, OwnOrganization

if TYPE_CHECKING:
    from logto_auth.management_api import types

__all__ = [
    "LiveMembership",
    "UserNames",
    "custom_data",
    "is_unknown",
    "memberships_in",
    "names_by_id",
    "optional_text",
    "organization_role",
    "own_organization",
    "plain_text",
    "read",
    "template_roles",
    "user_names",
]

P = ParamSpec("P")
R = TypeVar("R")


def read(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function that reads an answer: it raises ManagementAPIError if a key or a type is not as expected."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError) as error:
            # Without the error itself, whose text may have personal data.
            raise ManagementAPIError(
                f"The Management API answered in an unknown way ({type(error).__name__} in {function.__name__}).",
                code="unexpected_body",
                status=502,
            ) from None

    return wrapper


def is_unknown(error: ManagementAPIError) -> bool:
    """Return whether Logto has answered that there is no such thing.

    A proxy between may answer 404 as well, which must not look like a member who is gone.
    """
    return error.is_not_found


def plain_text(value: object) -> str:
    """Return a text of an answer, as a page can show it and a database can store it. Raise TypeError if it is none."""
    if not isinstance(value, str):
        raise TypeError
    return storable(value)


def optional_text(value: object) -> str:
    """Return a text that may be null, then as ""."""
    return "" if value is None else plain_text(value)


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
