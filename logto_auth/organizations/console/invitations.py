"""The invitations of an organization."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from logto_auth.conf import conf
from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.answers import is_unknown, optional_text, plain_text, read
from logto_auth.management_api.resources import search_text

from .answers import names_by_id, user_names
from .effects import after_change
from .errors import (
    AlreadyInvited,
    AlreadyMember,
    InvalidName,
    InvitationNotSent,
    InvitationOver,
    NotAMember,
    RoleNotGrantable,
)
from .mails import require_sender, send_invitation
from .rights import OrganizationRights, is_id
from .values import Invitation

__all__ = [
    "ACCEPTED",
    "MAX_EMAIL_LENGTH",
    "PENDING",
    "Invitations",
    "LiveInvitation",
    "find_invitation",
    "is_same_address",
]

PENDING, ACCEPTED, REVOKED = "Pending", "Accepted", "Revoked"
DAY_SECONDS = 24 * 3600
# The length of Logto's column for the address of a user. A user with a longer one cannot exist.
MAX_EMAIL_LENGTH = 128


@dataclass(frozen=True, kw_only=True)
class LiveInvitation:
    """An invitation, as Logto has it now."""

    id: str
    email: str
    organization_id: str
    roles: tuple[str, ...]
    status: str
    accepted_by: str | None
    inviter_id: str | None
    created_at: datetime
    expires_at: datetime


@read
def invitation_in(row: Mapping[str, Any]) -> LiveInvitation:
    """Return an invitation from its JSON."""
    return LiveInvitation(
        id=plain_text(row["id"]),
        email=plain_text(row["invitee"]),
        organization_id=plain_text(row["organizationId"]),
        roles=tuple(sorted(names_by_id(row["organizationRoles"]).values())),
        status=plain_text(row["status"]),
        accepted_by=optional_text(row.get("acceptedUserId")) or None,
        inviter_id=optional_text(row.get("inviterId")) or None,
        created_at=_time(row["createdAt"]),
        expires_at=_time(row["expiresAt"]),
    )


def is_same_address(first: str, second: str) -> bool:
    """Return whether two e-mail addresses differ in case only, as Logto compares them at the acceptance."""
    return first.lower() == second.lower()


class Invitations(OrganizationRights):
    """What an organization's managers do with its invitations."""

    def invitations(self) -> list[Invitation]:
        """Return the invitations, the newest first. Raise NotPermitted."""
        self.require("invite")
        return sorted(map(self._shown, self._all()), key=lambda each: each.created_at, reverse=True)

    def invite(self, email: str, roles: Sequence[str]) -> Invitation:
        """Invite a user by e-mail. The address need not belong to an account.

        Raise AlreadyMember, AlreadyInvited, RoleNotGrantable, InvalidName, InvitationNotSent, NotPermitted.
        """
        self.require("invite")
        require_sender()
        address = _valid_email(email)
        role_ids = self._role_ids(roles)
        self._require_grantable(role_ids.keys())
        # Logto compares the addresses of open invitations and members with their case.
        self._refuse_known(address)
        with self._refused_by_logto(address):
            invitation = invitation_in(
                self._api.invitations.create(
                    {
                        "inviterId": self._actor.sub,
                        "invitee": address,
                        "organizationId": self.id,
                        "expiresAt": int((time.time() + conf.invitation_days * DAY_SECONDS) * 1000),
                        "organizationRoleIds": list(role_ids.values()),
                        # The link has the id of the invitation, which is known only now.
                        "messagePayload": False,
                    }
                )
            )
        self._send(invitation, "invitation_sent")
        return self._shown(invitation)

    def resend(self, invitation_id: str) -> Invitation:
        """Send the e-mail of a pending invitation again. Raise InvitationOver, RoleNotGrantable, InvitationNotSent,
        NotPermitted."""
        self.require("invite")
        invitation = self._own_invitation(invitation_id)
        if invitation.status != PENDING:
            raise InvitationOver(f"The invitation {invitation.id} is {invitation.status}.")
        self._send(invitation, "invitation_resent")
        return self._shown(invitation)

    def revoke(self, invitation_id: str) -> None:
        """Revoke a pending invitation. One that is revoked already counts as revoked.

        Raise InvitationOver, RoleNotGrantable, NotPermitted.
        """
        self.require("invite")
        invitation = self._own_invitation(invitation_id)
        if invitation.status == REVOKED:
            return
        if invitation.status != PENDING:
            raise InvitationOver(f"The invitation {invitation.id} is {invitation.status}.")
        try:
            self._api.invitations.revoke(invitation.id)
        except ManagementAPIError as error:
            if error.status != 422 and not is_unknown(error):
                raise
            # Another user may have revoked or accepted it, or this request may have been sent twice.
            now = find_invitation(self._api, invitation.id)
            if now is None or now.status != REVOKED:
                raise InvitationOver(f"The invitation {invitation.id} is over.") from error
        after_change(self._actor, self.id, "invitation_revoked", details=_details(invitation))

    # Logto

    def _all(self) -> list[LiveInvitation]:
        return [invitation_in(row) for row in self._api.invitations.all(organizationId=self.id)]

    def _own_invitation(self, invitation_id: str) -> LiveInvitation:
        """Return an invitation of this organization. Raise InvitationOver, and RoleNotGrantable for its roles."""
        invitation = find_invitation(self._api, invitation_id)
        if invitation is None or invitation.organization_id != self.id:
            raise InvitationOver(f"The organization {self.id} has no such invitation.")
        if not self._may_grant(invitation.roles):
            raise RoleNotGrantable(f"The invitation {invitation.id} has roles that the user may not grant.")
        return invitation

    def _refuse_known(self, address: str) -> None:
        """Raise AlreadyInvited or AlreadyMember. Two calls."""
        for invitation in self._all():
            if invitation.status == PENDING and is_same_address(invitation.email, address):
                raise AlreadyInvited(
                    f"The invitation {invitation.id} is for the same address.", invitation_id=invitation.id
                )
        for member in self._api.organizations.users(self.id, q=search_text(address)):
            if is_same_address(user_names(member).email, address):
                raise AlreadyMember("A member has the invited address.")

    @contextmanager
    def _refused_by_logto(self, address: str) -> Iterator[None]:
        """Raise the error of the console for a refused invitation: the state is read again to tell the case."""
        try:
            yield
        except ManagementAPIError as error:
            if error.code == "guard.invalid_input":
                raise _invalid_email() from error
            if error.status == 422:
                self._refuse_known(address)
            if error.code == "entity.relation_foreign_key_not_found":
                self._require_organization()
                raise RoleNotGrantable("Logto no longer has one of the roles of the invitation.") from error
            raise

    def _require_organization(self) -> None:
        try:
            self._api.organizations.get(self.id)
        except ManagementAPIError as error:
            if is_unknown(error):
                raise NotAMember(f"The organization {self.id} does not exist any more.") from error
            raise

    def _send(self, invitation: LiveInvitation, action: str) -> None:
        """Send the e-mail, and announce it. Raise InvitationNotSent; the invitation is then announced as well."""
        error: InvitationNotSent | None = None
        try:
            send_invitation(
                self._actor,
                self._api,
                id=invitation.id,
                email=invitation.email,
                organization_name=self.name,
                expires_at=invitation.expires_at,
            )
        except InvitationNotSent as not_sent:
            error = not_sent
        details = {**_details(invitation), "is_sent": error is None}
        after_change(self._actor, self.id, action, details=details)
        if error is not None:
            raise error

    def _shown(self, invitation: LiveInvitation) -> Invitation:
        return Invitation(
            id=invitation.id,
            email=invitation.email,
            roles=invitation.roles,
            status=invitation.status,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
            inviter_id=invitation.inviter_id,
            may_change=invitation.status == PENDING and self._may_grant(invitation.roles),
        )


def find_invitation(api: ManagementAPI, invitation_id: str) -> LiveInvitation | None:
    """Return an invitation as Logto has it now; None if there is none. One call."""
    if not is_id(invitation_id):
        return None
    try:
        return invitation_in(api.invitations.get(invitation_id))
    except ManagementAPIError as error:
        if is_unknown(error):
            return None
        raise


def _details(invitation: LiveInvitation) -> dict[str, Any]:
    """Return what a signal says about an invitation: not the address."""
    return {"invitation": invitation.id, "roles": list(invitation.roles)}


def _valid_email(email: str) -> str:
    address = email.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise _invalid_email() from None
    if len(address) > MAX_EMAIL_LENGTH:
        raise _invalid_email()
    return address


def _invalid_email() -> InvalidName:
    message = _("Enter a valid e-mail address.")
    return InvalidName("The invited address is not valid.", field="email", visitor_message=message)


def _time(milliseconds: float) -> datetime:
    """Return a time of Logto in the current time zone: with `USE_TZ = False`, templates convert none themselves."""
    return localtime(datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc))
