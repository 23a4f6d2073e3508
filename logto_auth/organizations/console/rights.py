"""Who acts in the console, and what they may do in one organization, by what Logto reports now (decision 0043)."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from logto_auth.access.principal import Principal
from logto_auth.exceptions import ManagementAPIError, SignInRequired
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.answers import is_unknown
from logto_auth.sessions.principal import SessionPrincipal, request_principal
from logto_auth.tenant.organization_console import EVERY_MEMBER, AnyRole, OrganizationConsole

from .answers import LiveMembership, memberships_in
from .errors import NotAMember, NotPermitted, RoleNotGrantable
from .template import Template
from .values import OrganizationRole

__all__ = ["Actor", "OrganizationRights", "acting_user", "is_id", "live_memberships"]

# Logto's ids. One that is imported may have other letters and digits.
ID = re.compile(r"[\w-]{1,255}", re.ASCII)


def is_id(text: str) -> bool:
    """Return whether a text from outside can be the id of something at Logto. If not, Logto need not be asked."""
    return ID.fullmatch(text) is not None


@dataclass(frozen=True, kw_only=True)
class Actor:
    """The user of a request: of its session, or of its access token."""

    request: HttpRequest
    principal: Principal
    sub: str
    began_at: float = field(default_factory=time.time)
    """When the request began, in seconds since the epoch: Logto has made each change of it later."""

    @property
    def has_token(self) -> bool:
        """Whether an access token identifies the user. It may be limited on purpose."""
        return not isinstance(self.principal, SessionPrincipal)

    @property
    def user(self) -> Any:
        """The Django user."""
        return self.request.user


def acting_user(request: HttpRequest) -> Actor:
    """Return the user of `request`. Raise SignInRequired without one, and NotPermitted for an application."""
    principal = request_principal(request)
    if not principal.is_authenticated or not principal.sub:
        raise SignInRequired("The console needs a user who is signed in through Logto.")
    if principal.is_machine:
        raise NotPermitted("An application cannot use the console. Only users can.")
    return Actor(request=request, principal=principal, sub=principal.sub)


def live_memberships(api: ManagementAPI, sub: str) -> list[LiveMembership]:
    """Return the memberships of a user, as Logto has them now: none if Logto does not know the user. One call."""
    try:
        return memberships_in(api.users.organizations(sub))
    except ManagementAPIError as error:
        if is_unknown(error):
            return []
        raise


class OrganizationRights:
    """What the acting user may do in an organization. The roles are those at the time when the object was made.

    An access token acts only by permissions that it has among its scopes and that Logto confirms. That its user is an
    owner, or has a role, does not count.
    """

    def __init__(
        self, actor: Actor, rules: OrganizationConsole, api: ManagementAPI, template: Template, own: LiveMembership
    ) -> None:
        self.id = own.id
        self.name = own.name
        self.roles = tuple(sorted(own.roles.values()))
        self.is_owner = self._has_owner_role(self.roles, rules)
        self._actor, self._rules, self._api, self._template, self._own = actor, rules, api, template, own

    id: str
    name: str
    roles: tuple[str, ...]
    """The roles of the acting user."""
    is_owner: bool
    """Whether the acting user has the role of an owner."""

    @staticmethod
    def _has_owner_role(roles: Iterable[str], rules: OrganizationConsole) -> bool:
        return not set(rules.owner_roles).isdisjoint(roles)

    def may(self, right: str) -> bool:
        """Return whether the user may do this: a name of `OrganizationConsole.guards`."""
        guard = self._rules.guards[right]
        if self._actor.has_token:
            return isinstance(guard, str) and guard in self._token_scopes and guard in self._scopes
        if self.is_owner:
            return True
        if isinstance(guard, str):
            return guard in self._scopes
        if isinstance(guard, AnyRole):
            return not set(guard.names).isdisjoint(self.roles)
        return guard == EVERY_MEMBER

    def require(self, right: str) -> None:
        """Raise NotPermitted unless the user may do this."""
        if not self.may(right):
            message = f"The user {self._actor.sub} lacks the right {right} in the organization {self.id}."
            raise NotPermitted(message, right=right)

    def all_roles(self) -> list[OrganizationRole]:
        """Return the roles for users, by name."""
        return list(self._template.roles)

    def grantable_roles(self) -> list[OrganizationRole]:
        """Return the roles that the acting user may give and take away."""
        return [role for role in self._template.roles if role.name in self._grantable]

    # For the parts of the console

    @cached_property
    def _scopes(self) -> frozenset[str]:
        """The organization permissions of the live roles."""
        return self._template.scopes_of(self._own.roles)

    @cached_property
    def _token_scopes(self) -> frozenset[str]:
        return self._actor.principal.organization_permissions(self.id)

    @property
    def _acts_as_owner(self) -> bool:
        return self.is_owner and not self._actor.has_token

    @cached_property
    def _grantable(self) -> frozenset[str]:
        """The names of the roles that the acting user may give and take away."""
        known = {role.name for role in self._template.roles}
        if self._acts_as_owner:
            return frozenset(known)
        granted = {name for role in self.roles for name in self._rules.grants.get(role, ())}
        return frozenset(known & granted)

    def _may_grant(self, roles: Iterable[str]) -> bool:
        # An owner may also take away a role that has just left the template.
        return self._acts_as_owner or self._grantable.issuperset(roles)

    def _require_grantable(self, roles: Collection[str]) -> None:
        """Raise RoleNotGrantable if the user may not give and take away one of the roles, or it does not exist."""
        if not self._may_grant(roles):
            raise RoleNotGrantable(f"The user {self._actor.sub} may not grant all of these roles: {sorted(roles)}.")

    def _role_ids(self, names: Iterable[str]) -> dict[str, str]:
        """Return the ids of roles by name. Raise RoleNotGrantable if one is no role for users."""
        ids = {role.name: role.id for role in self._template.roles}
        wanted = dict.fromkeys(names)
        if unknown := wanted.keys() - ids.keys():
            # Without the names: they are any text that a user has sent, and this is for the log.
            raise RoleNotGrantable(f"Of the roles, {len(unknown)} are no roles for users in the organization template.")
        return {name: ids[name] for name in wanted}

    @contextmanager
    def _not_deleted(self) -> Iterator[None]:
        """Raise NotAMember if Logto no longer has the organization."""
        try:
            yield
        except ManagementAPIError as error:
            if is_unknown(error):
                raise NotAMember(f"The organization {self.id} does not exist any more.") from error
            raise
