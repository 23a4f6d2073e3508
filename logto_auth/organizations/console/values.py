"""What the console returns: organizations, members, invitations and connectors, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = [
    "PAGE_SIZE",
    "Connector",
    "Invitation",
    "Joining",
    "Member",
    "MemberPage",
    "OpenInvitation",
    "OrganizationRole",
    "OwnOrganization",
]

PAGE_SIZE = 20


@dataclass(frozen=True, kw_only=True)
class OwnOrganization:
    """An organization that the user belongs to."""

    id: str
    name: str
    roles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class OrganizationRole:
    """A role for users, from the organization template of the tenant."""

    id: str
    name: str
    description: str
    scopes: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Member:
    """A user who belongs to the organization."""

    id: str
    """The `sub` at Logto."""
    name: str
    """The name, else the username, else the address, else the id."""
    email: str
    avatar: str
    roles: tuple[str, ...]
    is_self: bool
    is_owner: bool
    may_change: bool
    """Whether the acting user may give this member a role or take one away."""
    may_remove: bool
    """Whether the acting user may remove this member: they may grant all of the member's roles."""


@dataclass(frozen=True, kw_only=True)
class MemberPage:
    """One page of members."""

    members: tuple[Member, ...]
    number: int
    count: int
    """How many members there are on all pages."""

    @property
    def last_number(self) -> int:
        """The number of the last page, from 1."""
        return max(1, -(-self.count // PAGE_SIZE))


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """An invitation, as Logto stores it."""

    id: str
    email: str
    roles: tuple[str, ...]
    status: str
    """`Pending`, `Accepted`, `Revoked` or `Expired`."""
    created_at: datetime
    expires_at: datetime
    inviter_id: str | None
    may_change: bool
    """Whether the acting user may send it again or revoke it: they may grant all of its roles, and it is pending."""


@dataclass(frozen=True, kw_only=True)
class OpenInvitation:
    """What the page of an invitation link shows."""

    id: str
    email: str
    organization_id: str
    organization_name: str
    roles: tuple[str, ...]
    is_for_user: bool
    """Whether the signed-in user has the invited e-mail address."""


@dataclass(frozen=True, kw_only=True)
class Connector:
    """An enterprise SSO connector of the tenant."""

    id: str
    name: str
    domains: tuple[str, ...]
    is_linked: bool


@dataclass(frozen=True, kw_only=True)
class Joining:
    """Who becomes a member without an invitation, and with which roles."""

    domains: tuple[str, ...]
    roles: tuple[str, ...]
    connectors: tuple[Connector, ...]
    """The linked ones, and those that the acting user may link."""
