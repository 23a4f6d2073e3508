"""Claims in, field values and rights out. Pure: no database, no settings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .oidc.types import Claims


def user_fields(claims: Claims) -> dict[str, Any]:
    """Values for the fields of Django's own user model, and of those with the same field names.

    A claim that is missing gives no value, so the field stays as it is. A null e-mail does give one: the empty text,
    for the person has none any more. `username` is used for a new account only. This is the default of
    `LOGTO_USER_FIELDS`; a function of the site's own may call it and add to what it returns.
    """
    fields: dict[str, Any] = {"username": text(claims, "username") or text(claims, "preferred_username")}
    if "email" in claims:
        fields["email"] = text(claims, "email")
    first_name, last_name = _names(claims)
    if first_name or last_name:
        fields["first_name"], fields["last_name"] = first_name, last_name
    return fields


def _names(claims: Claims) -> tuple[str, str]:
    given_name, family_name = text(claims, "given_name"), text(claims, "family_name")
    # How to cut a full name in two depends on the culture; not cutting it is right in all of them.
    return (given_name, family_name) if given_name or family_name else (text(claims, "name"), "")


def text(claims: Claims, name: str) -> str:
    """A claim as text; empty when it is missing, null or not text. Never with what databases cannot store: a NUL, or
    half a surrogate pair."""
    value = claims.get(name)
    return value.replace("\x00", "").encode(errors="ignore").decode().strip() if isinstance(value, str) else ""


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What the roles of a person mean on this site. None: leave it as it is."""

    is_staff: bool | None
    is_superuser: bool | None
    groups: frozenset[str]
    """Groups that the person is to be in, among those owned."""
    owned_groups: frozenset[str]
    """Groups that roles decide about; no other group is touched."""


def rights(
    claims: Claims,
    *,
    staff_roles: Collection[str],
    superuser_roles: Collection[str],
    groups_by_role: Mapping[str, str],
) -> Rights | None:
    """The rights that the `roles` claim gives; None when it is missing or not a list, which changes nothing.

    An empty list is an answer: the person has no roles, and loses what roles gave.
    """
    roles = role_names(claims)
    if roles is None:
        return None
    return Rights(
        is_staff=bool(roles & set(staff_roles)) if staff_roles else None,
        is_superuser=bool(roles & set(superuser_roles)) if superuser_roles else None,
        groups=frozenset(group for role, group in groups_by_role.items() if role in roles),
        owned_groups=frozenset(groups_by_role.values()),
    )


def role_names(claims: Claims) -> frozenset[str] | None:
    """The names in the `roles` claim, None when it is missing or not a list."""
    return frozenset(names) if (names := _names_in(claims, "roles")) is not None else None


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
    ids = _names_in(claims, "organizations")
    if ids is None:
        return None
    data = claims.get("organization_data")
    names = {
        entry["id"]: text(entry, "name") or None
        for entry in (data if isinstance(data, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    }
    roles = _organization_roles(_names_in(claims, "organization_roles") or ())
    return tuple(Membership(id=id, name=names.get(id), roles=tuple(roles[id])) for id in dict.fromkeys(ids))


def says_organization_roles(claims: Claims) -> bool:
    """Whether the `organization_roles` claim is there as a list; without, roles are unknown, which is not none."""
    return _names_in(claims, "organization_roles") is not None


def organization_roles_in(claims: Claims, organization_id: str) -> tuple[str, ...] | None:
    """The names of the roles in one organization, None when the `organization_roles` claim is missing or not a list."""
    values = _names_in(claims, "organization_roles")
    return None if values is None else tuple(_organization_roles(values)[organization_id])


def _organization_roles(values: Iterable[str]) -> defaultdict[str, list[str]]:
    """By organization what the claim has as "<organization id>:<role name>"; a role name may have colons of its own."""
    roles: defaultdict[str, list[str]] = defaultdict(list)
    for value in values:
        organization_id, _, role = value.partition(":")
        roles[organization_id].append(role)
    return roles


def _names_in(claims: Claims, name: str) -> list[str] | None:
    """The texts in a list claim, None when it is missing or not a list. What cannot be a name is passed over: half a
    surrogate pair or a NUL is text to JSON, and to no database."""
    value = claims.get(name)
    if not isinstance(value, list):
        return None
    return [entry for entry in value if is_name(entry)]


def is_name(value: object) -> bool:
    """Whether `value` can be the name or the id of anything at Logto."""
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()
