"""The tenant, with the operations of an administrator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import ids
from .application_record import Application, ApplicationSecret, ApplicationType, make_secrets
from .clock import Clock
from .factors import Factor, new_backup_codes, with_backup_codes, with_totp
from .message_connectors import message_connectors
from .permission_store import PermissionStore
from .records import (
    MANAGEMENT_API_ROLE,
    OPEN_SOURCE_RESOURCE,
    AlipayAccount,
    Hook,
    OneTimeToken,
    OneTimeTokenStatus,
    Organization,
    PersonalAccessToken,
    User,
    unique,
)
from .refusals import Refused
from .sso_connectors import PROVIDERS, SsoConnector
from .tenant_tables import ACCOUNT_FIELDS, DuplicateError, FieldPermission
from .totp import new_totp_secret


class Tenant(PermissionStore):
    """Users, applications, roles, resources and organizations, by id.

    `on_user_ended` is called with the id of a user who was suspended or deleted. `management_api_resource` is the
    indicator of the Management API.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        on_user_ended: Callable[[str], None] = lambda sub: None,
        management_api_resource: str = OPEN_SOURCE_RESOURCE,
    ) -> None:
        super().__init__(clock)
        self.management_api_resource = management_api_resource
        self._on_user_ended = on_user_ended
        self.clear()

    def clear(self) -> None:
        """Empty the tenant, except for the resource and the role that Logto itself creates."""
        self._clear()
        name = "Logto Management API"
        self.add_resource(self.management_api_resource, scopes=["all"], name=name, id="management-api")
        self.add_role(
            MANAGEMENT_API_ROLE,
            type="MachineToMachine",
            scopes={self.management_api_resource: ["all"]},
            description="Full access to the Management API.",
        )

    def _user_ended(self, sub: str) -> None:
        self._on_user_ended(sub)

    # Applications

    def add_application(
        self,
        *,
        name: str,
        type: ApplicationType = "Traditional",
        redirect_uris: Iterable[str] = (),
        post_logout_redirect_uris: Iterable[str] = (),
        backchannel_logout_uri: str | None = None,
        backchannel_logout_session_required: bool | None = None,
        is_third_party: bool = False,
        roles: Iterable[str] = (),
        id: str | None = None,
        secret: str | None = None,
        **metadata: Any,
    ) -> Application:
        """Add an application and return it. `metadata` sets other fields of `Application`, such as `id_token_ttl`.

        Raise ValueError for an unknown role and for a role of users.
        """
        now = self.clock.now_ms()
        with self.lock:
            application = Application(
                id=id or ids.standard_id(),
                name=name,
                type=type,
                secrets=make_secrets(type, secret, now),
                redirect_uris=list(redirect_uris),
                post_logout_redirect_uris=list(post_logout_redirect_uris),
                backchannel_logout_uri=backchannel_logout_uri,
                backchannel_logout_session_required=backchannel_logout_session_required,
                is_third_party=is_third_party,
                roles=self._existing_roles(roles, "MachineToMachine"),
                created_at=now,
            )
            for field, value in metadata.items():
                if not hasattr(application, field):
                    raise TypeError(f"Application has no field {field!r}.")
                setattr(application, field, value)
            self.applications[application.id] = application
            return application

    def add_application_secret(
        self, client_id: str, name: str, *, value: str | None = None, expires_at: int | None = None
    ) -> ApplicationSecret:
        """Add a secret to an application and return it. `expires_at` is in milliseconds."""
        secret = ApplicationSecret(name, value or ids.secret(), expires_at, self.clock.now_ms())
        self.applications[client_id].secrets.append(secret)
        return secret

    def delete_application(self, client_id: str) -> None:
        """Delete an application and its memberships. Tokens issued to it stop working."""
        with self.lock:
            del self.applications[client_id]
            for organization in self.organizations.values():
                organization.applications.pop(client_id, None)

    # Second factors

    def add_totp(self, user: User, secret: str = "") -> str:
        """Add an authenticator app to a user without one, and return its secret. `totp_code(secret)` returns a code.

        Turn the type `Totp` on in the tenant, so that sign-ins ask for a code. Raise ValueError if the user has an app.
        """
        secret = secret or new_totp_secret()
        self._add_factor(user, lambda: with_totp(user.factors, secret, None, at=0, created_at=self.clock.now_iso()))
        return secret

    def add_backup_codes(self, user: User) -> list[str]:
        """Add ten backup codes to a user who has another factor, and return them.

        Turn the type `BackupCode` on in the tenant. Raise ValueError for a user without another factor, and for one
        with unused codes.
        """
        codes = new_backup_codes()
        self._add_factor(user, lambda: with_backup_codes(user.factors, codes, created_at=self.clock.now_iso()))
        return codes

    def _add_factor(self, user: User, added: Callable[[], list[Factor]]) -> None:
        with self.lock:
            try:
                factors = added()
            except Refused as refused:
                raise ValueError(
                    f"The user {user.display_name!r} cannot have this factor: {refused.code}."
                ) from refused
            user.factors = factors
            user.logto_configs = {**user.logto_configs, "mfa": {**user.logto_configs.get("mfa", {}), "enabled": True}}
            experience = self.sign_in_experience
            experience.mfa_factors = unique([*experience.mfa_factors, factors[-1].type])

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
        """Add an organization and return it."""
        with self.lock:
            organization = Organization(
                id or ids.short_id(),
                name,
                description,
                dict(custom_data or {}),
                is_mfa_required,
                created_at=self.clock.now_ms(),
            )
            self.organizations[organization.id] = organization
            return organization

    def delete_organization(self, organization_id: str) -> None:
        """Delete an organization with its memberships and invitations."""
        with self.lock:
            del self.organizations[organization_id]
            invitation_ids = [each.id for each in self.invitations.values() if each.organization_id == organization_id]
            for invitation_id in invitation_ids:
                del self.invitations[invitation_id]

    def add_member(self, organization_id: str, sub: str, *, roles: Iterable[str] = ()) -> None:
        """Make a user a member with exactly these organization roles (by name).

        Raise ValueError for an unknown role and for a role of machine-to-machine applications.
        """
        self.organizations[organization_id].members[sub] = self._existing_organization_roles(roles)

    def remove_member(self, organization_id: str, sub: str) -> None:
        """End a user's membership."""
        self.organizations[organization_id].members.pop(sub, None)

    def add_organization_application(self, organization_id: str, client_id: str, *, roles: Iterable[str] = ()) -> None:
        """Make a machine-to-machine application a member with exactly these organization roles (by name).

        Without a role the application receives no token for the organization. Raise ValueError for an application of
        another type, for an unknown role and for a role of users.
        """
        if self.applications[client_id].is_interactive:
            raise ValueError("Only a machine-to-machine application can be a member of an organization.")
        names = self._existing_organization_roles(roles, "MachineToMachine")
        self.organizations[organization_id].applications[client_id] = names

    def add_jit(
        self,
        organization_id: str,
        *,
        email_domains: Iterable[str] = (),
        roles: Iterable[str] = (),
        sso_connectors: Iterable[str] = (),
    ) -> None:
        """Let new users with these e-mail domains join just in time. Users who join in this way receive the roles.

        `sso_connectors` are ids of enterprise connectors to link.
        """
        organization = self.organizations[organization_id]
        organization.jit_roles += self._existing_organization_roles(roles)
        organization.jit_email_domains += email_domains
        organization.jit_sso_connectors += [self.sso_connectors[each].id for each in sso_connectors]

    def add_sso_connector(
        self,
        name: str,
        *,
        provider: str = "OIDC",
        domains: Iterable[str] = (),
        config: Mapping[str, Any] | None = None,
        id: str | None = None,
    ) -> SsoConnector:
        """Add an enterprise connector and return it. `add_jit` links it with an organization.

        `provider` is a name of Logto's, such as `SAML` or `GoogleWorkspace`. The config is not checked.
        Raise DuplicateError if a connector has this name.
        """
        with self.lock:
            if any(each.connector_name == name for each in self.sso_connectors.values()):
                raise DuplicateError("single_sign_on.duplicate_connector_name")
            connector = SsoConnector(
                PROVIDERS[provider],
                name,
                self.clock.now_ms(),
                [domain.lower() for domain in domains],
                dict(config or {}),
                id=id or ids.short_id(),
            )
            self.sso_connectors[connector.id] = connector
            return connector

    def delete_sso_connector(self, connector_id: str) -> None:
        """Delete an enterprise connector, and unlink it from all organizations."""
        with self.lock:
            del self.sso_connectors[connector_id]
            for organization in self.organizations.values():
                linked = organization.jit_sso_connectors
                organization.jit_sso_connectors = [each for each in linked if each != connector_id]

    # One-time tokens

    def add_one_time_token(
        self, email: str, *, jit_organization_ids: Iterable[str] = (), expires_in: float = 600
    ) -> OneTimeToken:
        """Add a token for a link that signs in the user with this e-mail, and return it. `expires_in` is in seconds.

        The user becomes a member of the given organizations. Older tokens for the e-mail remain active.
        """
        organization_ids = [self.organizations[each].id for each in jit_organization_ids]
        now = self.clock.now_ms()
        context = {"jitOrganizationIds": organization_ids} if organization_ids else {}
        token = OneTimeToken(ids.standard_id(), email, ids.secret(), context, now, now + int(expires_in * 1000))
        self.one_time_tokens[token.id] = token
        return token

    def update_one_time_token(self, token_id: str, status: OneTimeTokenStatus) -> None:
        """Set the status of a token. Raise ValueError for `active`: an ended token cannot be reactivated."""
        if status == "active":
            raise ValueError("Logto would refuse this with 400 one_time_token.cannot_reactivate_token.")
        self.one_time_tokens[token_id].status = status

    def find_one_time_token(self, value: str) -> OneTimeToken | None:
        """Return the token with this value, or None."""
        return next((each for each in list(self.one_time_tokens.values()) if each.token == value), None)

    # Personal access tokens

    def add_personal_access_token(
        self, user_id: str, name: str, *, expires_at: int | None = None
    ) -> PersonalAccessToken:
        """Add a token to a user and return it. `expires_at` is in milliseconds.

        Raise DuplicateError if the user has a token with this name.
        """
        if self.find_personal_access_token(user_id, name) is not None:
            raise DuplicateError("user.personal_access_token_name_exists")
        token = PersonalAccessToken(self.users[user_id].id, name, self.clock.now_ms(), expires_at)
        self.personal_access_tokens[token.value] = token
        return token

    def find_personal_access_token(self, user_id: str, name: str) -> PersonalAccessToken | None:
        """Return the token of a user by its name, or None."""
        of_user = [token for token in list(self.personal_access_tokens.values()) if token.user_id == user_id]
        return next((token for token in of_user if token.name == name), None)

    def rename_personal_access_token(self, token: PersonalAccessToken, name: str) -> None:
        """Give a token another name. Raise DuplicateError if the user has another token with this name."""
        if self.find_personal_access_token(token.user_id, name) not in (None, token):
            raise DuplicateError("user.personal_access_token_name_exists")
        token.name = name

    # Webhooks and the sign-in experience

    def add_hook(self, url: str, events: Iterable[str], *, name: str = "", enabled: bool = True) -> Hook:
        """Add a webhook and return it. Its deliveries are signed with `signing_key`."""
        hook = Hook(name, list(events), {"url": url}, self.clock.now_ms(), enabled)
        self.hooks[hook.id] = hook
        return hook

    def enable_account_center(self, permission: FieldPermission = "Edit", **fields: FieldPermission) -> None:
        """Enable the account center, and let users change all fields. `fields` are those with another permission.

        In a new tenant, as in a new Logto, the account center is off.
        """
        unknown = fields.keys() - set(ACCOUNT_FIELDS)
        if unknown:
            raise TypeError(f"The account center has no field {min(unknown)!r}.")
        wanted = {**dict.fromkeys(ACCOUNT_FIELDS, permission), **fields}
        self.account_center |= {"enabled": True, "fields": wanted}

    def add_message_connectors(self) -> None:
        """Add connectors for e-mails and text messages, in place of others. `sent_messages` lists what they send."""
        connectors = self.sign_in_experience.connector_instances
        for replaced in [each for each in connectors.values() if each.factory.type != "Social"]:
            del connectors[replaced.id]
        connectors.update({each.id: each for each in message_connectors()})

    def add_alipay_account(
        self, user_id: str, *, nick_name: str | None = None, avatar: str | None = None
    ) -> AlipayAccount:
        """Add an account to the page of the stand-in for Alipay, and return it."""
        account = AlipayAccount(user_id, nick_name, avatar)
        self.alipay_accounts.append(account)
        return account
