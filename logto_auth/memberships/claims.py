"""Memberships of organizations in the claims of a user. No database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from logto_auth.oidc.claims import names_in, text
from logto_auth.oidc.types import Claims

__all__ = ["Membership", "organizations_in"]


@dataclass(frozen=True, kw_only=True)
class Membership:
    """An organization that the user is a member of."""

    id: str
    """The organization's id at Logto."""
    name: str | None
    """None if unknown: claims have names only if `LOGTO_USERINFO_CLAIMS` contains `organization_data`."""
    roles: tuple[str, ...]
    """Names of the user's roles in this organization."""


def organizations_in(claims: Claims) -> tuple[Membership, ...]:
    """Return the memberships in the claims of an ID token or of userinfo, in Logto's order."""
    return memberships_in(claims) or ()


def memberships_in(claims: Claims) -> tuple[Membership, ...] | None:
    """Return the memberships in `claims`; None if the `organizations` claim is missing or not a list."""
    ids = names_in(claims, "organizations")
    if ids is None:
        return None
    data = claims.get("organization_data")
    names = {
        entry["id"]: text(entry, "name") or None
        for entry in (data if isinstance(data, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    }
    roles = _organization_roles(names_in(claims, "organization_roles") or ())
    return tuple(Membership(id=id, name=names.get(id), roles=tuple(roles[id])) for id in dict.fromkeys(ids))


def organization_roles_in(claims: Claims, organization_id: str) -> tuple[str, ...] | None:
    """Return the role names in one organization; None if the claim `organization_roles` is missing or not a list."""
    values = names_in(claims, "organization_roles")
    return None if values is None else tuple(_organization_roles(values)[organization_id])


def _organization_roles(values: Iterable[str]) -> defaultdict[str, list[str]]:
    """Return role names by organization, from texts "<organization id>:<role name>". A role name may contain ":"."""
    roles: defaultdict[str, list[str]] = defaultdict(list)
    for value in values:
        organization_id, _, role = value.partition(":")
        roles[organization_id].append(role)
    return roles


# What changes on this site: `rows` computes it for one user, `sync` for each user of a page.


@dataclass(frozen=True, kw_only=True)
class MembershipChanges:
    """How the stored memberships of one user change. False if they do not."""

    joined: tuple[Membership, ...] = ()
    left: frozenset[str] = frozenset()
    """Ids of organizations."""
    roles: Mapping[str, list[str]] = field(default_factory=dict)
    """The new role names, sorted, by the id of an organization that the user stays in."""
    former: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The former role names, by the id of an organization that the user leaves, or in which roles change."""

    @property
    def current(self) -> dict[str, Sequence[str]]:
        """The new role names, sorted, by the id of an organization that the user joins, or in which roles change."""
        return {**{each.id: sorted(each.roles) for each in self.joined}, **self.roles}

    def __bool__(self) -> bool:
        return bool(self.joined or self.left or self.roles)


NO_MEMBERSHIP_CHANGES = MembershipChanges()


def membership_changes(claims: Claims, stored: Mapping[str, Sequence[str]]) -> MembershipChanges:
    """Return what the claims change. `stored` has the sorted role names by organization id.

    Without the `organizations` claim nothing changes. Without the `organization_roles` claim no roles change.
    """
    memberships = memberships_in(claims)
    if memberships is None:
        return NO_MEMBERSHIP_CHANGES
    joined = tuple(each for each in memberships if each.id not in stored)
    left = stored.keys() - {each.id for each in memberships}
    roles = {}
    if isinstance(claims.get("organization_roles"), list):
        wanted = {each.id: sorted(each.roles) for each in memberships if each.id in stored}
        roles = {id: names for id, names in wanted.items() if names != stored[id]}
    if not (joined or left or roles):
        return NO_MEMBERSHIP_CHANGES
    former = {id: stored[id] for id in [*sorted(left), *roles]}
    return MembershipChanges(joined=joined, left=frozenset(left), roles=roles, former=former)
