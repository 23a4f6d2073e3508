"""What a user does in the console, with the rights that Logto reports for them now.

`Console` is for what needs no organization, `ManagedOrganization` for what is done in one. Both are made for one
request. All methods that change something raise `ConsoleError`, `ManagementAPIError` or `ProviderError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from logto_auth.tenant.organization_console import OrganizationConsole

__all__ = [
    "Connector",
    "Console",
    "Invitation",
    "Joining",
    "ManagedOrganization",
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
    """Whether the acting user may change roles of this member, or remove them."""


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


class Console:
    """The console for the signed-in user, or the user of the access token, of a request.

    Raise ConfigurationError if `LOGTO_TENANT` declares no `organization_console`, or without `LOGTO_M2M_APP_ID`.
    """

    def __init__(self, request: HttpRequest) -> None:
        raise NotImplementedError

    rules: OrganizationConsole

    def organizations(self) -> list[OwnOrganization]:
        """Return the organizations of the user, as Logto has them now."""
        raise NotImplementedError

    @property
    def may_create(self) -> bool:
        """Whether the user may create an organization; `TooManyOrganizations` is not considered."""
        raise NotImplementedError

    def create(self, name: str, *, key: str) -> OwnOrganization:
        """Create an organization whose owner is the user, and return it.

        `key` is a text of the form, different for each form that is shown. A second call with the same key finishes
        what the first has begun. Raise NotPermitted, TooManyOrganizations, InvalidName, Incomplete.
        """
        raise NotImplementedError

    def organization(self, organization_id: str) -> ManagedOrganization:
        """Return an organization that the user belongs to now. Raise NotAMember, also if the request selects another
        one by `LOGTO_ORGANIZATION_FROM`."""
        raise NotImplementedError

    def open_invitation(self, sealed: str) -> OpenInvitation:
        """Return the invitation of a link, whose last part is `sealed`. Raise InvitationInvalid, InvitationOver.

        Nobody need be signed in. A text that this site has not sealed costs no call.
        """
        raise NotImplementedError

    def accept(self, sealed: str) -> OwnOrganization:
        """Make the signed-in user a member with the roles of the invitation. An invitation that this user has accepted
        before is accepted again without an error. Raise InvitationForOther, InvitationInvalid, InvitationOver."""
        raise NotImplementedError

    def one_time_token(self, sealed: str) -> str:
        """Return a one-time token with which somebody registers who has no account at Logto; "" if the invited address
        has an account, which then signs in as usual. Raise InvitationInvalid, InvitationOver."""
        raise NotImplementedError


class ManagedOrganization:
    """One organization, and what the user may do in it.

    Each method checks the right for what it does, by the roles that Logto has reported when the object was made.
    """

    id: str
    name: str
    roles: tuple[str, ...]
    """The roles of the acting user."""
    is_owner: bool

    def may(self, right: str) -> bool:
        """Return whether the user may do this: a name of `OrganizationConsole.guards`."""
        raise NotImplementedError

    def require(self, right: str) -> None:
        """Raise NotPermitted unless the user may do this."""
        raise NotImplementedError

    def rename(self, name: str) -> None:
        """Rename the organization. Raise InvalidName."""
        raise NotImplementedError

    def delete(self) -> None:
        """Delete the organization at Logto. Rows of this site that refer to it stay."""
        raise NotImplementedError

    def leave(self) -> None:
        """End the membership of the acting user. Raise LastOwner."""
        raise NotImplementedError

    # Members

    def members(self, *, search: str = "", page: int = 1) -> MemberPage:
        """Return a page of the members."""
        raise NotImplementedError

    def member(self, user_id: str) -> Member:
        """Return one member. Raise MemberGone."""
        raise NotImplementedError

    def all_roles(self) -> list[OrganizationRole]:
        """Return the roles for users, by name."""
        raise NotImplementedError

    def grantable_roles(self) -> list[OrganizationRole]:
        """Return the roles that the acting user may give and take away."""
        raise NotImplementedError

    def set_roles(self, user_id: str, roles: Sequence[str], *, before: Sequence[str] | None = None) -> Member:
        """Give a member these roles, by name, and take the others away.

        `before` are the roles that the form has shown. Raise ChangedMeanwhile if the member has others by now,
        MemberGone, RoleNotGrantable, LastOwner, Incomplete.
        """
        raise NotImplementedError

    def remove(self, user_id: str) -> None:
        """End a membership. Raise MemberGone, RoleNotGrantable, LastOwner."""
        raise NotImplementedError

    # Invitations

    def invitations(self) -> list[Invitation]:
        """Return the invitations, the newest first."""
        raise NotImplementedError

    def invite(self, email: str, roles: Sequence[str]) -> Invitation:
        """Invite somebody, and send the e-mail. The address need not belong to a user.

        Raise AlreadyMember, AlreadyInvited, RoleNotGrantable, InvalidName, InvitationNotSent.
        """
        raise NotImplementedError

    def resend(self, invitation_id: str) -> Invitation:
        """Send the e-mail of a pending invitation again. Raise InvitationOver, RoleNotGrantable, InvitationNotSent."""
        raise NotImplementedError

    def revoke(self, invitation_id: str) -> None:
        """Revoke a pending invitation. One that is revoked already counts as revoked. Raise InvitationOver,
        RoleNotGrantable."""
        raise NotImplementedError

    # Just-in-time members

    def joining(self) -> Joining:
        """Return who becomes a member without an invitation."""
        raise NotImplementedError

    def add_domain(self, domain: str) -> None:
        """Add an e-mail domain, whose new users become members. Raise DomainNotAllowed, InvalidName."""
        raise NotImplementedError

    def remove_domain(self, domain: str) -> None:
        """Remove an e-mail domain, if it is there."""
        raise NotImplementedError

    def set_default_roles(self, roles: Sequence[str]) -> None:
        """Set the roles of just-in-time members. Raise RoleNotGrantable."""
        raise NotImplementedError

    def link_connector(self, connector_id: str) -> None:
        """Let users of an enterprise SSO connector become members. Raise DomainNotAllowed."""
        raise NotImplementedError

    def unlink_connector(self, connector_id: str) -> None:
        """Undo `link_connector`. It changes no membership."""
        raise NotImplementedError
