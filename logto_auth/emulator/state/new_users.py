"""Users who were verified and do not exist yet, and what sign-up requires of them.

Source: Logto asks a new user who comes by social sign-in or by a one-time token for the identifier that sign-up
requires. A social account takes the place of a password.
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


def missing_part(experience: SignInExperience, new_user: NewUser) -> ProfilePart | None:
    """Return the first part of the profile that sign-up requires and the new user lacks, or None."""
    skips_identifiers = new_user.is_social and experience.settings["socialSignIn"].get("skipRequiredIdentifiers")
    if "username" in experience.sign_up_identifiers and "username" not in new_user.filled and not skips_identifiers:
        return "username"
    if experience.settings["signUp"]["password"] and "password" not in new_user.filled and not new_user.is_social:
        return "password"
    return None


def add_new_user(tenant: Tenant, new_user: NewUser) -> tuple[User, list[str]]:
    """Add the user to the tenant and its organizations. Return the user and the ids of the organizations."""
    with tenant.lock:
        user = tenant.add_user(**new_user.fields, **new_user.filled)
        return user, join_organizations(tenant, user, new_user.organization_ids)


def join_organizations(tenant: Tenant, user: User, organization_ids: Sequence[str]) -> list[str]:
    """Add the user to organizations with their just-in-time roles, and return the ids of those that are new.

    An existing member keeps the roles held before.
    """
    joined = []
    for organization_id in organization_ids:
        organization = tenant.organizations[organization_id]
        joined += [organization_id] if user.id not in organization.members else []
        held = organization.members.get(user.id, [])
        organization.members[user.id] = unique([*held, *organization.jit_roles])
    return joined
