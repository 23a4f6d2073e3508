"""The tenant: what is set up in it, and the operations of an administrator."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from threading import RLock
from typing import Any

from . import ids
from .clock import Clock
from .store import (
    MANAGEMENT_API_RESOURCE,
    AlipayAccount,
    Application,
    ApplicationSecret,
    ApplicationType,
    OneTimeToken,
    OneTimeTokenStatus,
    Organization,
    OrganizationRole,
    Resource,
    Role,
    RoleType,
    SignInExperience,
    User,
    make_secrets,
)

_USERNAME = re.compile(r"[A-Z_a-z]\w*", re.ASCII)


class DuplicateError(ValueError):
    """Something of that name exists. `code` is Logto's, such as `user.username_already_in_use`."""

    def __init__(self, code: str) -> None:
        super().__init__(f"Logto would refuse this with 422 {code}.")
        self.code = code


class Tenant:
    """Users, applications, roles, resources and organizations, by id.

    `on_user_ended` is called with the id of a user who was suspended or deleted.
    """

    def __init__(self, clock: Clock, *, on_user_ended: Callable[[str], None] = lambda sub: None) -> None:
        self.lock = RLock()
        self._clock = clock
        self._on_user_ended = on_user_ended
        self.clear()

    def clear(self) -> None:
        """Return to an empty tenant, with only what Logto seeds itself."""
        self.users: dict[str, User] = {}
        self.applications: dict[str, Application] = {}
        self.roles: dict[str, Role] = {}
        self.resources: dict[str, Resource] = {}
        self.organizations: dict[str, Organization] = {}
        self.organization_roles: dict[str, OrganizationRole] = {}
        self.organization_scopes: list[str] = []
        self.organization_consents: set[tuple[str, str, str]] = set()
        self.one_time_tokens: dict[str, OneTimeToken] = {}
        self.alipay_accounts: list[AlipayAccount] = []
        self.sign_in_experience = SignInExperience()
        self.id_token_extended_claims = {"roles", "organizations", "organization_roles"}
        self.add_resource(MANAGEMENT_API_RESOURCE, scopes=["all"], name="Logto Management API")

    # Users

    def add_user(
        self,
        *,
        username: str | None = None,
        password: str | None = None,
        primary_email: str | None = None,
        primary_phone: str | None = None,
        name: str | None = None,
        avatar: str | None = None,
        profile: Mapping[str, Any] | None = None,
        identities: Mapping[str, Any] | None = None,
        sso_identities: Sequence[dict[str, Any]] = (),
        custom_data: Mapping[str, Any] | None = None,
        roles: Iterable[str] = (),
        has_mfa: bool = False,
        is_suspended: bool = False,
        id: str | None = None,
    ) -> User:
        """Return a new user, who also gets every role that is a default one.

        Raises DuplicateError for a username, email or phone in use, and ValueError for a role that does not exist.
        """
        with self.lock:
            self._refuse_taken(username, primary_email, primary_phone)
            defaults = [role.name for role in self.roles.values() if role.is_default and role.type == "User"]
            now = self._clock.now_ms()
            user = User(
                id=id or ids.short_id(),
                created_at=now,
                updated_at=now,
                username=username,
                password=password,
                primary_email=primary_email,
                primary_phone=primary_phone,
                name=name,
                avatar=avatar,
                profile=dict(profile or {}),
                identities=dict(identities or {}),
                sso_identities=list(sso_identities),
                custom_data=dict(custom_data or {}),
                roles=self._existing_roles([*roles, *defaults]),
                has_mfa=has_mfa,
                is_suspended=is_suspended,
            )
            self.users[user.id] = user
            return user

    def update_user(self, sub: str, **changes: Any) -> User:
        """Change fields of a user (keyword names as in `add_user`) and return the user."""
        with self.lock:
            user = self.users[sub]
            unknown = [name for name in changes if not hasattr(user, name)]
            if unknown:
                raise TypeError(f"A user has no field {unknown[0]!r}.")
            self._refuse_taken(
                changes.get("username"), changes.get("primary_email"), changes.get("primary_phone"), besides=sub
            )
            if "roles" in changes:
                changes["roles"] = self._existing_roles(changes["roles"])
            for name, value in changes.items():
                setattr(user, name, value)
            user.updated_at = self._clock.now_ms()
        if changes.get("is_suspended"):
            self._on_user_ended(sub)
        return user

    def suspend_user(self, sub: str, *, is_suspended: bool = True) -> None:
        """Suspend a user: sessions and stored tokens end, JWT access tokens live on, no back-channel logout is sent."""
        self.update_user(sub, is_suspended=is_suspended)

    def delete_user(self, sub: str) -> None:
        """Delete a user: what ends is what ends with a suspension."""
        with self.lock:
            del self.users[sub]
            for organization in self.organizations.values():
                organization.members.pop(sub, None)
        self._on_user_ended(sub)

    def find_user(self, **identifier: str) -> User | None:
        """Return the user with this `username`, `primary_email`, `primary_phone` or other field."""
        ((name, value),) = identifier.items()
        return next((user for user in list(self.users.values()) if getattr(user, name) == value), None)

    def find_user_by_identity(self, target: str, user_id: str) -> User | None:
        """Return the user linked to an account at a social provider."""
        for user in list(self.users.values()):
            if user.identities.get(target, {}).get("userId") == user_id:
                return user
        return None

    # Applications

    def add_application(
        self,
        *,
        name: str,
        type: ApplicationType = "Traditional",
        redirect_uris: Iterable[str] = (),
        post_logout_redirect_uris: Iterable[str] = (),
        backchannel_logout_uri: str | None = None,
        backchannel_logout_session_required: bool = False,
        is_third_party: bool = False,
        roles: Iterable[str] = (),
        id: str | None = None,
        secret: str | None = None,
        **metadata: Any,
    ) -> Application:
        """Return a new application. `metadata` takes the other fields of `Application`, such as `id_token_ttl`.

        Raises ValueError for a role that does not exist or is one of users.
        """
        with self.lock:
            application = Application(
                id=id or ids.standard_id(),
                name=name,
                type=type,
                secrets=make_secrets(type, secret),
                redirect_uris=list(redirect_uris),
                post_logout_redirect_uris=list(post_logout_redirect_uris),
                backchannel_logout_uri=backchannel_logout_uri,
                backchannel_logout_session_required=backchannel_logout_session_required,
                is_third_party=is_third_party,
                roles=self._existing_roles(roles, "MachineToMachine"),
                **metadata,
            )
            self.applications[application.id] = application
            return application

    def add_application_secret(
        self, client_id: str, name: str, *, value: str | None = None, expires_at: int | None = None
    ) -> ApplicationSecret:
        """Return a further secret of an application; `expires_at` is in milliseconds."""
        secret = ApplicationSecret(name, value or ids.secret(), expires_at)
        self.applications[client_id].secrets.append(secret)
        return secret

    # Roles and resources

    def add_role(
        self,
        name: str,
        *,
        scopes: Mapping[str, Sequence[str]] | None = None,
        type: RoleType = "User",
        is_default: bool = False,
        id: str | None = None,
    ) -> Role:
        """Return a new global role; `scopes` maps a resource indicator to names of its permissions."""
        with self.lock:
            if any(role.name == name for role in self.roles.values()):
                raise DuplicateError("role.name_in_use")
            role = Role(id or ids.standard_id(), name, type, dict(scopes or {}), is_default)
            self.roles[role.id] = role
            return role

    def add_resource(
        self,
        indicator: str,
        *,
        scopes: Iterable[str] = (),
        name: str | None = None,
        access_token_ttl: int = 3600,
        is_default: bool = False,
        id: str | None = None,
    ) -> Resource:
        """Return a new API resource."""
        with self.lock:
            if self.find_resource(indicator):
                raise DuplicateError("resource.resource_identifier_in_use")
            title = name or indicator
            resource = Resource(id or ids.standard_id(), title, indicator, list(scopes), access_token_ttl, is_default)
            self.resources[resource.id] = resource
            return resource

    def find_resource(self, indicator: str) -> Resource | None:
        """Return the API resource with this indicator."""
        return next((each for each in list(self.resources.values()) if each.indicator == indicator), None)

    @property
    def default_resource(self) -> Resource | None:
        """The resource that stands in when a request names none."""
        return next((each for each in list(self.resources.values()) if each.is_default), None)

    # Organizations

    def add_organization(
        self,
        name: str,
        *,
        description: str | None = None,
        custom_data: Mapping[str, Any] | None = None,
        is_mfa_required: bool = False,
        id: str | None = None,
    ) -> Organization:
        """Return a new organization."""
        with self.lock:
            organization = Organization(
                id or ids.short_id(), name, description, dict(custom_data or {}), is_mfa_required
            )
            self.organizations[organization.id] = organization
            return organization

    def add_organization_scope(self, name: str) -> None:
        """Add a permission to the organization template."""
        if name not in self.organization_scopes:
            self.organization_scopes.append(name)

    def add_organization_role(
        self,
        name: str,
        *,
        scopes: Sequence[str] = (),
        resource_scopes: Mapping[str, Sequence[str]] | None = None,
        type: RoleType = "User",
        id: str | None = None,
    ) -> OrganizationRole:
        """Return a new role of the organization template; the scopes it holds are added to the template."""
        with self.lock:
            if self.find_organization_role(name):
                raise DuplicateError("entity.unique_integrity_violation")
            for scope in scopes:
                self.add_organization_scope(scope)
            role = OrganizationRole(id or ids.standard_id(), name, type, tuple(scopes), dict(resource_scopes or {}))
            self.organization_roles[role.id] = role
            return role

    def add_member(self, organization_id: str, sub: str, *, roles: Iterable[str] = ()) -> None:
        """Make a user a member, with exactly these organization roles (by name).

        Raises ValueError for a role that does not exist or is one of machine-to-machine applications.
        """
        self.organizations[organization_id].members[sub] = self._existing_organization_roles(roles)

    def remove_member(self, organization_id: str, sub: str) -> None:
        """End a user's membership."""
        self.organizations[organization_id].members.pop(sub, None)

    def add_organization_application(self, organization_id: str, client_id: str, *, roles: Iterable[str] = ()) -> None:
        """Make a machine-to-machine application a member, with exactly these organization roles (by name).

        Without any it gets no token in the organization. Raises ValueError for another application, and for a role that
        does not exist or is one of users.
        """
        if self.applications[client_id].is_interactive:
            raise ValueError("Only a machine-to-machine application can be a member of an organization.")
        names = self._existing_organization_roles(roles, "MachineToMachine")
        self.organizations[organization_id].applications[client_id] = names

    def add_jit(self, organization_id: str, *, email_domains: Iterable[str] = (), roles: Iterable[str] = ()) -> None:
        """Let new users of these e-mail domains join just in time, and give these roles to all who join so."""
        organization = self.organizations[organization_id]
        organization.jit_roles += self._existing_organization_roles(roles)
        organization.jit_email_domains += email_domains

    def find_organization_role(self, name: str) -> OrganizationRole | None:
        """Return the role of the organization template with this name."""
        return next((role for role in list(self.organization_roles.values()) if role.name == name), None)

    # One-time tokens

    def add_one_time_token(
        self, email: str, *, jit_organization_ids: Iterable[str] = (), expires_in: int = 600
    ) -> OneTimeToken:
        """Return a new token, for a link that signs this address in; `expires_in` is in seconds.

        Whoever uses it becomes a member of the organizations named. Older tokens of the address stay as they are.
        """
        organization_ids = [self.organizations[each].id for each in jit_organization_ids]
        now = self._clock.now_ms()
        token = OneTimeToken(ids.standard_id(), email, ids.secret(), organization_ids, now, now + expires_in * 1000)
        self.one_time_tokens[token.id] = token
        return token

    def update_one_time_token(self, token_id: str, status: OneTimeTokenStatus) -> None:
        """Set the status of a token, which can be ended but not revived."""
        if status == "active":
            raise ValueError("Logto would refuse this with 400 one_time_token.cannot_reactivate_token.")
        self.one_time_tokens[token_id].status = status

    def find_one_time_token(self, value: str) -> OneTimeToken | None:
        """Return the token with this value."""
        return next((each for each in list(self.one_time_tokens.values()) if each.token == value), None)

    # Sign-in experience

    def add_alipay_account(
        self, user_id: str, *, nick_name: str | None = None, avatar: str | None = None
    ) -> AlipayAccount:
        """Return a new account at the stand-in for Alipay, to be picked on its page."""
        account = AlipayAccount(user_id, nick_name, avatar)
        self.alipay_accounts.append(account)
        return account

    # Checks

    def username_is_well_formed(self, username: str) -> bool:
        return _USERNAME.fullmatch(username) is not None

    def _refuse_taken(
        self, username: str | None, email: str | None, phone: str | None, *, besides: str | None = None
    ) -> None:
        wanted = {"username": username, "primary_email": email, "primary_phone": phone}
        codes = {"username": "username", "primary_email": "email", "primary_phone": "phone"}
        for name, value in wanted.items():
            owner = self.find_user(**{name: value}) if value else None
            if owner is not None and owner.id != besides:
                raise DuplicateError(f"user.{codes[name]}_already_in_use")

    def _existing_roles(self, names: Iterable[str], type: RoleType = "User") -> list[str]:
        return _all_of_type(names, {role.name: role.type for role in self.roles.values()}, type, "role")

    def _existing_organization_roles(self, names: Iterable[str], type: RoleType = "User") -> list[str]:
        known = {role.name: role.type for role in self.organization_roles.values()}
        return _all_of_type(names, known, type, "organization role")


def _all_of_type(names: Iterable[str], known: Mapping[str, RoleType], type: RoleType, kind: str) -> list[str]:
    """Return the names once each. Logto keeps the roles of users and of machines apart."""
    names = list(dict.fromkeys(names))
    for name in names:
        if name not in known:
            raise ValueError(f"The tenant has no {kind} {name!r}: add it first.")
        if known[name] != type:
            raise ValueError(f"The {kind} {name!r} is of the type {known[name]}, and {type} is needed here.")
    return names
