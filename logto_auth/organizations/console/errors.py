"""Why the console refuses something, or could not finish it. Each error has a sentence for the user."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from logto_auth.pages.refusals import Refusal

__all__ = [
    "AlreadyInvited",
    "AlreadyMember",
    "ChangedMeanwhile",
    "ConsoleError",
    "DomainNotAllowed",
    "Incomplete",
    "InvalidName",
    "InvitationForOther",
    "InvitationInvalid",
    "InvitationNotSent",
    "InvitationOver",
    "LastOwner",
    "MemberGone",
    "NotAMember",
    "NotPermitted",
    "RoleNotGrantable",
    "TooManyOrganizations",
]


class ConsoleError(Refusal):
    """The console refuses what the user asked for. The text of the exception is for the log."""


class NotPermitted(ConsoleError):
    """The user lacks a right: `right` in `OrganizationConsole.guards`, or "" for one that no organization gives."""

    code = "not_permitted"
    status = 403
    visitor_message: str | Promise = _("You do not have the right to do this.")

    def __init__(self, message: str, *, right: str = "") -> None:
        super().__init__(message)
        self.right = right
        if right:
            self.visitor_message = _(
                "You do not have the right to do this in this organization. Ask one of its owners."
            )


class NotAMember(ConsoleError):
    """The user is not, or no longer, a member of the organization, or there is no such organization."""

    code = "not_a_member_of_organization"
    status = 404
    visitor_message = _("There is no such organization, or you are not a member of it.")


class MemberGone(ConsoleError):
    """The other user is not, or no longer, a member."""

    code = "member_gone"
    status = 404
    visitor_message = _("This user is no longer a member of the organization.")


class LastOwner(ConsoleError):
    """An organization must keep an owner."""

    code = "last_owner"
    status = 409
    visitor_message = _(
        "The organization would have no owner. Give another member the role of an owner first, or delete the "
        "organization."
    )


class RoleNotGrantable(ConsoleError):
    """The user may not give or take away a role."""

    code = "role_not_grantable"
    status = 403
    visitor_message = _("You may not give or take away one of these roles.")


class ChangedMeanwhile(ConsoleError):
    """Another user has changed the same thing since the form was shown."""

    code = "changed_meanwhile"
    status = 409
    visitor_message = _("Another user has changed this in the meantime. Check the current state, and try again.")


class AlreadyMember(ConsoleError):
    """The invited user is a member already."""

    field = "email"
    code = "already_member"
    status = 409
    visitor_message = _("The user with this e-mail address is a member already.")


class AlreadyInvited(ConsoleError):
    """There is a pending invitation for the address. `invitation_id` is its id."""

    field = "email"
    code = "already_invited"
    status = 409
    visitor_message = _("There is an open invitation for this e-mail address already. You can send it again.")

    def __init__(self, message: str, *, invitation_id: str) -> None:
        super().__init__(message)
        self.invitation_id = invitation_id


class InvitationOver(ConsoleError):
    """The invitation was accepted or revoked, or has expired."""

    code = "invitation_over"
    status = 409
    visitor_message = _("This invitation is no longer open. A new one is needed.")


class InvitationForOther(ConsoleError):
    """The invitation is for another e-mail address than that of the signed-in user."""

    code = "invitation_for_other"
    status = 403
    visitor_message = _("This invitation is for another e-mail address than that of your account.")


class InvitationInvalid(ConsoleError):
    """The link of an invitation is damaged, or its organization no longer exists."""

    code = "invitation_invalid"
    status = 404
    visitor_message = _("This link is not, or no longer, valid. Ask for a new invitation.")


class InvitationNotSent(ConsoleError):
    """The invitation exists at Logto, but its e-mail could not be sent. Sending it again finishes."""

    code = "invitation_not_sent"
    status = 502
    visitor_message: str | Promise = _("The invitation is saved, but its e-mail could not be sent. Send it again.")


class TooManyOrganizations(ConsoleError):
    """The user owns as many organizations as the site allows."""

    code = "too_many_organizations"
    status = 409
    visitor_message = _("You already own as many organizations as this site allows.")


class DomainNotAllowed(ConsoleError):
    """The user may not claim the e-mail domain for the organization."""

    field = "domain"
    code = "domain_not_allowed"
    status = 403
    visitor_message: str | Promise = _("You cannot use this e-mail domain for the organization.")


class InvalidName(ConsoleError):
    """Logto would not accept the name, the address or the domain. `field` is the field of the form."""

    code = "invalid_name"
    status = 400
    visitor_message: str | Promise = _("Enter a valid value.")

    def __init__(self, message: str, *, field: str, visitor_message: str | Promise) -> None:
        super().__init__(message)
        self.field = field
        self.visitor_message = visitor_message


class Incomplete(ConsoleError):
    """Logto failed half-way. `done` says in words what was done; the same call again finishes the rest."""

    code = "incomplete"
    status = 503
    visitor_message = _("Logto failed half-way. Try again to finish.")

    def __init__(self, message: str, *, done: Sequence[str | Promise]) -> None:
        super().__init__(message)
        self.done = list(done)
