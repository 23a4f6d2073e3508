"""What the Management API has, resource by resource: thin methods, with Logto's names and its payloads as they are.

`all` is an iterator over all pages. Payloads keep Logto's camelCase, so that its documentation reads the same;
`types` has their shapes. `update` sends a PATCH, which **replaces** whole JSON columns such as `oidcClientMetadata`,
`customData` and `config`: read, merge, write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast
from urllib.parse import quote

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
    SigningKey,
    User,
)

if TYPE_CHECKING:
    from .client import ManagementAPI

T = TypeVar("T")


class Collection(Generic[T]):
    """Rows under one path that can be listed, made, read, changed and deleted."""

    path = ""

    def __init__(self, api: ManagementAPI) -> None:
        self._api = api

    def all(self, **query: Any) -> Iterator[T]:
        """All rows, page by page."""
        return self._rows(self.path, **query)

    def pages(self, *, first_page: int = 1, **query: Any) -> Iterator[list[T]]:
        """All rows from that page on, a page at a time."""
        return cast("Iterator[list[T]]", self._api.pages(self.path, query=query, first_page=first_page))

    def count(self, **query: Any) -> int:
        """How many rows there are."""
        return self._api.count(self.path, query=query)

    def create(self, payload: dict[str, Any]) -> T:
        """The new row."""
        return cast(T, self._api.request("POST", self.path, json=payload))

    def get(self, id: str, **query: Any) -> T:
        """The row with this id. Raises ManagementAPIError with the HTTP status 404."""
        return cast(T, self._api.request("GET", self._of(id), query=query))

    def update(self, id: str, payload: dict[str, Any]) -> T:
        """The changed row."""
        return cast(T, self._api.request("PATCH", self._of(id), json=payload))

    def delete(self, id: str) -> None:
        """Delete a row."""
        self._api.request("DELETE", self._of(id))

    def _of(self, id: str, *segments: str) -> str:
        return "/".join([self.path, *(quote(part, safe="") for part in (id, *segments))])

    def _rows(self, path: str, **query: Any) -> Iterator[Any]:
        for page in self._api.pages(path, query=query):
            yield from page

    def _call(self, method: str, path: str, json: Any = None) -> Any:
        return self._api.request(method, path, json=json)


class Applications(Collection[Application]):
    path = "applications"

    def secrets(self, id: str) -> list[ApplicationSecret]:
        """The named secrets, readable. `secret` of the application itself is none of them, and opens nothing."""
        return cast("list[ApplicationSecret]", self._call("GET", self._of(id, "secrets")))

    def create_secret(self, id: str, name: str, *, expires_at: int | None = None) -> ApplicationSecret:
        """A new secret; `expires_at` is in milliseconds since the epoch."""
        payload = {"name": name} if expires_at is None else {"name": name, "expiresAt": expires_at}
        return cast(ApplicationSecret, self._call("POST", self._of(id, "secrets"), payload))

    def delete_secret(self, id: str, name: str) -> None:
        """Delete a secret by its name."""
        self._call("DELETE", self._of(id, "secrets", name))

    def roles(self, id: str) -> Iterator[Role]:
        """The roles of a machine-to-machine application."""
        return self._rows(self._of(id, "roles"))

    def assign_roles(self, id: str, role_ids: Sequence[str]) -> None:
        """Give roles to a machine-to-machine application."""
        self._call("POST", self._of(id, "roles"), {"roleIds": list(role_ids)})


class Users(Collection[User]):
    path = "users"

    def with_ids(self, ids: Sequence[str]) -> list[User]:
        """Those of a hundred people at most who exist, in one request."""
        query: dict[str, Any] = {"search.id": list(ids), "mode.id": "exact", "isCaseSensitive": True}
        return next(self.pages(**query), [])

    def suspend(self, id: str, *, is_suspended: bool = True) -> User:
        """Suspend a person, or lift that. Ends sessions and refresh tokens; JWT access tokens live until their end."""
        return cast(User, self._call("PATCH", self._of(id, "is-suspended"), {"isSuspended": is_suspended}))

    def update_custom_data(self, id: str, custom_data: dict[str, Any]) -> dict[str, Any]:
        """Merge into the custom data, one level deep."""
        return cast("dict[str, Any]", self._call("PATCH", self._of(id, "custom-data"), {"customData": custom_data}))

    def update_profile(self, id: str, profile: dict[str, Any]) -> dict[str, Any]:
        """Merge into the profile."""
        return cast("dict[str, Any]", self._call("PATCH", self._of(id, "profile"), {"profile": profile}))

    def roles(self, id: str) -> Iterator[Role]:
        """The global roles of a person."""
        return self._rows(self._of(id, "roles"))

    def assign_roles(self, id: str, role_ids: Sequence[str]) -> None:
        """Give roles to a person."""
        self._call("POST", self._of(id, "roles"), {"roleIds": list(role_ids)})

    def remove_role(self, id: str, role_id: str) -> None:
        """Take a role from a person."""
        self._call("DELETE", self._of(id, "roles", role_id))

    def organizations(self, id: str) -> list[OrganizationOfMember]:
        """The organizations of a person, each with `organizationRoles`."""
        return cast("list[OrganizationOfMember]", self._call("GET", self._of(id, "organizations")))

    def sessions(self, id: str) -> list[dict[str, Any]]:
        """The sessions at Logto."""
        return cast("list[dict[str, Any]]", self._call("GET", self._of(id, "sessions"))["sessions"])

    def end_session(self, id: str, session_uid: str) -> None:
        """End a session at Logto and revoke what was granted in it. No back-channel logout is sent."""
        self._api.request("DELETE", self._of(id, "sessions", session_uid), query={"revokeGrantsTarget": "all"})


class Roles(Collection[Role]):
    path = "roles"

    def scopes(self, id: str) -> Iterator[Scope]:
        """The permissions of a role, each with its `resource`."""
        return self._rows(self._of(id, "scopes"))

    def add_scopes(self, id: str, scope_ids: Sequence[str]) -> None:
        """Give permissions to a role that it does not have yet."""
        self._call("POST", self._of(id, "scopes"), {"scopeIds": list(scope_ids)})

    def remove_scope(self, id: str, scope_id: str) -> None:
        """Take a permission from a role."""
        self._call("DELETE", self._of(id, "scopes", scope_id))

    def users(self, id: str) -> Iterator[User]:
        """Who has the role."""
        return self._rows(self._of(id, "users"))

    def user_pages(self, id: str, *, first_page: int = 1) -> Iterator[list[User]]:
        """The same from that page on, a page at a time."""
        return cast("Iterator[list[User]]", self._api.pages(self._of(id, "users"), first_page=first_page))


class Resources(Collection[Resource]):
    path = "resources"

    def scopes(self, id: str) -> Iterator[Scope]:
        """The permissions of an API resource."""
        return self._rows(self._of(id, "scopes"))

    def create_scope(self, id: str, name: str, description: str = "") -> Scope:
        """A new permission."""
        return cast(Scope, self._call("POST", self._of(id, "scopes"), {"name": name, "description": description}))

    def update_scope(self, id: str, scope_id: str, payload: dict[str, Any]) -> Scope:
        """The changed permission."""
        return cast(Scope, self._call("PATCH", self._of(id, "scopes", scope_id), payload))


class Organizations(Collection[Organization]):
    path = "organizations"

    def users(self, id: str) -> Iterator[Member]:
        """The members, each with `organizationRoles`."""
        return self._rows(self._of(id, "users"))

    def user_pages(self, id: str, *, first_page: int = 1) -> Iterator[list[Member]]:
        """The same from that page on, a page at a time."""
        return cast("Iterator[list[Member]]", self._api.pages(self._of(id, "users"), first_page=first_page))

    def add_users(self, id: str, user_ids: Sequence[str]) -> None:
        """Make people members; those who are stay as they are."""
        self._call("POST", self._of(id, "users"), {"userIds": list(user_ids)})

    def remove_user(self, id: str, user_id: str) -> None:
        """End a membership."""
        self._call("DELETE", self._of(id, "users", user_id))

    def set_user_roles(self, id: str, user_id: str, organization_role_ids: Sequence[str]) -> None:
        """Give a member exactly these roles."""
        self._call("PUT", self._of(id, "users", user_id, "roles"), {"organizationRoleIds": list(organization_role_ids)})

    def jit_email_domains(self, id: str) -> Iterator[dict[str, Any]]:
        """The e-mail domains whose people become members when they sign up."""
        return self._rows(self._of(id, "jit", "email-domains"))

    def set_jit_email_domains(self, id: str, domains: Sequence[str]) -> None:
        """Set exactly these domains."""
        self._call("PUT", self._of(id, "jit", "email-domains"), {"emailDomains": list(domains)})

    def set_jit_roles(self, id: str, organization_role_ids: Sequence[str]) -> None:
        """Set exactly these roles for those who become members just in time."""
        self._call("PUT", self._of(id, "jit", "roles"), {"organizationRoleIds": list(organization_role_ids)})


class OrganizationRoles(Collection[OrganizationRole]):
    path = "organization-roles"

    def add_scopes(self, id: str, organization_scope_ids: Sequence[str]) -> None:
        """Give organization permissions to a role that it does not have yet."""
        self._call("POST", self._of(id, "scopes"), {"organizationScopeIds": list(organization_scope_ids)})

    def add_resource_scopes(self, id: str, scope_ids: Sequence[str]) -> None:
        """Give permissions of API resources to a role that it does not have yet."""
        self._call("POST", self._of(id, "resource-scopes"), {"scopeIds": list(scope_ids)})

    def set_scopes(self, id: str, organization_scope_ids: Sequence[str]) -> None:
        """Give a role exactly these organization permissions."""
        self._call("PUT", self._of(id, "scopes"), {"organizationScopeIds": list(organization_scope_ids)})

    def set_resource_scopes(self, id: str, scope_ids: Sequence[str]) -> None:
        """Give a role exactly these permissions of API resources."""
        self._call("PUT", self._of(id, "resource-scopes"), {"scopeIds": list(scope_ids)})


class OrganizationScopes(Collection[OrganizationScope]):
    path = "organization-scopes"


class Invitations(Collection[Invitation]):
    path = "organization-invitations"

    def all(self, **query: Any) -> Iterator[Invitation]:
        """All invitations, or those of `organizationId`, `inviterId`, `invitee`; Logto sends them in one piece."""
        return iter(cast("list[Invitation]", self._api.request("GET", self.path, query=query)))

    def accept(self, id: str, user_id: str) -> Invitation:
        """Make the person a member. Their e-mail has to be the one invited."""
        payload = {"status": "Accepted", "acceptedUserId": user_id}
        return cast(Invitation, self._call("PUT", self._of(id, "status"), payload))

    def revoke(self, id: str) -> Invitation:
        """Withdraw an invitation."""
        return cast(Invitation, self._call("PUT", self._of(id, "status"), {"status": "Revoked"}))


class Connectors(Collection[Connector]):
    path = "connectors"

    def all(self, **query: Any) -> Iterator[Connector]:
        """All connectors, their secrets in clear; Logto sends them in one piece."""
        return iter(cast("list[Connector]", self._api.request("GET", self.path, query=query)))

    def factories(self) -> list[Connector]:
        """What connectors can be made of."""
        return cast("list[Connector]", self._call("GET", "connector-factories"))

    def factory(self, id: str) -> Connector:
        """One of them. Raises ManagementAPIError with the HTTP status 404."""
        return cast(Connector, self._call("GET", f"connector-factories/{quote(id, safe='')}"))

    def test(self, factory_id: str, payload: dict[str, Any]) -> None:
        """Send a message by a configuration that is not saved yet; for e-mail and SMS."""
        self._call("POST", self._of(factory_id, "test"), payload)


class SignInExperience:
    """The one sign-in experience of the tenant."""

    def __init__(self, api: ManagementAPI) -> None:
        self._api = api

    def get(self) -> dict[str, Any]:
        """All of it."""
        return cast("dict[str, Any]", self._api.request("GET", "sign-in-exp"))

    def update(self, payload: dict[str, Any]) -> dict[str, Any]:
        """All of it after the change. Each section that is sent replaces the old one."""
        return cast("dict[str, Any]", self._api.request("PATCH", "sign-in-exp", json=payload))


class Hooks(Collection[Hook]):
    path = "hooks"

    def rotate_signing_key(self, id: str) -> Hook:
        """The hook with a new signing key."""
        return cast(Hook, self._call("PATCH", self._of(id, "signing-key")))

    def test(self, id: str, payload: dict[str, Any]) -> None:
        """Have Logto send a test event."""
        self._call("POST", self._of(id, "test"), payload)

    def recent_logs(self, id: str) -> Iterator[dict[str, Any]]:
        """What came of the latest deliveries."""
        return self._rows(self._of(id, "recent-logs"))


class SigningKeys:
    """The keys that Logto signs tokens with."""

    path = "configs/oidc/private-keys"

    def __init__(self, api: ManagementAPI) -> None:
        self._api = api

    def all(self) -> list[SigningKey]:
        """The keys, without what is secret."""
        return cast("list[SigningKey]", self._api.request("GET", self.path))

    def rotate(self, *, algorithm: str = "EC", grace_seconds: int | None = None) -> list[SigningKey]:
        """The keys with a new one, which signs at once or when the grace period is over. `algorithm`: EC or RSA."""
        payload: dict[str, Any] = {"signingKeyAlgorithm": algorithm}
        if grace_seconds is not None:
            payload["rotationGracePeriod"] = grace_seconds
        return cast("list[SigningKey]", self._api.request("POST", f"{self.path}/rotate", json=payload))


class OneTimeTokens(Collection[OneTimeToken]):
    path = "one-time-tokens"


class SubjectTokens:
    """Tokens to act in a person's name."""

    def __init__(self, api: ManagementAPI) -> None:
        self._api = api

    def create(self, user_id: str, context: dict[str, Any] | None = None) -> dict[str, Any]:
        """`{"subjectToken", "expiresIn"}`, to be exchanged once."""
        payload = {"userId": user_id, **({"context": context} if context is not None else {})}
        return cast("dict[str, Any]", self._api.request("POST", "subject-tokens", json=payload))
