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
from typing import Final, Literal

__all__ = [
    "BY_LOGTO",
    "BY_SITE",
    "EVERY_MEMBER",
    "EVERY_USER",
    "AnyRole",
    "Guard",
    "OrganizationConsole",
    "organization_console_errors",
]


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


# The values of `LOGTO_INVITATION_SENDER`.
BY_LOGTO: Final = "logto"
BY_SITE: Final = "site"
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
    console: OrganizationConsole | None,
    *,
    role_names: Collection[str],
    scope_names: Collection[str],
    global_role_names: Collection[str],
) -> Iterator[str]:
    """Yield a sentence for each part that is wrong.

    `role_names` and `scope_names` are the declared organization roles for users and organization permissions.
    `global_role_names` are the declared global roles for users.
    """
    if console is None:
        return
    if not isinstance(console, OrganizationConsole):
        yield f"organization_console is {console!r:.80}, expected an OrganizationConsole."
        return
    owner_roles = _names(console.owner_roles)
    if not isinstance(console.owner_roles, (list, tuple)):
        yield _type_error("owner_roles", console.owner_roles)
    elif not owner_roles:
        yield "owner_roles of organization_console is empty. Name the organization role of owners, such as owner."
    yield from _role_errors("owner_roles", owner_roles, role_names)
    for name, guard in console.guards.items():
        yield from _guard_errors(name, guard, role_names, scope_names)
    yield from _grant_errors(console.grants, owner_roles, role_names)
    yield from _creator_errors(console.creators, global_role_names)
    if type(console.max_owned) is not int or console.max_owned < 1:
        yield f"max_owned of organization_console is {console.max_owned!r:.80}, expected a number from 1."


def _guard_errors(name: str, guard: Guard, role_names: Collection[str], scope_names: Collection[str]) -> Iterator[str]:
    if guard is None or guard == EVERY_MEMBER:
        return
    if isinstance(guard, AnyRole):
        yield from _any_role_errors(name, guard)
        yield from _role_errors(name, guard.names, role_names)
    elif not isinstance(guard, str):
        yield (
            f"{name} of organization_console is {guard!r:.80}, expected the name of an organization permission, "
            "AnyRole(...), EVERY_MEMBER or None."
        )
    elif guard in role_names and guard not in scope_names:
        yield (
            f"{name} of organization_console is {guard!r:.80}, which is a role, expected a permission. For a role, "
            f'write AnyRole("{guard:.80}").'
        )
    elif guard not in scope_names:
        yield (
            f"{name} of organization_console is {guard!r:.80}, which organization_scopes does not declare. Declare "
            "the permission, or correct its name."
        )


def _grant_errors(
    grants: Mapping[str, Sequence[str]], owner_roles: Sequence[str], role_names: Collection[str]
) -> Iterator[str]:
    if not isinstance(grants, Mapping):
        yield (
            f'grants of organization_console is {grants!r:.80}, expected a dictionary such as {{"manager": ["staff"]}}.'
        )
        return
    for giver, given in grants.items():
        yield from _role_errors("grants", [giver], role_names)
        if not isinstance(given, (list, tuple)):
            yield _type_error(f"grants[{giver!r:.80}]", given)
            continue
        names = _names(given)
        yield from _role_errors(f"grants[{giver!r:.80}]", names, role_names)
        if giver in owner_roles:
            yield (
                f"grants of organization_console has the owner role {giver!r:.80}, but owners may give and take away "
                "all roles. Remove the entry."
            )
            continue
        for role in names:
            if role in owner_roles:
                yield (
                    f"grants of organization_console lets {giver!r:.80} give the owner role {role!r:.80}. Everybody "
                    "with the first role could become an owner. Remove it."
                )


def _creator_errors(creators: AnyRole | Everyone | None, global_role_names: Collection[str]) -> Iterator[str]:
    if creators is None or creators == EVERY_USER:
        return
    if not isinstance(creators, AnyRole):
        yield (
            f"creators of organization_console is {creators!r:.80}, expected AnyRole(...) with global roles, "
            "EVERY_USER or None."
        )
        return
    yield from _any_role_errors("creators", creators)
    yield from _role_errors("creators", creators.names, global_role_names, declared_in="roles")


def _any_role_errors(name: str, guard: AnyRole) -> Iterator[str]:
    if not guard.names:
        yield f"{name} of organization_console is AnyRole() without a role. Name a role, or write None."


def _role_errors(
    name: str, roles: Sequence[str], declared: Collection[str], *, declared_in: str = "organization_roles"
) -> Iterator[str]:
    for role in dict.fromkeys(map(_text, roles)):
        if role not in declared:
            yield (
                f"{name} of organization_console names the role {role!r:.80}, which {declared_in} does not declare "
                "for users. Declare the role, or correct its name."
            )


def _names(value: object) -> list[str]:
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else []


def _text(name: object) -> str:
    return name if isinstance(name, str) else repr(name)


def _type_error(name: str, value: object) -> str:
    return f"{name} of organization_console is {value!r:.80}, expected a list of roles."
