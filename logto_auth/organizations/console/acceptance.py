"""The acceptance of an invitation by the user who has got its link."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from typing import Any

from django.http import HttpRequest

from logto_auth.exceptions import LogtoError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.answers import is_unknown, plain_text, read
from logto_auth.management_api.transport import QueryValue
from logto_auth.memberships.claims import Membership
from logto_auth.oidc.claims import text
from logto_auth.sessions.principal import SessionPrincipal, request_principal

from .answers import LiveMembership, own_organization, user_names
from .effects import after_change, refresh_own_claims, store_membership
from .errors import InvitationForOther, InvitationInvalid, InvitationOver
from .invitations import ACCEPTED, PENDING, LiveInvitation, find_invitation, is_same_address
from .links import unseal
from .rights import Actor, live_memberships
from .values import OpenInvitation, OwnOrganization

__all__ = ["Acceptance"]

ONE_TIME_TOKEN_SECONDS = 600


class Acceptance:
    """What the reader of an invitation's e-mail does with its link."""

    def __init__(self, request: HttpRequest, api: ManagementAPI) -> None:
        self._request, self._api = request, api

    def open(self, sealed: str) -> OpenInvitation:
        """Return what the page shows. See `Console.open_invitation`."""
        invitation = self._open(sealed, self._sub)
        return OpenInvitation(
            id=invitation.id,
            email=invitation.email,
            organization_id=invitation.organization_id,
            organization_name=self._organization_name(invitation.organization_id),
            roles=invitation.roles,
            is_for_user=bool(self._email) and is_same_address(self._email, invitation.email),
        )

    def accept(self, sealed: str, actor: Actor) -> OwnOrganization:
        """Make the user a member. See `Console.accept`."""
        invitation = self._open(sealed, actor.sub)
        is_new = invitation.status == PENDING and self._accept(invitation, actor.sub)
        membership = self._membership(invitation, actor.sub, is_new=is_new)
        stored = Membership(id=membership.id, name=membership.name, roles=tuple(membership.roles.values()))
        change_rows = partial(store_membership, actor.sub, stored)
        if is_new:
            details = {"invitation": invitation.id, "roles": list(invitation.roles)}
            after_change(actor, membership.id, "invitation_accepted", change_rows, target=actor.sub, details=details)
        else:
            change_rows(actor.began_at)
            refresh_own_claims(actor)
        return own_organization(membership)

    def one_time_token(self, sealed: str) -> str:
        """Return a token for a user who has no account. See `Console.one_time_token`."""
        invitation = self._open(sealed, None)
        query: dict[str, QueryValue] = {
            "search.primaryEmail": invitation.email,
            "mode.primaryEmail": "exact",
            "isCaseSensitive": False,
        }
        if self._api.users.count(**query):
            # A link in an e-mail must not sign in to an account: it would pass by its password and second factor.
            return ""
        if self._is_for_enterprise_connector(invitation.email):
            # Logto registers such a user by the enterprise connector only, and refuses the token after using it up.
            return ""
        return _value_of(
            self._api.one_time_tokens.create({"email": invitation.email, "expiresIn": ONE_TIME_TOKEN_SECONDS})
        )

    # Logto

    def _is_for_enterprise_connector(self, email: str) -> bool:
        domain = email.rpartition("@")[2].lower()
        if not any(domain in _domains_of(each) for each in self._api.sso_connectors.all()):
            return False
        # If enterprise SSO is off in the tenant, its connectors have no effect.
        return _has_single_sign_on(self._api.sign_in_experience.get())

    def _open(self, sealed: str, sub: str | None) -> LiveInvitation:
        """Return a pending invitation, or one that the user `sub` has accepted. One call.

        Raise InvitationInvalid, InvitationOver.
        """
        content = unseal(sealed)
        invitation = find_invitation(self._api, content.id)
        if invitation is None or not is_same_address(invitation.email, content.email):
            raise InvitationInvalid("Logto has no such invitation.")
        is_own = invitation.status == ACCEPTED and sub is not None and invitation.accepted_by == sub
        if invitation.status != PENDING and not is_own:
            raise InvitationOver(f"The invitation {invitation.id} is {invitation.status}.")
        return invitation

    def _accept(self, invitation: LiveInvitation, sub: str) -> bool:
        """Accept at Logto, and return whether this has changed anything. Raise InvitationForOther and others."""
        try:
            self._api.invitations.accept(invitation.id, sub)
        except ManagementAPIError as error:
            if error.status != 422 and not is_unknown(error):
                raise
            now = find_invitation(self._api, invitation.id)
            if now is None:
                raise InvitationInvalid(f"The invitation {invitation.id} was deleted.") from error
            if now.status == PENDING:
                raise InvitationForOther(
                    f"The user {sub} does not have the address of the invitation {invitation.id}."
                ) from error
            if now.status != ACCEPTED or now.accepted_by != sub:
                raise InvitationOver(f"The invitation {invitation.id} is {now.status}.") from error
            # The request was sent twice, by the browser or after a broken connection.
        return True

    def _membership(self, invitation: LiveInvitation, sub: str, *, is_new: bool) -> LiveMembership:
        """Return the membership of the user: a member before has more roles than the invitation.

        Raise InvitationOver if the membership has ended after the acceptance.
        """
        try:
            memberships = live_memberships(self._api, sub)
        except LogtoError:
            if not is_new:
                raise
            # The invitation is accepted. The claims have the rest at the next refresh.
            roles = {name: name for name in invitation.roles}
            return LiveMembership(id=invitation.organization_id, name="", roles=roles)
        found = next((each for each in memberships if each.id == invitation.organization_id), None)
        if found is None:
            raise InvitationOver(f"The user {sub} has accepted the invitation {invitation.id}, and left since.")
        return found

    def _organization_name(self, organization_id: str) -> str:
        try:
            return _name_of(self._api.organizations.get(organization_id))
        except ManagementAPIError as error:
            if is_unknown(error):
                raise InvitationInvalid(f"The organization {organization_id} does not exist any more.") from error
            raise

    # The user, if there is one

    @property
    def _sub(self) -> str | None:
        principal = request_principal(self._request)
        return principal.sub if principal.is_authenticated and not principal.is_machine else None

    @cached_property
    def _email(self) -> str:
        """The address of the user: that of the claims. An access token has none, so Logto is asked."""
        principal, sub = request_principal(self._request), self._sub
        if sub is None:
            return ""
        if isinstance(principal, SessionPrincipal) and "email" in principal.claims:
            return text(principal.claims, "email")
        try:
            return user_names(self._api.users.get(sub)).email
        except ManagementAPIError as error:
            if is_unknown(error):
                return ""
            raise


@read
def _value_of(token: Mapping[str, Any]) -> str:
    return plain_text(token["token"])


@read
def _domains_of(connector: Mapping[str, Any]) -> set[str]:
    return {plain_text(domain).lower() for domain in connector["domains"]}


@read
def _has_single_sign_on(sign_in_experience: Mapping[str, Any]) -> bool:
    return bool(sign_in_experience["singleSignOnEnabled"])


@read
def _name_of(organization: Mapping[str, Any]) -> str:
    return plain_text(organization["name"])
