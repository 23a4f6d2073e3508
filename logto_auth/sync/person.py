"""What a run knows of one person, and means to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from logto_auth.management_api.types import User
from logto_auth.models import LogtoIdentity, OrganizationMembership, UserStatus
from logto_auth.organizations.memberships import Membership
from logto_auth.users.claims import Rights


@dataclass(kw_only=True)
class Person:
    """What is to be done about one person."""

    digest: str
    user: User
    identity: LogtoIdentity | None
    """None for somebody new, until written."""
    is_new: bool
    claims: dict[str, Any] = field(default_factory=dict)
    memberships: dict[str, OrganizationMembership] = field(default_factory=dict)
    """By organization, as they are here."""
    rights: Rights | None = None
    values: dict[str, Any] = field(default_factory=dict)
    """Of fields of the account: all for somebody new, else those that are to change."""
    roles: list[str] | None = None
    """What the identity is to say about roles, if that is news."""
    groups_gained: frozenset[str] = frozenset()
    groups_lost: frozenset[str] = frozenset()
    joined: list[Membership] = field(default_factory=list)
    left: list[OrganizationMembership] = field(default_factory=list)
    roles_changed: list[tuple[OrganizationMembership, list[str]]] = field(default_factory=list)
    status: UserStatus | None = None
    """What the person has become at Logto, if that is news."""
    is_refused: bool = False
    """Whether the site's own function has something against this person."""
    may_be_linked: bool = False
    """Whether an account here may turn out to be this person's, by e-mail."""

    @property
    def account(self) -> Any:
        """The Django user of somebody who has one."""
        assert self.identity is not None
        return self.identity.user

    @property
    def changed(self) -> frozenset[str]:
        """What the signal `user_updated` says."""
        parts = {
            "groups": self.groups_gained or self.groups_lost,
            "roles": self.roles is not None,
            "organizations": self.joined or self.left or self.roles_changed,
        }
        return frozenset(self.values) | {name for name, is_changed in parts.items() if is_changed}
