"""The methods of the Management API, one class for each kind of object.

Methods have Logto's names and send and return Logto's payloads unchanged, in camelCase, so that Logto's documentation
applies. `types` has the types of what they return. `update` sends a PATCH, which **replaces** JSON columns such as
`oidcClientMetadata`, `customData` and `config` as a whole: read, merge, then write.

Every method raises ManagementAPIError if Logto answers with an error, and ProviderUnreachable if it does not answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

from .transport import Transport
from .types import (
    Application,
    ApplicationSecret,
    Connector,
    Hook,
    Invitation,
    Member,
    OneTimeToken,
    Organization,
    OrganizationOfMember,
    OrganizationRole,
    OrganizationScope,
    Resource,
    Role,
    Scope,
    User,
)

__all__ = [
    "Applications",
    "Collection",
    "Connectors",
    "Hooks",
    "Invitations",
    "OneTimeTokens",
    "OrganizationRoles",
    "OrganizationScopes",
    "Organizations",
    "Resources",
    "Roles",
    "SignInExperience",
    "SubjectTokens",
    "Users",
]

T = TypeVar("T")


class Collection(Generic[T]):
    """Objects under one path that can be listed, created, read, updated and deleted."""

    path = ""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def all(self, **query: Any) -> Iterator[T]:
        """Return an iterator over all objects. It requests one page of 100 at a time."""
        return self._rows(self.path, **query)

    def pages(self, *, first_page: int = 1, **query: Any) -> Iterator[list[T]]:
        """Yield all objects from `first_page` on, page by page."""
        return cast("Iterator[list[T]]", self._api.pages(self.path, query=query, first_page=first_page))

    def count(self, **query: Any) -> int:
        """Return the number of objects."""
        return self._api.count(self.path, query=query)

    def first_page(self, **query: Any) -> tuple[list[T], int]:
        """Return the first page of objects, and the number of all objects."""
        return cast("tuple[list[T], int]", self._api.first_page(self.path, query=query))

    def create(self, payload: dict[str, Any]) -> T:
        """Create an object and return it."""
        return cast(T, self._api.request("POST", self.path, json=payload))

    def get(self, id: str, **query: Any) -> T:
        """Return the object with this id. Raise ManagementAPIError with the status 404 if there is none."""
        return cast(T, self._api.request("GET", self._path(id), query=query))

    def update(self, id: str, payload: dict[str, Any]) -> T:
        """Update an object and return it."""
        return cast(T, self._api.request("PATCH", self._path(id), json=payload))

    def delete(self, id: str) -> None:
        """Delete an object."""
        self._api.request("DELETE", self._path(id))

    def _path(self, id: str, *segments: str) -> str:
        return "/".join([self.path, *(quote(part, safe="") for part in (id, *segments))])

    def _rows(self, path: str, **query: Any) -> Iterator[Any]:
        for page in self._api.pages(path, query=query):
            yield from page

    def _call(self, method: str, path: str, json: Any = None) -> Any:
        return self._api.request(method, path, json=json)


class Applications(Collection[Application]):
    path = "applications"

    def secrets(self, id: str) -> list[ApplicationSecret]:
        """Return the app secrets, in clear. The key `secret` of the application itself is not a valid secret."""
        return cast("list[ApplicationSecret]", self._call("GET", self._path(id, "secrets")))


class Users(Collection[User]):
    path = "users"

    def with_ids(self, ids: Sequence[str]) -> list[User]:
        """Return the users with these ids that exist, in one request. `ids` has at most 100 entries."""
        query: dict[str, Any] = {"search.id": list(ids), "mode.id": "exact", "isCaseSensitive": True}
        return next(self.pages(**query), [])

    def suspend(self, id: str, *, is_suspended: bool = True) -> User:
        """Suspend or reactivate a user, and return the user.

        Logto ends the sessions and revokes the refresh tokens of a suspended user. JWT access tokens stay valid until
        they expire.
        """
        return cast(User, self._call("PATCH", self._path(id, "is-suspended"), {"isSuspended": is_suspended}))

    def update_custom_data(self, id: str, custom_data: dict[str, Any]) -> dict[str, Any]:
        """Merge `custom_data` into the stored value, one level deep, and return the result."""
        return cast("dict[str, Any]", self._call("PATCH", self._path(id, "custom-data"), {"customData": custom_data}))

    def update_profile(self, id: str, profile: dict[str, Any]) -> dict[str, Any]:
        """Merge `profile` into the stored value and return the result."""
        return cast("dict[str, Any]", self._call("PATCH", self._path(id, "profile"), {"profile": profile}))

    def roles(self, id: str) -> Iterator[Role]:
        """Return an iterator over the global roles of a user."""
        return self._rows(self._path(id, "roles"))

    def remove_role(self, id: str, role_id: str) -> None:
        """Remove a global role from a user."""
        self._call("DELETE", self._path(id, "roles", role_id))

    def organizations(self, id: str) -> list[OrganizationOfMember]:
        """Return the organizations of a user, each with `organizationRoles`."""
        return cast("list[OrganizationOfMember]", self._call("GET", self._path(id, "organizations")))

    def sessions(self, id: str) -> list[dict[str, Any]]:
        """Return the sessions of a user at Logto."""
        return cast("list[dict[str, Any]]", self._call("GET", self._path(id, "sessions"))["sessions"])

    def end_session(self, id: str, session_uid: str) -> None:
        """End a session at Logto and revoke its grants. Logto sends no back-channel logout for it."""
        self._api.request("DELETE", self._path(id, "sessions", session_uid), query={"revokeGrantsTarget": "all"})


class Roles(Collection[Role]):
    path = "roles"

    def scopes(self, id: str) -> Iterator[Scope]:
        """Return an iterator over the permissions of a role, each with its `resource`."""
        return self._rows(self._path(id, "scopes"))

    def add_scopes(self, id: str, scope_ids: Sequence[str]) -> None:
        """Add permissions that the role does not have yet."""
        self._call("POST", self._path(id, "scopes"), {"scopeIds": list(scope_ids)})

    def users(self, id: str) -> Iterator[User]:
        """Return an iterator over the users with the role."""
        return self._rows(self._path(id, "users"))

    def user_pages(self, id: str, *, first_page: int = 1) -> Iterator[list[User]]:
        """Yield these users from `first_page` on, page by page."""
        return cast("Iterator[list[User]]", self._api.pages(self._path(id, "users"), first_page=first_page))

    def first_page_of_users(self, id: str, **query: Any) -> tuple[list[User], int]:
        """Return the first page of these users, and the number of all. `query` may search, as `Users` does."""
        return cast("tuple[list[User], int]", self._api.first_page(self._path(id, "users"), query=query))


class Resources(Collection[Resource]):
    path = "resources"

    def scopes(self, id: str) -> Iterator[Scope]:
        """Return an iterator over the permissions of an API resource."""
        return self._rows(self._path(id, "scopes"))

    def create_scope(self, id: str, name: str, description: str = "") -> Scope:
        """Create a permission and return it."""
        return cast(Scope, self._call("POST", self._path(id, "scopes"), {"name": name, "description": description}))

    def update_scope(self, id: str, scope_id: str, payload: dict[str, Any]) -> Scope:
        """Update a permission and return it."""
        return cast(Scope, self._call("PATCH", self._path(id, "scopes", scope_id), payload))


class Organizations(Collection[Organization]):
    path = "organizations"

    def users(self, id: str) -> Iterator[Member]:
        """Return an iterator over the members, each with `organizationRoles`."""
        return self._rows(self._path(id, "users"))

    def user_pages(self, id: str, *, first_page: int = 1) -> Iterator[list[Member]]:
        """Yield the members from `first_page` on, page by page."""
        return cast("Iterator[list[Member]]", self._api.pages(self._path(id, "users"), first_page=first_page))

    def add_users(self, id: str, user_ids: Sequence[str]) -> None:
        """Add users as members. Existing members do not change."""
        self._call("POST", self._path(id, "users"), {"userIds": list(user_ids)})

    def remove_user(self, id: str, user_id: str) -> None:
        """Remove a member."""
        self._call("DELETE", self._path(id, "users", user_id))

    def set_user_roles(self, id: str, user_id: str, organization_role_ids: Sequence[str]) -> None:
        """Replace the roles of a member."""
        self._call(
            "PUT", self._path(id, "users", user_id, "roles"), {"organizationRoleIds": list(organization_role_ids)}
        )

    def jit_email_domains(self, id: str) -> Iterator[dict[str, Any]]:
        """Return an iterator over the just-in-time domains: users with such an e-mail become members at sign-up."""
        return self._rows(self._path(id, "jit", "email-domains"))

    def set_jit_email_domains(self, id: str, domains: Sequence[str]) -> None:
        """Replace the just-in-time e-mail domains."""
        self._call("PUT", self._path(id, "jit", "email-domains"), {"emailDomains": list(domains)})

    def set_jit_roles(self, id: str, organization_role_ids: Sequence[str]) -> None:
        """Replace the roles that just-in-time members get."""
        self._call("PUT", self._path(id, "jit", "roles"), {"organizationRoleIds": list(organization_role_ids)})


class OrganizationRoles(Collection[OrganizationRole]):
    path = "organization-roles"

    def add_scopes(self, id: str, organization_scope_ids: Sequence[str]) -> None:
        """Add organization permissions that the role does not have yet."""
        self._call("POST", self._path(id, "scopes"), {"organizationScopeIds": list(organization_scope_ids)})

    def add_resource_scopes(self, id: str, scope_ids: Sequence[str]) -> None:
        """Add permissions of API resources that the role does not have yet."""
        self._call("POST", self._path(id, "resource-scopes"), {"scopeIds": list(scope_ids)})


class OrganizationScopes(Collection[OrganizationScope]):
    path = "organization-scopes"


class Invitations(Collection[Invitation]):
    path = "organization-invitations"

    def all(self, **query: Any) -> Iterator[Invitation]:
        """Return an iterator over the invitations, filtered by `organizationId`, `inviterId` or `invitee`.

        Logto sends them without pages.
        """
        return iter(cast("list[Invitation]", self._api.request("GET", self.path, query=query)))

    def accept(self, id: str, user_id: str) -> Invitation:
        """Accept an invitation and add the user as a member. The user must have the invited e-mail."""
        payload = {"status": "Accepted", "acceptedUserId": user_id}
        return cast(Invitation, self._call("PUT", self._path(id, "status"), payload))

    def revoke(self, id: str) -> Invitation:
        """Revoke an invitation and return it."""
        return cast(Invitation, self._call("PUT", self._path(id, "status"), {"status": "Revoked"}))


class Connectors(Collection[Connector]):
    path = "connectors"

    def all(self, **query: Any) -> Iterator[Connector]:
        """Return an iterator over the connectors, with their secrets in clear. Logto sends them without pages."""
        return iter(cast("list[Connector]", self._api.request("GET", self.path, query=query)))

    def factories(self) -> list[Connector]:
        """Return the factories of connectors."""
        return cast("list[Connector]", self._call("GET", "connector-factories"))

    def factory(self, id: str) -> Connector:
        """Return a factory. Raise ManagementAPIError with the status 404 if there is none with this id."""
        return cast(Connector, self._call("GET", f"connector-factories/{quote(id, safe='')}"))

    def test(self, factory_id: str, payload: dict[str, Any]) -> None:
        """Send a test message with a config that need not be stored. For e-mail and SMS."""
        self._call("POST", self._path(factory_id, "test"), payload)


class SignInExperience:
    """The sign-in experience. A tenant has one."""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def get(self) -> dict[str, Any]:
        """Return the sign-in experience."""
        return cast("dict[str, Any]", self._api.request("GET", "sign-in-exp"))

    def update(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Update the sign-in experience and return it. Each section in `payload` replaces the stored section."""
        return cast("dict[str, Any]", self._api.request("PATCH", "sign-in-exp", json=payload))


class Hooks(Collection[Hook]):
    path = "hooks"

    def test(self, id: str, payload: dict[str, Any]) -> None:
        """Request test deliveries from Logto."""
        self._call("POST", self._path(id, "test"), payload)

    def recent_logs(self, id: str) -> Iterator[dict[str, Any]]:
        """Return an iterator over the log entries of the latest deliveries."""
        return self._rows(self._path(id, "recent-logs"))


class OneTimeTokens(Collection[OneTimeToken]):
    path = "one-time-tokens"


class SubjectTokens:
    """Subject tokens, with which an application acts for a user (RFC 8693)."""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def create(self, user_id: str, context: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return `{"subjectToken", "expiresIn"}`, with the lifetime in seconds. The token can be exchanged once."""
        payload = {"userId": user_id, **({"context": context} if context is not None else {})}
        return cast("dict[str, Any]", self._api.request("POST", "subject-tokens", json=payload))
