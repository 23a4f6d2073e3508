"""What a run knows about one user, and what it will change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from logto_auth.memberships.claims import NO_MEMBERSHIP_CHANGES, MembershipChanges
from logto_auth.models import LogtoIdentity, OrganizationMembership, UserStatus
from logto_auth.users.rights import NO_GROUP_CHANGES, GroupChanges, Rights, RightsChanges

if TYPE_CHECKING:
    from logto_auth.management_api.types import User


@dataclass(kw_only=True)
class PlannedUser:
    """What a run knows about one user, and what it will change."""

    digest: str
    payload: User
    """The user object of the Management API."""
    identity: LogtoIdentity | None
    """None for a new user, until it is written."""
    is_new: bool
    claims: dict[str, Any] = field(default_factory=dict)
    memberships: dict[str, OrganizationMembership] = field(default_factory=dict)
    """The stored memberships, by organization id."""
    rights: Rights | None = None
    values: dict[str, Any] = field(default_factory=dict)
    """Values of fields of the account: all for a new user, else those that change."""
    former_flags: dict[str, Any] = field(default_factory=dict)
    """The flags of a known account before the change."""
    roles: list[str] | None = None
    """The role names to store; None if they do not change."""
    former_roles: list[str] = field(default_factory=list)
    groups: GroupChanges = NO_GROUP_CHANGES
    organizations: MembershipChanges = NO_MEMBERSHIP_CHANGES
    status: UserStatus | None = None
    """The new status at Logto; None if it has not changed."""
    is_refused: bool = False
    """Whether the function of the site refuses the user."""
    may_be_linked: bool = False
    """Whether an account with the same e-mail exists, so that `users.linking` has to decide."""

    @property
    def account(self) -> Any:
        """The Django user. Only for users who have one."""
        assert self.identity is not None
        return self.identity.user

    @property
    def changed(self) -> frozenset[str]:
        """The names that the signal `user_updated` reports."""
        parts = {"groups": self.groups, "roles": self.roles is not None, "organizations": self.organizations}
        return frozenset(self.values) | {name for name, is_changed in parts.items() if is_changed}

    @property
    def rights_changes(self) -> RightsChanges:
        """What the signal `rights_changed` reports. Only for known users."""
        changes = RightsChanges()
        changes.add_flags(self.former_flags, self.values)
        changes.add_groups(self.groups)
        if self.roles is not None:
            changes.add("roles", self.former_roles, self.roles)
        return changes
