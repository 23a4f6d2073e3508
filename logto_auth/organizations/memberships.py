"""A membership of an organization, and how the claims of a user name it. No database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from logto_auth.oidc.claims import names_in, text
from logto_auth.oidc.types import Claims


@dataclass(frozen=True, kw_only=True)
class Membership:
    """An organization that the person is a member of."""

    id: str
    """The organization's id at Logto."""
    name: str | None
    """None while unknown: claims have names only where `LOGTO_USERINFO_CLAIMS` holds `organization_data`."""
    roles: tuple[str, ...]
    """Names of the roles held in this organization."""


def organizations_in(claims: Claims) -> tuple[Membership, ...]:
    """The organizations in the claims of an ID token or of userinfo, in Logto's order, each with its roles."""
    return memberships_in(claims) or ()


def memberships_in(claims: Claims) -> tuple[Membership, ...] | None:
    """The same, but None when the `organizations` claim is missing or not a list: then nothing is known."""
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


def has_organization_roles(claims: Claims) -> bool:
    """Whether the `organization_roles` claim is there as a list; without, roles are unknown, which is not none."""
    return names_in(claims, "organization_roles") is not None


def organization_roles_in(claims: Claims, organization_id: str) -> tuple[str, ...] | None:
    """The names of the roles in one organization, None when the `organization_roles` claim is missing or not a list."""
    values = names_in(claims, "organization_roles")
    return None if values is None else tuple(_organization_roles(values)[organization_id])


def _organization_roles(values: Iterable[str]) -> defaultdict[str, list[str]]:
    """By organization what the claim has as "<organization id>:<role name>"; a role name may have colons of its own."""
    roles: defaultdict[str, list[str]] = defaultdict(list)
    for value in values:
        organization_id, _, role = value.partition(":")
        roles[organization_id].append(role)
    return roles
