"""The signed-in user of a request, as `request.logto`."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest
from django.utils.functional import cached_property
from django.views.decorators.debug import sensitive_variables

from logto_auth.access.principal import Principal, RequestPrincipal
from logto_auth.clients import oidc_client
from logto_auth.conf import api_resource
from logto_auth.exceptions import OrganizationRequired, ProviderError, SignInRefused, SignInRequired, TokenError
from logto_auth.models import LogtoSession, LogtoSessionQuerySet
from logto_auth.organizations import rows
from logto_auth.organizations.memberships import Membership, organizations_in
from logto_auth.users.claims import role_names

from . import refresh, store
from .store import SessionTokens

__all__ = ["LogtoHttpRequest", "SessionPrincipal", "SignedInSession", "request_principal", "session_principal"]

logger = logging.getLogger("logto_auth")


@dataclass(frozen=True, kw_only=True)
class SignedInSession:
    """A session of the user on this site."""

    id: str
    signed_in_at: datetime
    user_agent: str
    ip_address: str | None
    is_current: bool


class LogtoHttpRequest(HttpRequest):
    """For annotations of views: a request that `LogtoMiddleware` has handled and that carries no access token."""

    logto: SessionPrincipal


def request_principal(request: HttpRequest) -> Principal:
    """Return `request.logto`. Set it to a `SessionPrincipal` if the request did not pass `LogtoMiddleware`.

    No other function makes a `SessionPrincipal` for a request, so all code of a request shares one object.
    """
    principal: Principal | None = getattr(request, "logto", None)
    # A copy of a request has the attributes of the original. A principal of the original would describe its session.
    if principal is None or (isinstance(principal, SessionPrincipal) and not principal.is_of(request)):
        principal = request.logto = SessionPrincipal(request)  # type: ignore[attr-defined]
    return principal


def session_principal(request: HttpRequest) -> SessionPrincipal:
    """Return `request.logto` if it describes the session; a signed-out principal if an access token replaced it."""
    principal = request_principal(request)
    return principal if isinstance(principal, SessionPrincipal) else SessionPrincipal(request)


class _SessionData:
    """The tokens of one session as they were read from its row, and what they contain."""

    def __init__(
        self, session: SessionBase | None = None, session_id: str | None = None, tokens: SessionTokens | None = None
    ) -> None:
        self._session = session
        self._session_id = session_id
        self.tokens = tokens

    def is_of(self, session: SessionBase, session_id: str) -> bool:
        """Return whether `session` is still the one for which this was read, with the same `LogtoSession`."""
        return session is self._session and session_id == self._session_id

    @cached_property
    def claims(self) -> Mapping[str, Any]:
        return MappingProxyType(self.tokens.claims if self.tokens else {})

    @cached_property
    def roles(self) -> tuple[str, ...]:
        return tuple(sorted(role_names(self.claims) or ()))

    @cached_property
    def memberships(self) -> tuple[Membership, ...]:
        """The organizations in the claims, with the names that the claims contain."""
        return organizations_in(self.claims)

    @cached_property
    def organizations(self) -> tuple[Membership, ...]:
        """The same with the names in the database. One query if a name is missing."""
        return rows.fill_in_names(self.memberships)

    @cached_property
    def scopes(self) -> frozenset[str]:
        token = self.tokens.access_token() if self.tokens else None
        return token.scopes if token else frozenset()


SIGNED_OUT = _SessionData()


class SessionPrincipal(RequestPrincipal):
    """The signed-in user and their tokens.

    The row of the session is read at the first use, once per request. It is read again after a refresh of its tokens,
    and after `login()` or `logout()` has changed the session of the request.
    """

    _data: _SessionData | None = None
    _user_info: tuple[str | None, Mapping[str, Any]] | None = None

    def __repr__(self) -> str:
        return "<SessionPrincipal>"

    @property
    def is_authenticated(self) -> bool:
        """True for a Logto session; False if the request is authenticated by an access token."""
        return self._session_id() is not None

    def _session_id(self) -> str | None:
        """Return the id of the `LogtoSession` that authenticates the request; None if it has none."""
        request = self._request
        session = getattr(request, "session", None)  # an API may have no sessions
        session_id = store.session_id(session) if session is not None else None
        # The user of an access token need not be the user who is signed in with this browser.
        if session_id is None or not isinstance(getattr(request, "logto", self), SessionPrincipal):
            return None
        return session_id if request.user.is_authenticated else None

    @property
    def is_machine(self) -> bool:
        """False: a machine-to-machine application has no session."""
        return False

    def is_for(self, user: Any) -> bool:
        """Return whether `user` is the account of this session. False for an account that some code impersonates."""
        if not self.is_authenticated or not isinstance(user, get_user_model()):
            return False
        return bool(self._request.session.get(SESSION_KEY) == user._meta.pk.value_to_string(user))

    def _session_data(self) -> _SessionData:
        session_id = self._session_id()
        if session_id is None:
            return SIGNED_OUT
        session, data = self._request.session, self._data
        if data is None or not data.is_of(session, session_id):
            data = self._data = _SessionData(session, session_id, store.load(session))
        return data

    def forget(self) -> None:
        """Read the row again at the next use."""
        self._data = None

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of the ID token and those of `LOGTO_USERINFO_CLAIMS`. Empty when signed out."""
        return self._session_data().claims

    @property
    def sub(self) -> str | None:
        """The user's id at Logto; None when signed out."""
        return self.claims.get("sub")

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the user's global roles, sorted; empty without the scope `roles`."""
        return self._session_data().roles

    @property
    def organizations(self) -> tuple[Membership, ...]:
        """The user's organizations; empty without the scope `urn:logto:scope:organizations`.

        Names that are not in the claims come from this site's rows, by one query.
        """
        return self._session_data().organizations

    @property
    def organization(self) -> Membership | None:
        """The current organization, if the user is a member according to the latest claims.

        It is the organization that the URL selects, else the chosen one, else the only one.
        """
        organization_id = self.organization_id
        if organization_id is None:
            return None
        return next((each for each in self.organizations if each.id == organization_id), None)

    @property
    def organization_id(self) -> str | None:
        """The id of the current organization at Logto."""
        membership = self._current_membership()
        return membership.id if membership else None

    @property
    def organization_roles(self) -> tuple[str, ...]:
        """Names of the user's roles in the current organization; empty without one."""
        membership = self._current_membership()
        return membership.roles if membership else ()

    def _current_membership(self) -> Membership | None:
        data = self._session_data()
        if data is SIGNED_OUT:
            return None
        wanted = self._requested_organization_id()
        if wanted is None:
            wanted = store.chosen_organization_id(self._request.session)
        if wanted is None:
            return data.memberships[0] if len(data.memberships) == 1 else None
        return next((each for each in data.memberships if each.id == wanted), None)

    @property
    def scopes(self) -> frozenset[str]:
        """Scopes that Logto granted at sign-in."""
        return self._session_data().scopes

    def choose_organization(self, organization_id: str) -> None:
        """Make an organization the current one on pages whose URL selects none.

        Raise OrganizationRequired if the user is not a member of it.
        """
        if not self._is_member_of(organization_id):
            raise OrganizationRequired("The user is not a member of the chosen organization.")
        store.choose_organization(self._request.session, organization_id)

    def permissions(self, resource: str | None = None, *, organization_id: str | None = None) -> frozenset[str]:
        """Return the user's permissions on `resource`, by default `LOGTO_API_RESOURCE`; none when signed out.

        They are the permissions in `organization_id`, else in the organization that the URL selects, else in the chosen
        one: roles in other organizations do not count, and there are none in an organization that the user is not a
        member of. They come from an access token, which is fetched at the first use and kept until it expires.

        Return no permissions if Logto refuses the token or there is no refresh token. For all other problems, raise
        what `access_token` raises.
        """
        resource = resource or api_resource()
        wanted = organization_id or self._organization_for_permissions()
        if wanted is not None and not self._is_member_of(wanted):
            return frozenset()
        return self._granted(resource, wanted)

    def _organization_for_permissions(self) -> str | None:
        """Return the organization that the URL selects, else the chosen one if the user is still a member of it.

        For None, Logto adds up the permissions of all organizations.
        """
        requested = self._requested_organization_id()
        if requested is not None or not self.is_authenticated:
            return requested
        chosen = store.chosen_organization_id(self._request.session)
        return chosen if chosen is not None and self._is_member_of(chosen) else None

    def organization_permissions(self, organization_id: str | None = None) -> frozenset[str]:
        """Return the user's permissions in an organization, by default the current one; none without one.

        Raise what `permissions` raises.
        """
        wanted = organization_id or self.organization_id
        return self._granted(None, wanted) if self._is_member_of(wanted) else frozenset()

    def _is_member_of(self, organization_id: str | None) -> bool:
        return any(each.id == organization_id for each in self._session_data().memberships)

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
                "Logto grants no permissions for %s. Is it in LOGTO_RESOURCES, and was it at the sign-in? %s",
                wanted,
                error,
            )
        except SignInRequired as error:
            # Without a refresh token, another sign-in would not bring the permissions either. If the session has
            # ended, the user has to sign in.
            if store.load(self._request.session) is None:
                raise
            logger.warning("The permissions for %s cannot be fetched: %s", wanted, error)
        return frozenset()

    def user_info(self) -> Mapping[str, Any]:
        """Return the user's current data from Logto's userinfo endpoint; one call per request.

        Raise SignInRequired, ProviderError, TokenError.
        """
        session_id = self._session_id()
        if self._user_info is None or session_id is None or self._user_info[0] != session_id:
            userinfo = oidc_client().userinfo(self._usable_token(None, None).token, sub=self.claims["sub"])
            self._user_info = (session_id, MappingProxyType(userinfo))
        return self._user_info[1]

    def access_token(self, resource: str | None = None, organization_id: str | None = None) -> str:
        """Return an access token that has not expired: a stored one, or a new one by the refresh token.

        Without arguments it is the opaque token for Logto's userinfo endpoint. With `resource` it is a JWT for that
        API, which must be in `LOGTO_RESOURCES`. With `organization_id` it is a token for the organization; with both,
        for the API in the organization. Raise SignInRequired if only a new sign-in can provide one, ProviderError if
        Logto refuses.
        """
        return self._usable_token(resource, organization_id).token.reveal()

    def organization_token(self, organization_id: str | None = None) -> str:
        """Return an access token for an organization, by default the current one.

        Raise OrganizationRequired without one, and what `access_token` raises.
        """
        wanted = organization_id or self.organization_id
        if wanted is None:
            raise OrganizationRequired("There is no current organization: the URL selects none, and none is chosen.")
        return self.access_token(organization_id=wanted)

    def _usable_token(self, resource: str | None, organization_id: str | None) -> store.AccessToken:
        if not self.is_authenticated:
            raise SignInRequired("The request has no user who is signed in through Logto.")
        tokens = self._session_data().tokens
        token = tokens.access_token(resource, organization_id) if tokens else None
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
                # The session has ended at Logto, or the site refuses the user. The next request ends it here.
                store.require_revalidation(session)
            raise
        finally:
            # The refresh may have brought other claims.
            self.forget()

    @property
    def sessions(self) -> tuple[SignedInSession, ...]:
        """The user's sessions on this site, the latest first. One query at each use."""
        current = self._session_id()
        if current is None:
            return ()
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
        """End the user's other sessions on this site; return how many there were."""
        current = self._session_id()
        return self._session_rows().exclude(pk=current).end() if current else 0

    def _session_rows(self) -> LogtoSessionQuerySet:
        return LogtoSession.objects.of_user(self._request.user.pk)  # type: ignore[no-any-return]

    async def aload(self) -> SessionPrincipal:
        """Return this object after reading all that its properties need from the database: for async views."""
        await sync_to_async(lambda: (self.organizations, self.organization))()
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
