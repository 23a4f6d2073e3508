"""The methods of the Management API, one class for each kind of object.

Methods have Logto's names and send and return Logto's payloads unchanged, in camelCase, so that Logto's documentation
applies. `types` has the types of both. `update` sends a PATCH, which **replaces** JSON columns such as
`oidcClientMetadata`, `customData` and `config` as a whole: read, merge, then write.

Every method raises ManagementAPIError if Logto answers with an error, and ProviderUnreachable if it does not answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar, cast
from urllib.parse import quote

from .errors import ManagementAPIError
from .transport import PAGE_SIZE, Method, Payload, QueryValue, Transport

if TYPE_CHECKING:
    # Only for annotations: at run time, the import of the types takes longer than that of everything else here.
    from . import types

__all__ = [
    "AccountCenter",
    "Actions",
    "Applications",
    "Collection",
    "Connectors",
    "ConsentScopeType",
    "DynamicClients",
    "Hooks",
    "Invitations",
    "JwtCustomizers",
    "OneTimeTokens",
    "OrganizationRoles",
    "OrganizationScopes",
    "Organizations",
    "PagedCollection",
    "Resources",
    "Roles",
    "SignInExperience",
    "SsoConnectors",
    "SubjectTokens",
    "Users",
    "search_text",
]

T = TypeVar("T")
New = TypeVar("New", bound=Payload)
Changes = TypeVar("Changes", bound=Payload)
_CONSENT = "user-consent-scopes"
# The kinds of what a client may ask users for, as paths of the API name them.
ConsentScopeType = Literal["organization-scopes", "resource-scopes", "organization-resource-scopes", "user-scopes"]


def search_text(text: str) -> str | None:
    """Return the longest part of a text that the query `q` finds, for a search whose results are then compared.

    Logto's search is a pattern of PostgreSQL's LIKE, in which a backslash has a meaning of its own. None: search all.
    """
    return max(text.split("\\"), key=len) or None


class Collection(Generic[T, New, Changes]):
    """Objects under one path that can be listed, created, read, updated and deleted.

    `T` is the type of an object, `New` that of the payload of `create`, and `Changes` that of `update`.
    """

    path = ""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def all(self, **query: QueryValue) -> Iterator[T]:
        """Return an iterator over all objects, which Logto sends in one answer."""
        return iter(self._api.request("GET", self.path, query=query, returns=list))

    def create(self, payload: New) -> T:
        """Create an object and return it."""
        return self._call("POST", self.path, payload)

    def get(self, id: str, **query: QueryValue) -> T:
        """Return the object with this id. Raise ManagementAPIError with the status 404 if there is none."""
        return cast("T", self._api.request("GET", self._path(id), query=query, returns=dict))

    def update(self, id: str, payload: Changes) -> T:
        """Update an object and return it."""
        return self._call("PATCH", self._path(id), payload)

    def delete(self, id: str) -> None:
        """Delete an object."""
        self._call("DELETE", self._path(id))

    def _path(self, id: str, *segments: str) -> str:
        return "/".join([self.path, *(_segment(part) for part in (id, *segments))])

    def _rows(self, path: str, **query: QueryValue) -> Iterator[Any]:
        for page in self._api.pages(path, query=query):
            yield from page

    def _call(self, method: Method, path: str, json: Payload | None = None) -> Any:
        return self._api.request(method, path, json=json)


class PagedCollection(Collection[T, New, Changes]):
    """A collection that Logto sends page by page."""

    def all(self, **query: QueryValue) -> Iterator[T]:
        """Return an iterator over all objects. It requests one page of 100 at a time."""
        return self._rows(self.path, **query)

    def pages(self, *, first_page: int = 1, **query: QueryValue) -> Iterator[list[T]]:
        """Yield all objects from `first_page` on, page by page."""
        return self._api.pages(self.path, query=query, first_page=first_page)

    def count(self, **query: QueryValue) -> int:
        """Return the number of objects."""
        return self._api.count(self.path, query=query)

    def first_page(self, **query: QueryValue) -> tuple[list[T], int]:
        """Return the first page of objects, and the number of all objects."""
        return self._api.first_page(self.path, query=query)


class Applications(PagedCollection["types.Application", "types.NewApplication", "types.ApplicationChanges"]):
    path = "applications"

    def secrets(self, id: str) -> list[types.ApplicationSecret]:
        """Return the app secrets, in clear. The key `secret` of the application itself is not a valid secret."""
        return self._api.request("GET", self._path(id, "secrets"), returns=list)

    def user_consent_scopes(self, id: str) -> types.UserConsentScopes:
        """Return what a third-party application may ask users for. It is empty for each other application."""
        return cast("types.UserConsentScopes", self._api.request("GET", self._path(id, _CONSENT), returns=dict))

    def add_user_consent_scopes(self, id: str, payload: types.NewUserConsentScopes) -> None:
        """Let a third-party application ask users for more. Scopes have ids, and user scopes have names.

        Raise ManagementAPIError with the code `application.third_party_application_only` for another application,
        `application.user_consent_scopes_not_found` for an unknown id, and
        `application.consent_management_api_scopes_not_allowed` for a permission of the Management API.
        """
        self._call("POST", self._path(id, _CONSENT), payload)

    def remove_user_consent_scope(self, id: str, scope_type: ConsentScopeType, scope_id: str) -> None:
        """Remove one of them, by its id, or by the name of a user scope. Tokens that have it stay valid.

        Raise ManagementAPIError with the status 404 if it is not there.
        """
        self._call("DELETE", self._path(id, _CONSENT, scope_type, scope_id))


class Users(PagedCollection["types.User", "types.NewUser", "types.UserChanges"]):
    path = "users"

    def with_ids(self, ids: Sequence[str]) -> list[types.User]:
        """Return the users with these ids that exist, in one request. `ids` has at most 100 entries."""
        query: dict[str, QueryValue] = {"search.id": list(ids), "mode.id": "exact", "isCaseSensitive": True}
        return next(self._api.pages(self.path, query=query), [])

    def suspend(self, id: str, *, is_suspended: bool = True) -> types.User:
        """Suspend or reactivate a user, and return the user.

        Logto ends the sessions and revokes the refresh tokens of a suspended user. JWT access tokens stay valid until
        they expire.
        """
        payload: types.Suspension = {"isSuspended": is_suspended}
        return self._call("PATCH", self._path(id, "is-suspended"), payload)

    def update_custom_data(self, id: str, custom_data: dict[str, Any]) -> dict[str, Any]:
        """Merge `custom_data` into the stored value, one level deep, and return the result."""
        payload: types.CustomDataChanges = {"customData": custom_data}
        return self._call("PATCH", self._path(id, "custom-data"), payload)

    def update_profile(self, id: str, profile: types.Profile) -> types.Profile:
        """Merge `profile` into the stored value and return the result."""
        payload: types.ProfileChanges = {"profile": profile}
        return self._call("PATCH", self._path(id, "profile"), payload)

    def roles(self, id: str) -> Iterator[types.Role]:
        """Return an iterator over the global roles of a user."""
        return self._rows(self._path(id, "roles"))

    def remove_role(self, id: str, role_id: str) -> None:
        """Remove a global role from a user."""
        self._call("DELETE", self._path(id, "roles", role_id))

    def organizations(self, id: str) -> list[types.OrganizationOfMember]:
        """Return the organizations of a user, each with `organizationRoles`."""
        return self._api.request("GET", self._path(id, "organizations"), returns=list)

    def sessions(self, id: str) -> list[types.Session]:
        """Return the sessions of a user at Logto."""
        path = self._path(id, "sessions")
        sessions = self._api.request("GET", path, returns=dict).get("sessions")
        if not isinstance(sessions, list):
            raise ManagementAPIError(
                f"{path} answered without a list of sessions. Is this a Logto?", code="unexpected_body", status=502
            )
        return sessions

    def end_session(self, id: str, session_uid: str) -> None:
        """End a session at Logto and revoke its grants. Logto sends no back-channel logout for it."""
        self._api.request("DELETE", self._path(id, "sessions", session_uid), query={"revokeGrantsTarget": "all"})

    def personal_access_tokens(self, id: str) -> list[types.PersonalAccessToken]:
        """Return the personal access tokens of a user, in clear, also those that have expired."""
        return self._api.request("GET", self._path(id, "personal-access-tokens"), returns=list)

    def create_personal_access_token(self, id: str, payload: types.NewPersonalAccessToken) -> types.PersonalAccessToken:
        """Create a personal access token for a user, and return it. Its name must be unique among those of the user."""
        return self._call("POST", self._path(id, "personal-access-tokens"), payload)

    def rename_personal_access_token(self, id: str, name: str, new_name: str) -> types.PersonalAccessToken:
        """Give a personal access token another name, and return it. Raise ManagementAPIError if the name is taken."""
        payload: types.PersonalAccessTokenChanges = {"currentName": name, "name": new_name}
        return self._call("PATCH", self._path(id, "personal-access-tokens"), payload)

    def delete_personal_access_token(self, id: str, name: str) -> None:
        """Delete a personal access token. Access tokens that were issued for it remain valid until they expire."""
        # Not by a path: a name may contain each character, such as a slash.
        payload: types.PersonalAccessTokenName = {"name": name}
        # Nobody may believe that a key is revoked because something else than Logto has answered.
        path = self._path(id, "personal-access-tokens", "delete")
        self._api.request("POST", path, json=payload, returns=type(None))


class Roles(PagedCollection["types.Role", "types.NewRole", "types.RoleChanges"]):
    path = "roles"

    def scopes(self, id: str) -> Iterator[types.Scope]:
        """Return an iterator over the permissions of a role, each with its `resource`."""
        return self._rows(self._path(id, "scopes"))

    def add_scopes(self, id: str, scope_ids: Sequence[str]) -> None:
        """Add permissions that the role does not have yet."""
        payload: types.ScopeIds = {"scopeIds": list(scope_ids)}
        self._call("POST", self._path(id, "scopes"), payload)

    def users(self, id: str) -> Iterator[types.User]:
        """Return an iterator over the users with the role."""
        return self._rows(self._path(id, "users"))

    def user_pages(self, id: str, *, first_page: int = 1) -> Iterator[list[types.User]]:
        """Yield these users from `first_page` on, page by page."""
        return self._api.pages(self._path(id, "users"), first_page=first_page)

    def first_page_of_users(self, id: str, **query: QueryValue) -> tuple[list[types.User], int]:
        """Return the first page of these users, and the number of all. `query` may search, as `Users` does."""
        return self._api.first_page(self._path(id, "users"), query=query)


class Resources(PagedCollection["types.Resource", "types.NewResource", "types.ResourceChanges"]):
    path = "resources"

    def scopes(self, id: str) -> Iterator[types.Scope]:
        """Return an iterator over the permissions of an API resource."""
        return self._rows(self._path(id, "scopes"))

    def create_scope(self, id: str, name: str, description: str = "") -> types.Scope:
        """Create a permission and return it."""
        payload: types.NewScope = {"name": name, "description": description}
        return self._call("POST", self._path(id, "scopes"), payload)

    def update_scope(self, id: str, scope_id: str, payload: types.ScopeChanges) -> types.Scope:
        """Update a permission and return it."""
        return self._call("PATCH", self._path(id, "scopes", scope_id), payload)


class Organizations(PagedCollection["types.Organization", "types.NewOrganization", "types.OrganizationChanges"]):
    path = "organizations"

    def users(self, id: str, **query: QueryValue) -> Iterator[types.Member]:
        """Return an iterator over the members, each with `organizationRoles`.

        `q` in `query` searches in id, names, e-mail address, phone and username. `organizationRoleId` filters by role.
        """
        return self._rows(self._path(id, "users"), **query)

    def user_pages(self, id: str, *, first_page: int = 1) -> Iterator[list[types.Member]]:
        """Yield the members from `first_page` on, page by page."""
        return self._api.pages(self._path(id, "users"), first_page=first_page)

    def page_of_users(
        self, id: str, number: int, *, page_size: int = PAGE_SIZE, **query: QueryValue
    ) -> tuple[list[types.Member], int]:
        """Return one page of the members, from 1, and the number of members on all pages. See `users` for `query`."""
        return self._api.page(self._path(id, "users"), number, page_size=page_size, query=query)

    def add_users(self, id: str, user_ids: Sequence[str]) -> None:
        """Add users as members. Existing members do not change."""
        payload: types.UserIds = {"userIds": list(user_ids)}
        self._call("POST", self._path(id, "users"), payload)

    def remove_user(self, id: str, user_id: str) -> None:
        """Remove a member."""
        self._call("DELETE", self._path(id, "users", user_id))

    def set_user_roles(self, id: str, user_id: str, organization_role_ids: Sequence[str]) -> None:
        """Replace the roles of a member."""
        payload: types.OrganizationRolesOfMember = {"organizationRoleIds": list(organization_role_ids)}
        self._call("PUT", self._path(id, "users", user_id, "roles"), payload)

    def user_roles(self, id: str, user_id: str) -> Iterator[types.PlainOrganizationRole]:
        """Return an iterator over the roles of a member.

        Raise ManagementAPIError with the code `organization.require_membership` if the user is no member.
        """
        return self._rows(self._path(id, "users", user_id, "roles"))

    def add_user_roles(self, id: str, user_id: str, organization_role_ids: Sequence[str]) -> None:
        """Give a member more roles. Those that the member has already do not change."""
        payload: types.MoreOrganizationRolesOfMember = {"organizationRoleIds": list(organization_role_ids)}
        self._call("POST", self._path(id, "users", user_id, "roles"), payload)

    def remove_user_role(self, id: str, user_id: str, organization_role_id: str) -> None:
        """Take a role away from a member. Raise ManagementAPIError with the status 404 if the member has it not."""
        self._call("DELETE", self._path(id, "users", user_id, "roles", organization_role_id))

    def applications(self, id: str) -> Iterator[types.ApplicationMember]:
        """Return an iterator over the applications that are members, each with `organizationRoles`."""
        return self._rows(self._path(id, "applications"))

    def add_applications(self, id: str, application_ids: Sequence[str]) -> None:
        """Add machine-to-machine applications as members. Existing members do not change."""
        payload: types.ApplicationIds = {"applicationIds": list(application_ids)}
        self._call("POST", self._path(id, "applications"), payload)

    def remove_application(self, id: str, application_id: str) -> None:
        """Remove an application."""
        self._call("DELETE", self._path(id, "applications", application_id))

    def add_application_roles(self, id: str, application_id: str, organization_role_ids: Sequence[str]) -> None:
        """Give an application more roles, of the type MachineToMachine. There is at least one in the list."""
        payload: types.OrganizationRolesOfApplication = {"organizationRoleIds": list(organization_role_ids)}
        self._call("POST", self._path(id, "applications", application_id, "roles"), payload)

    def jit_email_domains(self, id: str) -> Iterator[types.JitEmailDomain]:
        """Return an iterator over the just-in-time domains: users with such an e-mail become members at sign-up."""
        return self._rows(self._path(id, "jit", "email-domains"))

    def set_jit_email_domains(self, id: str, domains: Sequence[str]) -> None:
        """Replace the just-in-time e-mail domains."""
        payload: types.JitEmailDomains = {"emailDomains": list(domains)}
        self._call("PUT", self._path(id, "jit", "email-domains"), payload)

    def add_jit_email_domain(self, id: str, domain: str) -> types.JitEmailDomain:
        """Add a just-in-time e-mail domain, and return it. Logto does not check its form."""
        payload: types.NewJitEmailDomain = {"emailDomain": domain}
        return self._call("POST", self._path(id, "jit", "email-domains"), payload)

    def remove_jit_email_domain(self, id: str, domain: str) -> None:
        """Remove a just-in-time e-mail domain. Raise ManagementAPIError with the status 404 if it is not there."""
        self._call("DELETE", self._path(id, "jit", "email-domains", domain))

    def jit_roles(self, id: str) -> Iterator[types.PlainOrganizationRole]:
        """Return an iterator over the roles that just-in-time members get."""
        return self._rows(self._path(id, "jit", "roles"))

    def set_jit_roles(self, id: str, organization_role_ids: Sequence[str]) -> None:
        """Replace the roles that just-in-time members get."""
        payload: types.JitRoles = {"organizationRoleIds": list(organization_role_ids)}
        self._call("PUT", self._path(id, "jit", "roles"), payload)

    def add_jit_roles(self, id: str, organization_role_ids: Sequence[str]) -> None:
        """Add roles that just-in-time members get. There is at least one in the list."""
        payload: types.JitRoles = {"organizationRoleIds": list(organization_role_ids)}
        self._call("POST", self._path(id, "jit", "roles"), payload)

    def jit_sso_connectors(self, id: str) -> Iterator[types.JitSsoConnector]:
        """Return an iterator over the enterprise SSO connectors whose users become members when they sign in."""
        return self._rows(self._path(id, "jit", "sso-connectors"))

    def add_jit_sso_connectors(self, id: str, sso_connector_ids: Sequence[str]) -> None:
        """Add just-in-time enterprise SSO connectors. Those that are there already do not change."""
        payload: types.JitSsoConnectors = {"ssoConnectorIds": list(sso_connector_ids)}
        self._call("POST", self._path(id, "jit", "sso-connectors"), payload)

    def set_jit_sso_connectors(self, id: str, sso_connector_ids: Sequence[str]) -> None:
        """Replace the just-in-time enterprise SSO connectors."""
        payload: types.JitSsoConnectors = {"ssoConnectorIds": list(sso_connector_ids)}
        self._call("PUT", self._path(id, "jit", "sso-connectors"), payload)

    def remove_jit_sso_connector(self, id: str, sso_connector_id: str) -> None:
        """Remove a just-in-time enterprise SSO connector."""
        self._call("DELETE", self._path(id, "jit", "sso-connectors", sso_connector_id))


class OrganizationRoles(
    PagedCollection["types.OrganizationRole", "types.NewOrganizationRole", "types.OrganizationRoleChanges"]
):
    path = "organization-roles"

    def add_scopes(self, id: str, organization_scope_ids: Sequence[str]) -> None:
        """Add organization permissions that the role does not have yet."""
        payload: types.OrganizationScopeIds = {"organizationScopeIds": list(organization_scope_ids)}
        self._call("POST", self._path(id, "scopes"), payload)

    def add_resource_scopes(self, id: str, scope_ids: Sequence[str]) -> None:
        """Add permissions of API resources that the role does not have yet."""
        payload: types.ScopeIds = {"scopeIds": list(scope_ids)}
        self._call("POST", self._path(id, "resource-scopes"), payload)


class OrganizationScopes(
    PagedCollection["types.OrganizationScope", "types.NewOrganizationScope", "types.OrganizationScopeChanges"]
):
    path = "organization-scopes"


class Invitations(Collection["types.Invitation", "types.NewInvitation", NoReturn]):
    """Invitations. `all` filters them by `organizationId`, `inviterId` or `invitee`."""

    path = "organization-invitations"

    def accept(self, id: str, user_id: str) -> types.Invitation:
        """Accept an invitation and add the user as a member. The user must have the invited e-mail."""
        payload: types.InvitationStatus = {"status": "Accepted", "acceptedUserId": user_id}
        return self._call("PUT", self._path(id, "status"), payload)

    def revoke(self, id: str) -> types.Invitation:
        """Revoke an invitation and return it."""
        payload: types.InvitationStatus = {"status": "Revoked"}
        return self._call("PUT", self._path(id, "status"), payload)

    def send_message(self, id: str, payload: types.MessagePayload) -> None:
        """Send the e-mail of an invitation again. Logto does so whatever the status of the invitation is."""
        self._call("POST", self._path(id, "message"), payload)


class Connectors(Collection["types.Connector", "types.NewConnector", "types.ConnectorChanges"]):
    """Connectors. `all` and `get` return their secrets in clear."""

    path = "connectors"

    def factories(self) -> list[types.ConnectorFactory]:
        """Return the factories of connectors."""
        return self._api.request("GET", "connector-factories", returns=list)

    def factory(self, id: str) -> types.ConnectorFactory:
        """Return a factory. Raise ManagementAPIError with the status 404 if there is none with this id."""
        path = f"connector-factories/{_segment(id)}"
        return cast("types.ConnectorFactory", self._api.request("GET", path, returns=dict))

    def test(self, factory_id: str, payload: types.ConnectorTest) -> None:
        """Send a test message with a config that need not be stored. For e-mail and SMS."""
        self._call("POST", self._path(factory_id, "test"), payload)


class SsoConnectors(PagedCollection["types.SsoConnector", "types.NewSsoConnector", "types.SsoConnectorChanges"]):
    """Enterprise SSO connectors. Their answers have secrets of identity providers in clear."""

    path = "sso-connectors"


class SignInExperience:
    """The sign-in experience. A tenant has one."""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def get(self) -> types.SignInExperience:
        """Return the sign-in experience."""
        return cast("types.SignInExperience", self._api.request("GET", "sign-in-exp", returns=dict))

    def update(self, payload: types.SignInExperienceChanges) -> types.SignInExperience:
        """Update the sign-in experience and return it. Each section in `payload` replaces the stored section."""
        return self._api.request("PATCH", "sign-in-exp", json=payload)


class AccountCenter:
    """The account center: what users may read and change in their own accounts. A tenant has one."""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def get(self) -> types.AccountCenter:
        """Return the account center. A field that is absent from `fields` is Off."""
        return cast("types.AccountCenter", self._api.request("GET", "account-center", returns=dict))

    def update(self, payload: types.AccountCenterChanges) -> types.AccountCenter:
        """Update the account center and return it.

        `fields` and `webauthnRelatedOrigins` replace the stored values. Logto drops fields that it does not have.
        """
        return self._api.request("PATCH", "account-center", json=payload)


class DynamicClients:
    """Clients that nobody registered, whose `client_id` is the URL of a document (CIMD). A tenant has one setting.

    Released versions of Logto, up to 1.42, do not have them: each method raises ManagementAPIError with the status 404.
    """

    def __init__(self, api: Transport) -> None:
        self._api = api

    def get(self) -> types.DynamicClientSettings:
        """Return whether the tenant accepts dynamic clients."""
        return cast("types.DynamicClientSettings", self._api.request("GET", "configs/cimd", returns=dict))

    def update(self, payload: types.DynamicClientSettingsChanges) -> types.DynamicClientSettings:
        """Turn dynamic clients on or off, and return the setting.

        Raise ManagementAPIError with the status 422 if Logto runs without its outbound guard and they are turned on.
        """
        stored = self._api.request("PATCH", "configs/cimd", json=payload, returns=dict)
        return cast("types.DynamicClientSettings", stored)

    def user_consent_scopes(self) -> types.UserConsentScopes:
        """Return the ceiling: what each dynamic client may ask users for, at most."""
        return cast("types.UserConsentScopes", self._api.request("GET", f"cimd/{_CONSENT}", returns=dict))

    def add_user_consent_scopes(self, payload: types.NewUserConsentScopes) -> None:
        """Raise the ceiling. See `Applications.add_user_consent_scopes` for the payload and the errors."""
        self._api.request("POST", f"cimd/{_CONSENT}", json=payload)

    def remove_user_consent_scope(self, scope_type: ConsentScopeType, scope_id: str) -> None:
        """Lower the ceiling by one scope, by its id, or by the name of a user scope.

        Raise ManagementAPIError with the status 404 if it is not there.
        """
        self._api.request("DELETE", f"cimd/{_CONSENT}/{_segment(scope_type)}/{_segment(scope_id)}")


class Actions:
    """The scripts that Logto runs in a sign-in. A tenant has one for each kind, such as action.postSignIn.

    Logto before 1.42 has none: each method raises ManagementAPIError with the status 404.
    """

    path = "configs/actions"

    def __init__(self, api: Transport) -> None:
        self._api = api

    def get(self, action_type: str) -> types.Action:
        """Return the script with its settings. Raise ManagementAPIError with the status 404 if there is none."""
        return cast("types.Action", self._api.request("GET", self._path(action_type), returns=dict))

    def set(self, action_type: str, payload: types.NewAction) -> types.Action:
        """Create the script, or replace it with all its settings, and return it."""
        return self._api.request("PUT", self._path(action_type), json=payload)

    def update(self, action_type: str, payload: types.ActionChanges) -> types.Action:
        """Update the script and return it. Settings that `payload` does not have stay."""
        return self._api.request("PATCH", self._path(action_type), json=payload)

    def delete(self, action_type: str) -> None:
        """Delete the script. Raise ManagementAPIError with the status 404 if there is none."""
        self._api.request("DELETE", self._path(action_type))

    def _path(self, action_type: str) -> str:
        return f"{self.path}/{_segment(action_type)}"


class JwtCustomizers:
    """The scripts for custom claims. A tenant has one for each `token_type`: access-token and client-credentials."""

    path = "configs/jwt-customizer"

    def __init__(self, api: Transport) -> None:
        self._api = api

    def get(self, token_type: str) -> types.JwtCustomizer:
        """Return the script with its settings. Raise ManagementAPIError with the status 404 if there is none."""
        return cast("types.JwtCustomizer", self._api.request("GET", self._path(token_type), returns=dict))

    def set(self, token_type: str, payload: types.JwtCustomizerChanges) -> types.JwtCustomizer:
        """Create the script, or replace it with all its settings, and return it."""
        return self._api.request("PUT", self._path(token_type), json=payload)

    def update(self, token_type: str, payload: types.JwtCustomizerChanges) -> types.JwtCustomizer:
        """Update the script and return it. Settings that `payload` does not have stay."""
        return self._api.request("PATCH", self._path(token_type), json=payload)

    def test(self, payload: types.JwtCustomizerTest) -> dict[str, Any]:
        """Run a script that need not be stored, and return its claims.

        Raise ManagementAPIError with the code `jwt_customizer.general` if it fails, or denies access. `data` says why.
        """
        return self._api.request("POST", f"{self.path}/test", json=payload, returns=dict)

    def _path(self, token_type: str) -> str:
        return f"{self.path}/{_segment(token_type)}"


class Hooks(PagedCollection["types.Hook", "types.NewHook", "types.HookChanges"]):
    path = "hooks"

    def test(self, id: str, payload: types.HookTest) -> None:
        """Request test deliveries from Logto."""
        self._call("POST", self._path(id, "test"), payload)

    def recent_logs(self, id: str) -> Iterator[types.Log]:
        """Return an iterator over the log entries of the latest deliveries."""
        return self._rows(self._path(id, "recent-logs"))


class OneTimeTokens(PagedCollection["types.OneTimeToken", "types.NewOneTimeToken", NoReturn]):
    path = "one-time-tokens"


class SubjectTokens:
    """Subject tokens, with which an application acts for a user (RFC 8693)."""

    def __init__(self, api: Transport) -> None:
        self._api = api

    def create(self, user_id: str, context: dict[str, Any] | None = None) -> types.SubjectToken:
        """Return `{"subjectToken", "expiresIn"}`, with the lifetime in seconds. The token can be exchanged once."""
        payload: types.NewSubjectToken = {"userId": user_id}
        if context is not None:
            payload["context"] = context
        return self._api.request("POST", "subject-tokens", json=payload)


def _segment(text: str) -> str:
    """Return `text` as one segment of a path. Raise ManagementAPIError, as for an unknown id, if it cannot be one."""
    try:
        segment = quote(text, safe="")
    except UnicodeEncodeError:
        segment = ""
    # A client resolves "." and "..", so "users/.." of an organization would be the organization itself.
    if segment in {"", ".", ".."}:
        raise ManagementAPIError(
            "The request was not sent: an id is empty, dots, or no text.", code="entity.not_found", status=404
        )
    return segment
