"""Field values and rights from claims. Pure: no database, no settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from logto_auth.oidc.claims import names_in, text
from logto_auth.oidc.types import Claims

__all__ = ["user_fields"]


def user_fields(claims: Claims) -> dict[str, Any]:
    """Return values for the fields of Django's user model, by field name.

    A missing claim gives no value, so the field keeps its value. A null e-mail gives the empty string, because the
    user has no e-mail any more. `username` is used for new accounts only. This is the default of `LOGTO_USER_FIELDS`;
    a function of the site may call it and add to the result.
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
    # Where to split a full name depends on the culture, so it is not split.
    return (given_name, family_name) if given_name or family_name else (text(claims, "name"), "")


@dataclass(frozen=True, kw_only=True)
class Rights:
    """The rights that a user's roles give on this site. A flag that is None is not changed."""

    roles: frozenset[str]
    """The names of the user's global roles."""
    is_staff: bool | None
    is_superuser: bool | None
    groups: frozenset[str]
    """The owned groups that the user belongs to."""
    owned_groups: frozenset[str]
    """All groups that are controlled by roles; other groups are never changed."""


def rights(
    claims: Claims,
    *,
    staff_roles: Collection[str],
    superuser_roles: Collection[str],
    groups_by_role: Mapping[str, str],
) -> Rights | None:
    """Return the rights that the `roles` claim gives; None if the claim is missing or not a list.

    None changes nothing. An empty list removes everything that roles gave.
    """
    roles = role_names(claims)
    if roles is None:
        return None
    return Rights(
        roles=roles,
        is_staff=bool(roles & set(staff_roles)) if staff_roles else None,
        is_superuser=bool(roles & set(superuser_roles)) if superuser_roles else None,
        groups=frozenset(group for role, group in groups_by_role.items() if role in roles),
        owned_groups=frozenset(groups_by_role.values()),
    )


def role_names(claims: Claims) -> frozenset[str] | None:
    """Return the names in the `roles` claim; None if the claim is missing or not a list."""
    return frozenset(names) if (names := names_in(claims, "roles")) is not None else None


# What changes on this site: `provisioning` computes it for one user, `sync` for each user of a page.


def changed_roles(rights: Rights | None, stored: Collection[str]) -> list[str] | None:
    """Return the role names to store, sorted; None if `stored` already has them or the claims have no roles."""
    if rights is None:
        return None
    roles = sorted(rights.roles)
    return roles if stored != roles else None


@dataclass(frozen=True, kw_only=True)
class GroupChanges:
    """Names of groups that a user joins and leaves. False if there are none."""

    joined: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.joined or self.left)


NO_GROUP_CHANGES = GroupChanges()


def group_changes(rights: Rights | None, held: Collection[str]) -> GroupChanges:
    """Return how the groups of a user change. `held` are the owned groups that the user is in now."""
    groups = frozenset(held)
    if rights is None or rights.groups == groups:
        return NO_GROUP_CHANGES
    return GroupChanges(joined=rights.groups - groups, left=groups - rights.groups)
