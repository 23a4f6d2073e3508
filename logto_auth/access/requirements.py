"""The questions that decorators, mixins, permission classes and templates ask of whoever makes a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from django.utils.translation import gettext_lazy as _

from logto_auth.conf import conf
from logto_auth.oidc.claims import seconds_since_authentication
from logto_auth.organizations.memberships import Membership


class RequirementKind(str, Enum):
    """What a view can demand, by the name under which scripts are told that it is missing."""

    SCOPE = "scope"
    ROLE = "role"
    ORGANIZATION = "organization"
    ORGANIZATION_ROLE = "organization_role"
    ORGANIZATION_SCOPE = "organization_scope"


@dataclass(frozen=True)
class MissingRequirement:
    """What somebody lacks for a view: all of these scopes, or any of these roles."""

    kind: RequirementKind
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        """A sentence for people, in the language of the request."""
        return str(MISSING[self.kind]) % {"names": ", ".join(self.names)}


MISSING = {
    RequirementKind.SCOPE: _("It asks for the permission %(names)s."),
    RequirementKind.ROLE: _("It asks for the role %(names)s."),
    RequirementKind.ORGANIZATION: _(
        "It is for members of an organization: of the one in the address, or of one that you choose."
    ),
    RequirementKind.ORGANIZATION_ROLE: _("It asks for the role %(names)s in this organization."),
    RequirementKind.ORGANIZATION_SCOPE: _("It asks for the permission %(names)s in this organization."),
}


class Principal(Protocol):
    """Who is asked about: `SessionPrincipal` for a session, `TokenPrincipal` for an access token."""

    @property
    def claims(self) -> Mapping[str, Any]: ...
    @property
    def roles(self) -> tuple[str, ...]: ...
    @property
    def organization(self) -> Membership | None: ...
    @property
    def organization_id(self) -> str | None: ...
    def permissions(self, resource: str | None = None, *, organization_id: str | None = None) -> frozenset[str]: ...
    def organization_permissions(self, organization_id: str | None = None) -> frozenset[str]: ...


@dataclass(frozen=True, kw_only=True)
class Requirement:
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
    def of(cls, **parts: Any) -> Requirement:
        """A demand whose names come in any kind of sequence, or alone."""
        return cls(**{name: _plain(part) for name, part in parts.items()})

    def missing_from(self, who: Principal) -> MissingRequirement | None:
        """What `who` lacks first, None when nothing. Raises what `permissions` raises."""
        if self.roles is not None and not set(self.roles) & set(who.roles):
            return MissingRequirement(RequirementKind.ROLE, self.roles)
        if self._is_in_organization and who.organization_id is None:
            return MissingRequirement(RequirementKind.ORGANIZATION)
        if self.organization_roles is not None and not set(self.organization_roles) & _roles_in(who.organization):
            return MissingRequirement(RequirementKind.ORGANIZATION_ROLE, self.organization_roles)
        place = who.organization_id if self._is_in_organization else None
        if self.scopes and (lacking := _lacking(self.scopes, who.permissions(organization_id=place))):
            return MissingRequirement(RequirementKind.SCOPE, lacking)
        if self.organization_scopes and (lacking := _lacking(self.organization_scopes, who.organization_permissions())):
            return MissingRequirement(RequirementKind.ORGANIZATION_SCOPE, lacking)
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


def signed_in_recently(principal: Principal, max_age: int) -> bool:
    """Return whether the user signed in at Logto within `max_age` seconds, by the verified claim `auth_time`."""
    age = seconds_since_authentication(principal.claims)
    # The same leeway as the callback has: a sign-in that it accepted must be recent enough here.
    return age is not None and age <= max_age + conf.clock_skew_seconds
