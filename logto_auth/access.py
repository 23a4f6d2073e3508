"""The questions that decorators, mixins, permission classes and templates ask of whoever makes a request."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from django.http import HttpRequest

from . import sessions
from .answers import Kind, Missing
from .conf import conf
from .context import LogtoContext
from .mapping import Membership


class Principal(Protocol):
    """Who is asked about: `LogtoContext` for a session, `Caller` for an access token."""

    @property
    def roles(self) -> tuple[str, ...]: ...
    @property
    def organization(self) -> Membership | None: ...
    @property
    def organization_id(self) -> str | None: ...
    def permissions(self, resource: str | None = None, *, organization_id: str | None = None) -> frozenset[str]: ...
    def organization_permissions(self, organization_id: str | None = None) -> frozenset[str]: ...


@dataclass(frozen=True, kw_only=True)
class Demand:
    """What a view demands. Every part counts; of scopes all are needed, of roles any one, so that none are nobody's."""

    scopes: tuple[str, ...] = ()
    """Permissions on the API resource; beside any demand on the organization, those held in it."""
    roles: tuple[str, ...] | None = None
    """Names of global roles; None: whatever they are."""
    organization: bool = False
    """Whether there has to be a current organization; any demand of the two below implies it."""
    organization_roles: tuple[str, ...] | None = None
    """Names of roles in the current organization. Those held in others do not count."""
    organization_scopes: tuple[str, ...] = ()
    """Permissions in the current organization."""

    @classmethod
    def of(cls, **parts: Any) -> Demand:
        """A demand whose names come in any kind of sequence, or alone."""
        return cls(**{name: _plain(part) for name, part in parts.items()})

    def missing_from(self, who: Principal) -> Missing | None:
        """What `who` lacks first, None when nothing. Raises what `permissions` raises."""
        if self.roles is not None and not set(self.roles) & set(who.roles):
            return Missing(Kind.ROLE, self.roles)
        if self._is_in_organization and who.organization_id is None:
            return Missing(Kind.ORGANIZATION)
        if self.organization_roles is not None and not set(self.organization_roles) & _roles_in(who.organization):
            return Missing(Kind.ORGANIZATION_ROLE, self.organization_roles)
        place = who.organization_id if self._is_in_organization else None
        if self.scopes and (lacking := _lacking(self.scopes, who.permissions(organization_id=place))):
            return Missing(Kind.SCOPE, lacking)
        if self.organization_scopes and (lacking := _lacking(self.organization_scopes, who.organization_permissions())):
            return Missing(Kind.ORGANIZATION_SCOPE, lacking)
        return None

    @property
    def _is_in_organization(self) -> bool:
        return self.organization or self.organization_roles is not None or bool(self.organization_scopes)


def _plain(part: Any) -> Any:
    if isinstance(part, str):
        return (part,)
    return tuple(part) if isinstance(part, Iterable) else part


def _lacking(wanted: Iterable[str], held: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in wanted if name not in held)


def _roles_in(organization: Membership | None) -> set[str]:
    return set(organization.roles) if organization else set()


def signed_in_recently(request: HttpRequest, max_age: int) -> bool:
    """Whether the visitor has proved at Logto who they are within `max_age` seconds, by the verified `auth_time`."""
    age = sessions.seconds_since_authentication(LogtoContext(request).claims)
    # As much as the callback allows, or a sign-in that it took could still not be recent enough here.
    return age is not None and age <= max_age + conf.clock_skew_seconds
