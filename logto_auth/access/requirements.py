"""Requirements of a view, as values: decorators, mixins, permission classes and template tags check them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.utils.translation import gettext_lazy as _

from logto_auth.conf import conf
from logto_auth.oidc.claims import seconds_since_authentication

from .principal import Principal

__all__ = ["MissingRequirement", "Requirement", "RequirementKind", "signed_in_recently"]


class RequirementKind(str, Enum):
    """What a view can require. The value is the key in the JSON of a 403 response."""

    SCOPE = "scope"
    ROLE = "role"
    ORGANIZATION = "organization"
    ORGANIZATION_ROLE = "organization_role"
    ORGANIZATION_SCOPE = "organization_scope"


@dataclass(frozen=True)
class MissingRequirement:
    """What the principal lacks: all of these scopes, or any of these roles."""

    kind: RequirementKind
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Return a sentence for users, in the language of the request."""
        sentences = _SEVERAL_MISSING if len(self.names) > 1 else _MISSING
        return str(sentences[self.kind]) % {"names": ", ".join(self.names)}


_MISSING = {
    RequirementKind.SCOPE: _("You need the permission %(names)s."),
    RequirementKind.ROLE: _("You need the role %(names)s."),
    RequirementKind.ORGANIZATION: _(
        "You need to be a member of the organization in the URL, or to choose one of your organizations."
    ),
    RequirementKind.ORGANIZATION_ROLE: _("You need the role %(names)s in this organization."),
    RequirementKind.ORGANIZATION_SCOPE: _("You need the permission %(names)s in this organization."),
}

_SEVERAL_MISSING = {
    RequirementKind.SCOPE: _("You need all of these permissions: %(names)s."),
    RequirementKind.ROLE: _("You need one of these roles: %(names)s."),
    RequirementKind.ORGANIZATION_ROLE: _("You need one of these roles in this organization: %(names)s."),
    RequirementKind.ORGANIZATION_SCOPE: _("You need all of these permissions in this organization: %(names)s."),
}


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """What a view requires. All parts must be met.

    All scopes are required; any one role suffices. An empty sequence of roles matches no principal.
    """

    scopes: tuple[str, ...] = ()
    """Permissions on the API resource. With any requirement on the organization, those held in that organization."""
    roles: tuple[str, ...] | None = None
    """Names of global roles; None requires no role."""
    organization: bool = False
    """True if there must be a current organization; each of the two parts below implies it."""
    organization_roles: tuple[str, ...] | None = None
    """Names of roles in the current organization. Roles in other organizations do not count."""
    organization_scopes: tuple[str, ...] = ()
    """Permissions in the current organization."""

    def __post_init__(self) -> None:
        # The letters of a string would each be a name: the role "a" would be one of `roles="admin"`.
        for name in ("scopes", "roles", "organization_roles", "organization_scopes"):
            if isinstance(getattr(self, name), str):
                raise TypeError(f"Requirement: {name} is a string. Expected a tuple, or use Requirement.of().")

    @classmethod
    def of(cls, **parts: Any) -> Requirement:
        """Return a requirement whose names may be given as a list, a set, another iterable, or a single string."""
        return cls(**{name: _normalized(part) for name, part in parts.items()})

    def missing_from(self, principal: Principal) -> MissingRequirement | None:
        """Return the first part that `principal` does not meet, or None. Raise what `principal.permissions` raises."""
        if self.roles is not None and set(self.roles).isdisjoint(principal.roles):
            return MissingRequirement(RequirementKind.ROLE, self.roles)
        needs_organization = self._needs_organization
        organization_id = principal.organization_id if needs_organization else None
        if needs_organization and organization_id is None:
            return MissingRequirement(RequirementKind.ORGANIZATION)
        if self.organization_roles is not None and set(self.organization_roles).isdisjoint(
            principal.organization_roles
        ):
            return MissingRequirement(RequirementKind.ORGANIZATION_ROLE, self.organization_roles)
        if self.scopes and (missing := _missing(self.scopes, principal.permissions(organization_id=organization_id))):
            return MissingRequirement(RequirementKind.SCOPE, missing)
        if self.organization_scopes and (
            missing := _missing(self.organization_scopes, principal.organization_permissions())
        ):
            return MissingRequirement(RequirementKind.ORGANIZATION_SCOPE, missing)
        return None

    @property
    def _needs_organization(self) -> bool:
        return self.organization or self.organization_roles is not None or bool(self.organization_scopes)


def _normalized(part: Any) -> Any:
    if isinstance(part, str):
        return (part,)
    return tuple(part) if isinstance(part, Iterable) else part


def _missing(required: Iterable[str], held: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in required if name not in held)


def signed_in_recently(principal: Principal, max_age: int) -> bool:
    """Return whether the user signed in at Logto within `max_age` seconds, by the verified claim `auth_time`."""
    age = seconds_since_authentication(principal.claims)
    # The same leeway as in the callback: a sign-in that the callback accepted must be recent enough here.
    return age is not None and age <= max_age + conf.clock_skew_seconds
