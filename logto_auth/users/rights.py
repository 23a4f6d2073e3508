"""The rights that the roles of a user give on this site: staff and superuser flags, and groups. No database."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AbstractBaseUser

from logto_auth.conf import conf
from logto_auth.oidc.types import Claims

from .claims import role_names

# The flags of Django's user model that decide what an account may do.
FLAGS = ("is_active", "is_staff", "is_superuser")


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


def rights_of(claims: Claims) -> Rights | None:
    """Return the rights that the roles in `claims` give by the settings; None if the claims have no roles."""
    return rights(
        claims,
        staff_roles=conf.staff_roles,
        superuser_roles=conf.superuser_roles,
        groups_by_role=conf.groups_by_role,
    )


def flags(user_model: type[AbstractBaseUser], rights: Rights | None) -> dict[str, bool]:
    """Return the flags that roles control and the user model has."""
    if rights is None:
        return {}
    flags = {"is_staff": rights.is_staff, "is_superuser": rights.is_superuser}
    return {name: value for name, value in flags.items() if value is not None and hasattr(user_model, name)}


def has_admin_rights(user: AbstractBaseUser) -> bool:
    """Return whether the account is staff or a superuser; False for a user model without these flags."""
    return bool(getattr(user, "is_staff", False) or getattr(user, "is_superuser", False))


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
    kept: frozenset[str] = frozenset()
    """The other owned groups of the user, if any change."""

    def __bool__(self) -> bool:
        return bool(self.joined or self.left)


NO_GROUP_CHANGES = GroupChanges()


def group_changes(rights: Rights | None, held: Collection[str]) -> GroupChanges:
    """Return how the groups of a user change. `held` are the owned groups that the user is in now."""
    groups = frozenset(held)
    if rights is None or rights.groups == groups:
        return NO_GROUP_CHANGES
    return GroupChanges(
        joined=rights.groups - groups, left=groups - rights.groups, kept=frozenset(rights.groups & groups)
    )


@dataclass(kw_only=True)
class RightsChanges:
    """What the signal `rights_changed` reports. False if nothing changed."""

    former: dict[str, Any] = field(default_factory=dict)
    current: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.current)

    def add(self, name: str, former: Any, current: Any) -> None:
        """Add one change."""
        self.former[name], self.current[name] = former, current

    def add_flags(self, former: Mapping[str, Any], current: Mapping[str, Any]) -> None:
        """Add those flags in `current`, the new values of fields, that differ from `former`."""
        for name in FLAGS:
            if name in current and current[name] != former[name]:
                self.add(name, former[name], current[name])

    def add_groups(self, changes: GroupChanges) -> None:
        """Add the owned groups, if any change."""
        if changes:
            self.add("groups", sorted(changes.kept | changes.left), sorted(changes.kept | changes.joined))


def flags_of(user: AbstractBaseUser) -> dict[str, Any]:
    """Return the flags of an account that are rights, without those that the user model lacks or computes."""
    return {name: getattr(user, name) for name in FLAGS if _is_stored(type(user), name)}


def _is_stored(user_model: type[AbstractBaseUser], name: str) -> bool:
    """Return whether the model has the flag and can be given it. Computing one may need queries, or a saved row."""
    attribute = getattr(user_model, name, None)
    return hasattr(user_model, name) and not (isinstance(attribute, property) and attribute.fset is None)


def flag_columns(user_model: type[AbstractBaseUser]) -> list[str]:
    """Return the names of the flags that are columns of the user model."""
    columns = {field.name for field in user_model._meta.concrete_fields}
    return [name for name in FLAGS if name in columns]
