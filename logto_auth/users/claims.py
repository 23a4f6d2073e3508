"""Claims in, field values and rights out. Pure: no database, no settings."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from logto_auth.oidc.claims import names_in, text
from logto_auth.oidc.types import Claims


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
    return frozenset(names) if (names := names_in(claims, "roles")) is not None else None
