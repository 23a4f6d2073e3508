"""What a user does in the console, with the rights that Logto reports for them now.

`Console` is for what needs no organization, `ManagedOrganization` for what is done in one. Both are made for one
request. All methods that change something raise `ConsoleError`, `ManagementAPIError` or `ProviderError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property, partial

from django.http import HttpRequest

from logto_auth.access.principal import django_request
from logto_auth.clients import management_api
from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api.answers import is_unknown
from logto_auth.memberships.current import requested_organization_id
from logto_auth.tenant.organization_console import EVERY_USER, AnyRole, OrganizationConsole
from logto_auth.tenant.site import load_console

from .acceptance import Acceptance
from .answers import LiveMembership, names_by_id, own_organization
from .creation import Creation, valid_name
from .effects import after_change, end_membership, end_organization, has_membership, rename_organization
from .errors import NotAMember, NotPermitted
from .invitations import Invitations
from .joining import JoiningSettings
from .members import Members
from .rights import Actor, acting_user, is_id, live_memberships
from .template import Template
from .values import (
    PAGE_SIZE,
    Connector,
    Invitation,
    Joining,
    Member,
    MemberPage,
    OpenInvitation,
    OrganizationRole,
    OwnOrganization,
)

__all__ = [
    "PAGE_SIZE",
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

# A page, for which a visitor waits: one repetition, after half a second at most.
MAX_TRIES = 2


class Console:
    """The console for the signed-in user, or the user of the access token, of a request.

    Raise ConfigurationError if `LOGTO_TENANT` declares no `organization_console`, or one with a mistake, or without
    `LOGTO_M2M_APP_ID`. Other methods than those for an invitation link raise SignInRequired if there is no user, and
    NotPermitted for an application.
    """

    def __init__(self, request: HttpRequest) -> None:
        self.rules = load_console()
        self._api = management_api(max_tries=MAX_TRIES)
        self._template = Template(self._api)
        self._request = django_request(request)

    rules: OrganizationConsole
    """Who may do what: the declaration of the site."""

    def organizations(self) -> list[OwnOrganization]:
        """Return the organizations of the user, as Logto has them now, by name.

        With an access token, only the organization that the token is for.
        """
        own = [each for each in self._memberships if self._is_visible(each.id)]
        return sorted(map(own_organization, own), key=lambda each: (each.name.casefold(), each.id))

    def organization(self, organization_id: str) -> ManagedOrganization:
        """Return an organization that the user belongs to now. Raise NotAMember, also if the request selects another
        one by `LOGTO_ORGANIZATION_FROM`, or the access token is not for it."""
        own = next((each for each in self._memberships if each.id == organization_id), None)
        if own is None and is_id(organization_id) and has_membership(self._actor.sub, organization_id):
            # It has ended, and this site has not learnt it yet: such as by a call of `leave` whose answer was lost.
            end_membership(self._actor.sub, organization_id, self._actor.began_at)
        is_selected = requested_organization_id(self._request) in (None, organization_id)
        if own is None or not is_selected or not self._is_visible(organization_id):
            raise NotAMember(f"The user {self._actor.sub} does not belong to the organization of the request.")
        return ManagedOrganization(self._actor, self.rules, self._api, self._template, own)

    def needs_round_trip(self, roles: Iterable[str]) -> bool:
        """Return whether a user who has just got these organization roles needs a silent sign-in to use them.

        So it is if they have permissions of API resources that this site requests. One call at most, because of the
        cache. An access token has no session that would need one.
        """
        return not self._actor.has_token and self._template.has_requested_permissions(roles)

    @cached_property
    def may_create(self) -> bool:
        """Whether the user may create an organization; `TooManyOrganizations` is not considered.

        Never with an access token. One call if the declaration names roles.
        """
        creators = self.rules.creators
        if creators is None or self._actor.has_token:
            return False
        if isinstance(creators, AnyRole):
            return not set(creators.names).isdisjoint(self._global_roles())
        return creators == EVERY_USER

    def create(self, name: str, *, key: str) -> OwnOrganization:
        """Create an organization whose owner is the user, and return it.

        `key` is a text of the form, different for each form that is shown. A second call with the same key finishes
        what the first has begun. Raise NotPermitted, TooManyOrganizations, InvalidName, Incomplete.
        """
        if not self.may_create:
            raise NotPermitted(f"The user {self._actor.sub} may not create organizations.")
        return Creation(self._actor, self.rules, self._api, self._template).create(valid_name(name), key)

    # The link of an invitation

    def open_invitation(self, sealed: str) -> OpenInvitation:
        """Return the invitation of a link, whose last part is `sealed`. Raise InvitationInvalid, InvitationOver.

        Nobody need be signed in. A text that this site has not sealed costs no call. An accepted invitation is still
        open for the user who has accepted it.
        """
        return self._acceptance.open(sealed)

    def accept(self, sealed: str) -> OwnOrganization:
        """Make the user a member with the roles of the invitation. An invitation that this user has accepted before is
        accepted again without an error. Raise InvitationForOther, InvitationInvalid, InvitationOver.

        Raise NotPermitted for an access token: no scope of it is for joining an organization, whose members see the
        name and the address of the user.
        """
        if self._actor.has_token:
            raise NotPermitted("An access token cannot make its user a member.")
        return self._acceptance.accept(sealed, self._actor)

    def one_time_token(self, sealed: str) -> str:
        """Return a one-time token with which a user registers who has no account at Logto.

        Return "" if the invited address has an account, which then signs in as usual, or if its domain is that of an
        enterprise SSO connector and enterprise SSO is on in the tenant. Raise InvitationInvalid, InvitationOver.
        """
        return self._acceptance.one_time_token(sealed)

    @property
    def _acceptance(self) -> Acceptance:
        return Acceptance(self._request, self._api)

    # Who asks

    @cached_property
    def _actor(self) -> Actor:
        return acting_user(self._request)

    @cached_property
    def _memberships(self) -> list[LiveMembership]:
        return live_memberships(self._api, self._actor.sub)

    def _is_visible(self, organization_id: str) -> bool:
        return not self._actor.has_token or self._actor.principal.organization_id == organization_id

    def _global_roles(self) -> set[str]:
        try:
            return set(names_by_id(list(self._api.users.roles(self._actor.sub))).values())
        except ManagementAPIError as error:
            if is_unknown(error):
                return set()
            raise


class ManagedOrganization(Members, Invitations, JoiningSettings):
    """One organization, and what the user may do in it.

    Each method checks the right for what it does, by the roles that Logto has reported when the object was made.
    """

    def rename(self, name: str) -> None:
        """Rename the organization. Raise InvalidName, NotPermitted."""
        self.require("rename")
        wanted = valid_name(name)
        with self._not_deleted():
            self._api.organizations.update(self.id, {"name": wanted})
        self.name = wanted
        after_change(self._actor, self.id, "organization_renamed", partial(rename_organization, self.id, wanted))

    def delete(self) -> None:
        """Delete the organization at Logto. Rows of this site that refer to it stay. Raise NotPermitted."""
        self.require("delete")
        try:
            self._api.organizations.delete(self.id)
        except ManagementAPIError as error:
            # It existed a moment ago. This request may have been sent twice.
            if not is_unknown(error):
                raise
        after_change(self._actor, self.id, "organization_deleted", partial(end_organization, self.id))
