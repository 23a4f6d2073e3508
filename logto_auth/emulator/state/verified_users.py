"""Users who were verified, new and existing ones, and what sign-up requires of them.

Source: Logto asks each user who lacks the username or the password that sign-up requires for it, at every way of
signing in. A social account takes the place of a password. Tried on Logto 1.41, 1.42 and the development head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .records import User, unique
from .sign_in_settings import SignInExperience
from .tenant import Tenant

ProfilePart = Literal["username", "password"]


@dataclass
class NewUser:
    """A verified user to add: the arguments of `add_user`, and the ids of the organizations to join."""

    fields: dict[str, Any]
    organization_ids: Sequence[str] = ()
    filled: dict[str, Any] = field(default_factory=dict)

    @property
    def is_social(self) -> bool:
        return "identities" in self.fields

    @property
    def has_username(self) -> bool:
        return "username" in self.filled

    @property
    def has_password(self) -> bool:
        """Whether there is a password, or a social account in its place."""
        return "password" in self.filled or self.is_social


@dataclass
class ReturningUser:
    """A verified user of the tenant, and the ids of the organizations to join.

    `is_social` and `is_by_password` say how the user was verified. `is_new`: this sign-in has registered the user.
    """

    user: User
    organization_ids: Sequence[str] = ()
    is_social: bool = False
    is_by_password: bool = False
    is_new: bool = False
    filled: dict[str, Any] = field(default_factory=dict)

    @property
    def has_username(self) -> bool:
        return bool(self.user.username) or "username" in self.filled

    @property
    def has_password(self) -> bool:
        """Whether there is a password, or a social account in its place."""
        return self.is_by_password or self.user.has_password or bool(self.user.identities) or "password" in self.filled


VerifiedUser = NewUser | ReturningUser


def missing_part(experience: SignInExperience, verified: VerifiedUser) -> ProfilePart | None:
    """Return the first part of the profile that sign-up requires and the user lacks, or None."""
    if verified.is_social and experience.settings["socialSignIn"].get("skipRequiredIdentifiers"):
        return None
    if "username" in experience.sign_up_identifiers and not verified.has_username:
        return "username"
    if experience.settings["signUp"]["password"] and not verified.has_password:
        return "password"
    return None


def add_new_user(tenant: Tenant, new_user: NewUser) -> tuple[User, list[str]]:
    """Add the user to the tenant and its organizations. Return the user and the ids of the organizations."""
    with tenant.lock:
        user = tenant.add_user(**new_user.fields, **new_user.filled)
        return user, join_organizations(tenant, user, new_user.organization_ids)


def complete_user(tenant: Tenant, returning: ReturningUser) -> tuple[User, list[str]]:
    """Store what the user filled in. Return the user and the ids of the organizations that are new."""
    with tenant.lock:
        user = tenant.update_user(returning.user.id, **returning.filled) if returning.filled else returning.user
        return user, join_organizations(tenant, user, returning.organization_ids)


def join_organizations(tenant: Tenant, user: User, organization_ids: Sequence[str]) -> list[str]:
    """Add the user to organizations with their just-in-time roles, and return the ids of those that are new.

    An existing member keeps the roles held before. Raise Refused for a just-in-time role of applications: the user is a
    member then, without the just-in-time roles.
    """
    joined = []
    for organization_id in organization_ids:
        organization = tenant.organizations[organization_id]
        joined += [organization_id] if user.id not in organization.members else []
        held = organization.members.setdefault(user.id, [])
        tenant.check_user_roles(organization.jit_roles)
        organization.members[user.id] = unique([*held, *organization.jit_roles])
    return joined
