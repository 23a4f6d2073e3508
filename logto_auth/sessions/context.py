"""What a view sees of the signed-in person, as `request.logto`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from logto_auth.clients import oidc_client
from logto_auth.conf import api_resource
from logto_auth.exceptions import OrganizationRequired, ProviderError, SignInRefused, SignInRequired, TokenError
from logto_auth.models import LogtoSession, LogtoSessionQuerySet
from logto_auth.organizations import current, rows
from logto_auth.organizations.memberships import Membership, organizations_in
from logto_auth.users.claims import role_names

from . import refresh, store
from .store import SessionTokens

logger = logging.getLogger("logto_auth")


@dataclass(frozen=True, kw_only=True)
class SignedInSession:
    """One of the places where the person is signed in to this site."""

    id: str
    signed_in_at: datetime
    user_agent: str
    ip_address: str | None
    is_current: bool


class LogtoHttpRequest(HttpRequest):
    """For annotations: a request that has passed `LogtoMiddleware`."""

    logto: SessionPrincipal


class SessionPrincipal:
    """The signed-in person and their tokens. Costs nothing until asked; then one read per request."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __repr__(self) -> str:
        return "<SessionPrincipal>"

    @property
    def is_authenticated(self) -> bool:
        """Whether the visitor is signed in, and has signed in through Logto; not beside an access token."""
        session = getattr(self._request, "session", None)  # an API may do without
        if session is None or not store.is_signed_in(session):
            return False
        # Whom a token names need not be the person who has signed in with this browser.
        is_by_session = isinstance(getattr(self._request, "logto", self), SessionPrincipal)
        return is_by_session and self._request.user.is_authenticated

    @cached_property
    def _tokens(self) -> SessionTokens | None:
        return store.load(self._request.session) if self.is_authenticated else None

    @cached_property
    def claims(self) -> Mapping[str, Any]:
        """The claims of the ID token, and those of `LOGTO_USERINFO_CLAIMS`. Empty when signed out."""
        return MappingProxyType(dict(self._tokens.claims) if self._tokens else {})

    @property
    def sub(self) -> str | None:
        """The person's id at Logto, None when signed out."""
        return self.claims.get("sub")

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """Names of the person's roles, in order; empty without the scope `roles`."""
        return tuple(sorted(role_names(self.claims) or ()))

    @cached_property
    def organizations(self) -> tuple[Membership, ...]:
        """The person's organizations; empty without the scope `urn:logto:scope:organizations`.

        Names that the claims lack are those that this site knows, by one query.
        """
        return rows.fill_in_names(organizations_in(self.claims))

    @property
    def organization(self) -> Membership | None:
        """The current organization, if the person belongs to it by Logto's last word: the one that the address names,
        else the one that was chosen, else the only one there is."""
        # Before the view is known, the address has not been read.
        return self._organization if self._request.resolver_match is not None else self._current_organization()

    @cached_property
    def _organization(self) -> Membership | None:
        return self._current_organization()

    def _current_organization(self) -> Membership | None:
        if not self.is_authenticated:
            return None
        wanted = current.requested_organization_id(self._request)
        if wanted is None:
            wanted = store.chosen_organization_id(self._request.session)
        if wanted is None:
            return self.organizations[0] if len(self.organizations) == 1 else None
        return next((each for each in self.organizations if each.id == wanted), None)

    @property
    def organization_id(self) -> str | None:
        """The id of the current organization at Logto."""
        return self.organization.id if self.organization else None

    @cached_property
    def scopes(self) -> frozenset[str]:
        """Scopes that Logto granted at sign-in."""
        token = self._tokens.access_token() if self._tokens else None
        return token.scopes if token else frozenset()

    def choose_organization(self, organization_id: str) -> None:
        """Make an organization the current one where no address names another. Raises OrganizationRequired when the
        person does not belong to it."""
        if not self._belongs_to(organization_id):
            raise OrganizationRequired("The person does not belong to the organization that was chosen.")
        store.choose_organization(self._request.session, organization_id)
        self._forget()

    def permissions(self, resource: str | None = None, *, organization_id: str | None = None) -> frozenset[str]:
        """The permissions that the person holds on `resource`, by default `LOGTO_API_RESOURCE`; none when signed out.

        With `organization_id`, and else where the address names an organization or one was chosen, they are those in
        it: what a role in another one gives does not count, and in an organization of others there are none. They are
        those of an access token, which is fetched at the first use and kept for as long as it lives. Raises what
        `access_token` raises, except for Logto's refusals and the lack of a refresh token: those mean none.
        """
        resource = resource or api_resource()
        wanted = organization_id or self._organization_in_play()
        if wanted is not None and not self._belongs_to(wanted):
            return frozenset()
        return self._granted(resource, wanted)

    def _organization_in_play(self) -> str | None:
        """The organization that the address names, or else the one that was chosen, unless that choice has outlived
        the membership. Without one, Logto adds up what the person may do in all of theirs."""
        named = current.requested_organization_id(self._request)
        if named is not None or not self.is_authenticated:
            return named
        chosen = store.chosen_organization_id(self._request.session)
        return chosen if chosen is not None and self._belongs_to(chosen) else None

    def organization_permissions(self, organization_id: str | None = None) -> frozenset[str]:
        """The permissions that the person holds in an organization, by default the current one; none without one.

        In all else as `permissions`.
        """
        wanted = organization_id or self.organization_id
        return self._granted(None, wanted) if self._belongs_to(wanted) else frozenset()

    def _belongs_to(self, organization_id: str | None) -> bool:
        return organization_id in {each.id for each in self.organizations}

    def _granted(self, resource: str | None, organization_id: str | None) -> frozenset[str]:
        if not self.is_authenticated:
            return frozenset()
        wanted = resource or f"the organization {organization_id}"
        try:
            return self._usable_token(resource, organization_id).scopes
        except ProviderError as error:
            if error.error not in refresh.REFUSALS:
                raise
            logger.warning(
                "Logto gives no permissions for %s. Is it among LOGTO_RESOURCES, and was it at the sign-in? %s",
                wanted,
                error,
            )
        except SignInRequired as error:
            # Without a refresh token another sign-in would not bring them either. The end of the session is another
            # matter.
            if store.load(self._request.session) is None:
                raise
            logger.warning("Permissions for %s cannot be asked for: %s", wanted, error)
        return frozenset()

    def user_info(self) -> Mapping[str, Any]:
        """All that Logto tells about the person now, by a call to userinfo; the first in a request is remembered.

        Raises SignInRequired, ProviderError, TokenError.
        """
        return self._user_info

    @cached_property
    def _user_info(self) -> Mapping[str, Any]:
        access_token = self.access_token()
        return MappingProxyType(oidc_client().userinfo(access_token, sub=self.claims["sub"]))

    def access_token(self, resource: str | None = None, organization_id: str | None = None) -> str:
        """An access token that is good for a call now: a kept one, or one that the refresh token has brought.

        Without arguments it is the opaque one for Logto's userinfo; with `resource` a JWT for that API, which must be
        in `LOGTO_RESOURCES`; with `organization_id` one for the organization, or for the API in its name. Raises
        SignInRequired when only a new sign-in can bring one, ProviderError when Logto does not give it.
        """
        return self._usable_token(resource, organization_id).token

    def organization_token(self, organization_id: str | None = None) -> str:
        """An access token for an organization, by default the current one, that is good for a call now.

        Raises OrganizationRequired without one, and what `access_token` raises.
        """
        wanted = organization_id or self.organization_id
        if wanted is None:
            raise OrganizationRequired("There is no current organization: neither the address nor a choice names one.")
        return self.access_token(organization_id=wanted)

    def _usable_token(self, resource: str | None, organization_id: str | None) -> store.AccessToken:
        if not self.is_authenticated:
            raise SignInRequired("Nobody is signed in through Logto.")
        token = self._tokens.access_token(resource, organization_id) if self._tokens else None
        if token is None or not token.is_usable():
            token = self._renewed_token(resource, organization_id)
        return token

    @sensitive_variables()
    def _renewed_token(self, resource: str | None, organization_id: str | None) -> store.AccessToken:
        session = self._request.session
        try:
            return refresh.access_token(session, resource, organization_id)
        except (SignInRequired, SignInRefused, TokenError):
            if store.load(session) is None:
                # It has ended at Logto, or the site wants it no more; the next request finds out and ends here as well.
                store.distrust(session)
            raise
        finally:
            self._forget()

    def _forget(self) -> None:
        """Read anew at the next use: a refresh may have brought other claims."""
        for name in ("_tokens", "claims", "roles", "organizations", "_organization", "scopes"):
            self.__dict__.pop(name, None)

    @property
    def sessions(self) -> tuple[SignedInSession, ...]:
        """Where the person is signed in to this site, the latest first. One query."""
        current = store.session_id(self._request.session)
        return tuple(
            SignedInSession(
                id=str(row.pk),
                signed_in_at=row.created_at,
                user_agent=row.user_agent,
                ip_address=row.ip_address,
                is_current=str(row.pk) == current,
            )
            for row in self._session_rows().order_by("-created_at")
        )

    def end_other_sessions(self) -> int:
        """Sign the person out of this site everywhere but here; returns how many sessions that were."""
        current = store.session_id(self._request.session)
        return self._session_rows().exclude(pk=current).end() if current else 0

    def _session_rows(self) -> LogtoSessionQuerySet:
        user_key = self._request.user.pk if self.is_authenticated else None
        return LogtoSession.objects.of_user(user_key)  # type: ignore[no-any-return]

    async def aload(self) -> SessionPrincipal:
        """This object, with all read from the database that its properties need: for use in async views."""
        await sync_to_async(lambda: (self._tokens, self.organizations, self.organization))()
        return self

    async def auser_info(self) -> Mapping[str, Any]:
        """See `user_info`."""
        return await sync_to_async(self.user_info)()

    async def aaccess_token(self, resource: str | None = None, organization_id: str | None = None) -> str:
        """See `access_token`."""
        return await sync_to_async(self.access_token)(resource, organization_id)

    async def aorganization_token(self, organization_id: str | None = None) -> str:
        """See `organization_token`."""
        return await sync_to_async(self.organization_token)(organization_id)

    async def apermissions(self, resource: str | None = None, *, organization_id: str | None = None) -> frozenset[str]:
        """See `permissions`."""
        return await sync_to_async(self.permissions)(resource, organization_id=organization_id)

    async def aorganization_permissions(self, organization_id: str | None = None) -> frozenset[str]:
        """See `organization_permissions`."""
        return await sync_to_async(self.organization_permissions)(organization_id)
