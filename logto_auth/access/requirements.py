"""Requirements of a view, as values: decorators, mixins, permission classes and template tags check them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.utils.translation import gettext_lazy as _

from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError
from logto_auth.oidc.authentication_methods import SECOND_FACTORS
from logto_auth.oidc.claims import seconds_since_authentication
from logto_auth.oidc.errors import single_line

from .clients import is_client_id, is_third_party
from .principal import Principal

__all__ = ["MissingRequirement", "Requirement", "RequirementKind", "SecondFactor", "signed_in_recently"]


class RequirementKind(str, Enum):
    """What a view can require. The value is the key in the JSON of a 403 response."""

    SCOPE = "scope"
    ROLE = "role"
    ORGANIZATION = "organization"
    ORGANIZATION_ROLE = "organization_role"
    ORGANIZATION_SCOPE = "organization_scope"
    SECOND_FACTOR = "second_factor"
    CLIENT = "client"


@dataclass(frozen=True)
class MissingRequirement:
    """What the principal lacks: all of these scopes, or any of these roles or second factors.

    For `RequirementKind.CLIENT`, the only name is that of the application that is refused. A long one is shortened.
    """

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
    RequirementKind.SECOND_FACTOR: _("You need to sign in again with a second factor."),
    RequirementKind.CLIENT: _("The application that you use does not have access."),
}

_SEVERAL_MISSING = {
    RequirementKind.SCOPE: _("You need all of these permissions: %(names)s."),
    RequirementKind.ROLE: _("You need one of these roles: %(names)s."),
    RequirementKind.ORGANIZATION_ROLE: _("You need one of these roles in this organization: %(names)s."),
    RequirementKind.ORGANIZATION_SCOPE: _("You need all of these permissions in this organization: %(names)s."),
    RequirementKind.SECOND_FACTOR: _MISSING[RequirementKind.SECOND_FACTOR],
}


@dataclass(frozen=True)
class SecondFactor:
    """A second factor by which the user must have signed in at Logto: any one of `methods`.

    Raise ValueError for a name that is not in `SECOND_FACTORS`, for no name at all, and for an invalid `max_age`.
    """

    methods: tuple[str, ...] = SECOND_FACTORS
    """Logto's names, such as "Totp" and "WebAuthn"."""
    max_age: int | None = None
    """How many seconds ago the user may have used it; None: at any time in this session at Logto."""

    def __post_init__(self) -> None:
        # The letters of a string would each be a name.
        if isinstance(self.methods, str):
            raise TypeError("SecondFactor: methods is a string. Expected a tuple.")
        if not self.methods or not set(self.methods) <= set(SECOND_FACTORS):
            raise ValueError(f"SecondFactor: methods is {self.methods!r:.200}, expected some of {SECOND_FACTORS}.")
        # In Python, True is an int.
        if self.max_age is not None and (type(self.max_age) is not int or self.max_age < 0):
            raise ValueError(f"SecondFactor: max_age is {self.max_age!r:.100}, expected a number of seconds or None.")

    @classmethod
    def of(cls, methods: Iterable[str] | None = None, max_age: int | None = None) -> SecondFactor:
        """Return a second factor whose names may be in any iterable; None: all factors count."""
        return cls(methods=SECOND_FACTORS if methods is None else tuple(methods), max_age=max_age)

    def is_met_by(self, principal: Principal) -> bool:
        """Return whether the user has proved such a second factor, and recently enough.

        A machine has no second factor. An access token does not say when the user proved it, so `max_age` is not met.
        Raise ConfigurationError if `LOGTO_SECOND_FACTOR` is False.
        """
        if not conf.second_factor:
            raise ConfigurationError("A view requires a second factor. Set LOGTO_SECOND_FACTOR = True.")
        if principal.is_machine or set(self.methods).isdisjoint(principal.authentication_methods):
            return False
        return self.max_age is None or _is_recent(principal.authentication_methods_at, self.max_age)


def _is_recent(proved_at: float | None, max_age: int) -> bool:
    # The same leeway as in the callback. A time in the future never counts as recent.
    skew = conf.clock_skew_seconds
    return proved_at is not None and -skew <= time.time() - proved_at <= max_age + skew


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
    second_factor: SecondFactor | None = None
    """The second factor that the user must have proved; None requires none."""
    clients: tuple[str, ...] | None = None
    """App IDs, and URLs of clients, of the applications that may call; any one suffices. None: all applications."""
    third_party: bool | None = None
    """False refuses third-party applications; None accepts them."""

    def __post_init__(self) -> None:
        # The letters of a string would each be a name: the role "a" would be one of `roles="admin"`.
        for name in ("scopes", "roles", "organization_roles", "organization_scopes", "clients"):
            if isinstance(getattr(self, name), str):
                raise TypeError(f"Requirement: {name} is a string. Expected a tuple, or use Requirement.of().")
        if not isinstance(self.second_factor, SecondFactor | None):
            raise TypeError(
                f"Requirement: second_factor is {self.second_factor!r:.100}. Expected a SecondFactor or None, or use "
                "Requirement.of()."
            )
        if self.clients is not None:
            _check_clients(self.clients)
        if self.third_party is not None and self.third_party is not False:
            raise ValueError(
                f"Requirement: third_party is {self.third_party!r:.100}. Expected False, which refuses third-party "
                "applications. Leave it out to accept them."
            )

    @classmethod
    def of(cls, **parts: Any) -> Requirement:
        """Return a requirement whose names may be given as a list, a set, another iterable, or a single string.

        `second_factor` may also be True for any second factor, or the names of those that count.
        """
        second_factor = _second_factor(parts.pop("second_factor", None))
        return cls(**{name: _normalized(part) for name, part in parts.items()}, second_factor=second_factor)

    def missing_from(self, principal: Principal, resource: str | None = None) -> MissingRequirement | None:
        """Return the first part that `principal` does not meet, or None.

        Raise what `principal.permissions` raises, and ProviderError if Logto cannot be asked whether an application is
        third-party: answer 503.

        `scopes` are permissions on `resource`: by default that of the access token, and `LOGTO_API_RESOURCE` in a
        session.
        """
        # The first part: an application that is refused would gain nothing by further scopes.
        if not self._accepts_application(principal):
            refused = principal.client_id
            return MissingRequirement(RequirementKind.CLIENT, () if refused is None else (single_line(refused),))
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
        if self.scopes and (
            missing := _missing(self.scopes, principal.permissions(resource, organization_id=organization_id))
        ):
            return MissingRequirement(RequirementKind.SCOPE, missing)
        if self.organization_scopes and (
            missing := _missing(self.organization_scopes, principal.organization_permissions())
        ):
            return MissingRequirement(RequirementKind.ORGANIZATION_SCOPE, missing)
        # The last part: a user who lacks anything else would gain nothing by a second factor.
        if self.second_factor is not None and not self.second_factor.is_met_by(principal):
            return MissingRequirement(RequirementKind.SECOND_FACTOR, self.second_factor.methods)
        return None

    def for_token(self) -> Requirement:
        """Return this requirement, for views that check access tokens. Raise ValueError if no token can meet it."""
        if self.second_factor is not None and self.second_factor.max_age is not None:
            raise ValueError(
                "A view for access tokens requires a second factor with max_age. A token does not contain the time of "
                "the second factor: leave max_age out."
            )
        return self

    @property
    def all_scopes(self) -> tuple[str, ...]:
        """The permissions on the API resource, and then those in the organization."""
        return tuple(dict.fromkeys([*self.scopes, *self.organization_scopes]))

    @property
    def _needs_organization(self) -> bool:
        return self.organization or self.organization_roles is not None or bool(self.organization_scopes)

    def _accepts_application(self, principal: Principal) -> bool:
        if self.clients is None and self.third_party is None:
            return True
        client_id = principal.client_id
        if client_id is None or (self.clients is not None and client_id not in self.clients):
            return False
        return self.third_party is None or not is_third_party(client_id)


def _normalized(part: Any) -> Any:
    if isinstance(part, str):
        return (part,)
    return tuple(part) if isinstance(part, Iterable) else part


def _check_clients(clients: object) -> None:
    """Raise TypeError unless `clients` is a tuple, and ValueError unless it has entries that can be a `client_id`."""
    if not isinstance(clients, tuple):
        raise TypeError(f"Requirement: clients is {clients!r:.100}. Expected a tuple, or use Requirement.of().")
    if not clients or not all(map(is_client_id, clients)):
        raise ValueError(
            f"Requirement: clients is {clients!r:.200}. Expected the App ID or the URL of at least one application, "
            "each a string without spaces. Leave clients out to accept all applications."
        )


def _second_factor(part: Any) -> Any:
    if part is None or part is False or isinstance(part, SecondFactor):
        return part or None
    return SecondFactor.of(None if part is True else _normalized(part))


def _missing(required: Iterable[str], held: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in required if name not in held)


def signed_in_recently(principal: Principal, max_age: int) -> bool:
    """Return whether the user signed in at Logto within `max_age` seconds, by the verified claim `auth_time`."""
    age = seconds_since_authentication(principal.claims)
    # The same leeway as in the callback: a sign-in that the callback accepted must be recent enough here.
    return age is not None and age <= max_age + conf.clock_skew_seconds
