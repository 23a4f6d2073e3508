"""The tenant: what is set up in it, and the operations of an administrator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from . import ids
from .application import Application, ApplicationSecret, ApplicationType, make_secrets
from .clock import Clock
from .permission_store import TenantRights
from .records import (
    MANAGEMENT_API_RESOURCE,
    MANAGEMENT_API_ROLE,
    AlipayAccount,
    OneTimeToken,
    OneTimeTokenStatus,
    Organization,
)
from .webhook import Hook


class Tenant(TenantRights):
    """Users, applications, roles, resources and organizations, by id.

    `on_user_ended` is called with the id of a user who was suspended or deleted.
    """

    def __init__(self, clock: Clock, *, on_user_ended: Callable[[str], None] = lambda sub: None) -> None:
        super().__init__(clock)
        self._on_user_ended = on_user_ended
        self.clear()

    def clear(self) -> None:
        """Return to an empty tenant, with only what Logto seeds itself."""
        self._clear()
        self.add_resource(MANAGEMENT_API_RESOURCE, scopes=["all"], name="Logto Management API")
        self.add_role(
            MANAGEMENT_API_ROLE,
            type="MachineToMachine",
            scopes={MANAGEMENT_API_RESOURCE: ["all"]},
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
        """Return a new application. `metadata` takes the other fields of `Application`, such as `id_token_ttl`.

        Raises ValueError for a role that does not exist or is one of users.
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
                    raise TypeError(f"An application has no field {field!r}.")
                setattr(application, field, value)
            self.applications[application.id] = application
            return application

    def add_application_secret(
        self, client_id: str, name: str, *, value: str | None = None, expires_at: int | None = None
    ) -> ApplicationSecret:
        """Return a further secret of an application; `expires_at` is in milliseconds."""
        secret = ApplicationSecret(name, value or ids.secret(), expires_at, self.clock.now_ms())
        self.applications[client_id].secrets.append(secret)
        return secret

    def delete_application(self, client_id: str) -> None:
        """Delete an application, its memberships too. What was issued to it is of no use without it."""
        with self.lock:
            del self.applications[client_id]
            for organization in self.organizations.values():
                organization.applications.pop(client_id, None)

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
            gone = [each.id for each in self.invitations.values() if each.organization_id == organization_id]
            for invitation_id in gone:
                del self.invitations[invitation_id]

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

    # One-time tokens

    def add_one_time_token(
        self, email: str, *, jit_organization_ids: Iterable[str] = (), expires_in: int = 600
    ) -> OneTimeToken:
        """Return a new token, for a link that signs this address in; `expires_in` is in seconds.

        Whoever uses it becomes a member of the organizations named. Older tokens of the address stay as they are.
        """
        organization_ids = [self.organizations[each].id for each in jit_organization_ids]
        now = self.clock.now_ms()
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

    # Webhooks and the sign-in experience

    def add_hook(self, url: str, events: Iterable[str], *, name: str = "", enabled: bool = True) -> Hook:
        """Return a new webhook, with the `signing_key` that its deliveries are signed with."""
        hook = Hook(name, list(events), {"url": url}, self.clock.now_ms(), enabled)
        self.hooks[hook.id] = hook
        return hook

    def add_alipay_account(
        self, user_id: str, *, nick_name: str | None = None, avatar: str | None = None
    ) -> AlipayAccount:
        """Return a new account at the stand-in for Alipay, to be picked on its page."""
        account = AlipayAccount(user_id, nick_name, avatar)
        self.alipay_accounts.append(account)
        return account
