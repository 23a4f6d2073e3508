"""What the members of an organization may do in the console: the part of a declaration about it.

OrganizationConsole(
    owner_roles=["owner"],
    view_members=EVERY_MEMBER,
    invite="invite:members",
    manage_members="manage:members",
    grants={"manager": ["staff"]},
)
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["EVERY_MEMBER", "EVERY_USER", "AnyRole", "Guard", "OrganizationConsole", "organization_console_errors"]


@dataclass(frozen=True, init=False)
class AnyRole:
    """One of these roles: `AnyRole("owner", "manager")`."""

    names: tuple[str, ...]

    def __init__(self, *names: str) -> None:
        object.__setattr__(self, "names", names)


@dataclass(frozen=True)
class Everyone:
    """Nobody is excluded."""

    name: Literal["EVERY_MEMBER", "EVERY_USER"]

    def __repr__(self) -> str:
        return self.name


EVERY_MEMBER = Everyone("EVERY_MEMBER")
EVERY_USER = Everyone("EVERY_USER")
# The name of an organization permission, one of several roles in the organization, or each member. None: owners only.
Guard = str | AnyRole | Everyone | None


@dataclass(frozen=True, kw_only=True)
class OrganizationConsole:
    """Who may do what in the console. Owners of an organization may do everything in it.

    The other fields name an organization permission, `AnyRole(...)` or `EVERY_MEMBER`. A field that is left out is for
    owners only.
    """

    owner_roles: Sequence[str]
    """The organization roles of owners. An organization always keeps one member with one of them; the user who creates
    an organization gets the first."""
    view_members: Guard = None
    """Who sees the members and their roles, names and e-mail addresses."""
    invite: Guard = None
    """Who sees, sends and revokes invitations."""
    manage_members: Guard = None
    """Who changes the roles of members, and removes members."""
    rename: Guard = None
    manage_joining: Guard = None
    """Who sets the e-mail domains, the default roles and the enterprise SSO connectors of just-in-time members."""
    delete: Guard = None
    grants: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The roles that members with a role may give and take away: `{"manager": ["staff"]}`. Owners may do so with all
    roles. A member who may invite, and none of whose roles is here, can invite to no role."""
    creators: AnyRole | Everyone | None = None
    """Who may create an organization: `AnyRole(...)` with global roles, or `EVERY_USER`. None: nobody."""
    max_owned: int = 10
    """Of how many organizations a user may be an owner when they create another one."""

    @property
    def guards(self) -> Mapping[str, Guard]:
        """The guards by the names of their fields."""
        names = ("view_members", "invite", "manage_members", "rename", "manage_joining", "delete")
        return {name: getattr(self, name) for name in names}


def organization_console_errors(
    console: OrganizationConsole | None, *, role_names: Collection[str], scope_names: Collection[str]
) -> Iterator[str]:
    """Yield a sentence for each part that is wrong. The names are those of the declared organization template."""
    raise NotImplementedError
