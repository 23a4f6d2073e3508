"""The signed-in user of a request, as `request.logto`."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils.functional import cached_property

from logto_auth.access.principal import Principal, RequestPrincipal
from logto_auth.clients import oidc_client
from logto_auth.conf import api_resource, conf
from logto_auth.exceptions import LogtoError, OrganizationRequired, ProviderError, SignInRequired
from logto_auth.memberships import rows
from logto_auth.memberships.claims import Membership, organizations_in
from logto_auth.models import LogtoSession
from logto_auth.oidc.claims import frozen
from logto_auth.oidc.secrets import Secret
from logto_auth.signals import account_edited
from logto_auth.users.claims import role_names

from . import refresh, store
from .account import SessionAccount, refuse_impersonation
from .other_sessions import EndedSessions, end_other_sessions
from .store import SessionTokens, StoredSession

__all__ = [
    "LogtoHttpRequest",
    "SessionPrincipal",
    "SignedInSession",
    "keep_logto_session",
    "request_principal",
    "session_principal",
]

logger = logging.getLogger("logto_auth")

# How long after a sign-in the 403 page does not offer another one.
SECONDS_OF_NEW_SIGN_IN = 60


@dataclass(frozen=True, kw_only=True)
class SignedInSession:
    """A session of the user on this site."""

    id: str
    signed_in_at: datetime
    user_agent: str
    ip_address: str | None
    is_current: bool
    impersonator: Any = None
    """The staff member who acts as the user in this session; None in the user's own sessions."""

    @property
    def is_impersonation(self) -> bool:
        """Whether a staff member acts as the user in this session."""
        return self.impersonator is not None


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


def keep_logto_session(request: HttpRequest) -> None:
    """Let the session of `request` depend on the Logto session that it had at the start of the request.

    For code of a site that replaces the signed-in user by another one, and back, with Django's `login()`: the session
    then ends when the Logto session of the user who acts ends. `request.logto` is signed out while they act as another
    user. Does nothing if there was no Logto session at the start of the request.
    """
    stored = session_principal(request).stored_at_start
    # In an impersonation nobody begins another one.
    if stored is not None and not stored.is_impersonation:
        store.reattach(request.session, stored)


class _SessionData:
    """What the tokens of one session contain."""

    def __init__(self, tokens: SessionTokens) -> None:
        self._tokens = tokens

    @cached_property
    def claims(self) -> Mapping[str, Any]:
        return frozen(self._tokens.claims)

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
    def authentication_methods(self) -> tuple[str, ...] | None:
        return self._tokens.authentication_methods

    @property
    def authentication_methods_at(self) -> int | None:
        return self._tokens.authentication_methods_at if self.authentication_methods else None

    @cached_property
    def scopes(self) -> frozenset[str]:
        return self._tokens.scopes


SIGNED_OUT = _SessionData(SessionTokens({}))


class SessionPrincipal(RequestPrincipal):
    """The signed-in user and their tokens.

    The row of the session is read once per request, by `LogtoMiddleware` or at the first use. It is read again after a
    refresh of its tokens, and after `login()` or `logout()` has changed the session of the request.
    """

    stored_at_start: StoredSession | None = None
    """The row of the session at the start of the request; None before it has been read."""
    unconfirmed_fresh_until: float | None = None
    """The end of the freshness of a session that Logto has not confirmed, at the start of the request."""
    _stored: StoredSession | None = None
    _data: _SessionData | None = None
    _user_info: tuple[UUID, Mapping[str, Any]] | None = None

    def __repr__(self) -> str:
        return "<SessionPrincipal>"

    @property
    def fresh_until_at_start(self) -> float | None:
        """The end of the freshness of the session at the start of the request; None if nobody was signed in."""
        return self.stored_at_start.fresh_until if self.stored_at_start else self.unconfirmed_fresh_until

    @property
    def stored_session(self) -> StoredSession | None:
        """The row of Django's session; None if it has none, the row is gone, or it belongs to another user.

        `request.user` is not loaded. `_own_session` checks whether it is the user of the session.
        """
        session = getattr(self._request, "session", None)  # an API may have no sessions
        session_id = store.session_id(session) if session is not None else None
        if session is None or session_id is None:
            return None
        if self._stored is None or self._stored.key != session_id:
            self.remember(store.read(session_id))
        return self._stored if self._stored is not None and store.is_user_of(session, self._stored) else None

    def remember(self, stored: StoredSession | None) -> None:
        """Use this row from now on. Without one, it is read at the next use."""
        self._stored, self._data = stored, None
        if self.stored_at_start is None:
            self.stored_at_start = stored

    @property
    def _own_session(self) -> StoredSession | None:
        """The row of the session that authenticates `request.user`; None if there is none."""
        # The user of an access token need not be the user who is signed in with this browser.
        if not isinstance(getattr(self._request, "logto", self), SessionPrincipal):
            return None
        stored = self.stored_session
        return stored if stored is not None and _is_account(self._request.user, stored) else None

    @property
    def is_authenticated(self) -> bool:
        """True for a Logto session; False if the request is authenticated by an access token.

        Also False if `request.user` is not the user of the session, but one whom they impersonate.
        """
        return self._own_session is not None

    @property
    def may_gain_by_sign_in(self) -> bool:  # type: ignore[override]
        """Whether the latest sign-in is so long ago that a new one may give the user more rights.

        Logto keeps the permissions of an API resource that the user had at the sign-in. Those that the user gets later
        are in no refreshed token.
        """
        stored = self._own_session
        if stored is None or stored.is_impersonation:
            return False
        return time.time() - stored.started_at > SECONDS_OF_NEW_SIGN_IN

    @property
    def is_machine(self) -> bool:
        """False: a machine-to-machine application has no session."""
        return False

    def is_for(self, user: Any) -> bool:
        """Return whether `user` is the account of this session. False for an account that some code impersonates."""
        stored = self._own_session
        return stored is not None and isinstance(user, get_user_model()) and _is_account(user, stored)

    def _session_data(self) -> _SessionData:
        stored = self._own_session
        if stored is None:
            return SIGNED_OUT
        if self._data is None:
            self._data = _SessionData(stored.tokens)
        return self._data

    def forget(self) -> None:
        """Read the row again at the next use."""
        self.remember(None)

    @property
    def claims(self) -> Mapping[str, Any]:
        """The claims of the ID token and those of `LOGTO_USERINFO_CLAIMS`. Empty when signed out."""
        return self._session_data().claims

    @property
    def sub(self) -> str | None:
        """The user's id at Logto; None when signed out."""
        return self.claims.get("sub")

    @property
    def client_id(self) -> str | None:
        """`LOGTO_APP_ID`, because a session belongs to this site; None when signed out."""
        return conf.app_id if self.is_authenticated else None

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the user's global roles, sorted; empty without the scope `roles`."""
        return self._session_data().roles

    @property
    def authentication_methods(self) -> tuple[str, ...]:
        """The methods by which the user has authenticated at Logto, sorted: `("Password", "Totp")`.

        Empty if Logto has not reported them in its latest answer, without `LOGTO_SECOND_FACTOR`, and when signed out.
        """
        return self._session_data().authentication_methods or ()

    @property
    def authentication_methods_at(self) -> int | None:
        """The time of the sign-in with these methods, in seconds since the epoch; None if it is unknown.

        It is known only after a sign-in that this site has requested with `prompt=login consent`.
        """
        return self._session_data().authentication_methods_at

    @property
    def has_authentication_methods(self) -> bool:
        """Whether Logto has reported the methods at all, even if there are none."""
        return self._session_data().authentication_methods is not None

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
        if wanted is None and self._stored is not None:
            wanted = self._stored.chosen_organization or None
        if wanted is None:
            return data.memberships[0] if len(data.memberships) == 1 else None
        return next((each for each in data.memberships if each.id == wanted), None)

    @property
    def must_choose_organization(self) -> bool:
        """True if the user belongs to several organizations, has chosen none of them, and the URL selects none."""
        return len(self.organizations) > 1 and self.organization_id is None and not self._requested_organization_id()

    @property
    def scopes(self) -> frozenset[str]:
        """Scopes that Logto granted at sign-in.

        With `LOGTO_SECOND_FACTOR`, those that the sign-in requested, until the opaque access token is fetched.
        """
        return self._session_data().scopes

    def choose_organization(self, organization_id: str) -> None:
        """Make an organization the current one on pages whose URL selects none.

        Raise OrganizationRequired if the user is not a member of it.
        """
        stored = self._own_session
        if stored is None or not self._is_member_of(organization_id):
            raise OrganizationRequired("The user is not a member of the chosen organization.")
        store.choose_organization(stored, organization_id)

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
        stored = self._own_session
        if requested is not None or stored is None:
            return requested
        return stored.chosen_organization if self._is_member_of(stored.chosen_organization) else None

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
        refused = (resource, organization_id)
        if self._refused_at.get(refused) == self._version():
            # A page asks for many permissions. Each would be a call to Logto.
            return frozenset()
        try:
            return self._usable_token(resource, organization_id).scopes
        except ProviderError as error:
            if error.error not in refresh.REFUSALS:
                raise
            # The operator has to act if the status is that of an error of this site.
            self._refused_at[refused] = self._version()
            level = logging.ERROR if error.status >= 500 else logging.WARNING
            logger.log(level, "Logto grants no permissions for %s: %s", wanted, error)
        except SignInRequired as error:
            # Without a refresh token, another sign-in would not give the permissions either. If the session has
            # ended, the user has to sign in.
            if not self.is_authenticated:
                raise
            logger.warning("The permissions for %s cannot be fetched: %s", wanted, error)
        return frozenset()

    @cached_property
    def _refused_at(self) -> dict[tuple[str | None, str | None], tuple[UUID, int] | None]:
        """The versions of the row for which Logto has refused tokens, by resource and organization."""
        return {}

    def _version(self) -> tuple[UUID, int] | None:
        stored = self._own_session
        return None if stored is None else (stored.id, stored.version)

    def user_info(self) -> Mapping[str, Any]:
        """Return the user's current data from Logto's userinfo endpoint; one call per request.

        Raise SignInRequired, ProviderError, TokenError.
        """
        stored = self._own_session
        if self._user_info is None or stored is None or self._user_info[0] != stored.id:
            userinfo = oidc_client().userinfo(self._usable_token(None, None).token, sub=self.claims["sub"])
            self._user_info = (self._current_session().id, frozen(userinfo))
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

    def _current_session(self) -> StoredSession:
        """Return the row of the session. Raise SignInRequired if there is none."""
        stored = self._own_session
        if stored is None:
            raise SignInRequired("The request has no user who is signed in through Logto.")
        return stored

    def _usable_token(
        self, resource: str | None, organization_id: str | None, limited_to: Collection[str] = ()
    ) -> store.AccessToken:
        stored = self._current_session()
        token = stored.tokens.access_token(resource, organization_id, limited_to)
        if token is None or not token.is_usable():
            with self._refreshing() as stored:
                row, token = refresh.access_token(stored, resource, organization_id, limited_to)
                self.remember(row)
        return token

    def refresh(self) -> None:
        """Fetch new claims from Logto, in one call: for code that has just changed something about the user there.

        Claims, roles, organizations and permissions are new after that, except permissions on API resources that the
        user has got since the sign-in: only another sign-in adds them. The account, its groups and memberships are
        updated in the database; the object `request.user` is not.

        Raise SignInRequired if the session has no refresh token, or Logto no longer confirms the session; SignInRefused
        if the site refuses the user; TokenError if the new tokens fail a check; ProviderError if Logto cannot be
        reached. In the last case the session continues, and its next request tries again.
        """
        current = self._current_session()
        if current.tokens.refresh_token is None and not current.is_impersonation:
            raise SignInRequired("There is no refresh token: ask for the scope offline_access, or sign in again.")
        with self._refreshing() as stored:
            self.remember(refresh.refresh_everything(stored))

    @contextmanager
    def _refreshing(self) -> Iterator[StoredSession]:
        """Yield the row to refresh. Read it again after a refresh that failed: it may be gone."""
        # The view may have rolled back to a savepoint since its last refresh.
        self.restore_after_rollback()
        stored = self._current_session()
        rows = _rows_to_refresh(stored) if refresh.is_in_transaction() else []
        try:
            yield stored
        except LogtoError:
            self.forget()
            self._note_refresh(rows)
            raise
        self._note_refresh(rows)

    @cached_property
    def _refreshed_in_transaction(self) -> dict[UUID, tuple[list[StoredSession], StoredSession | None]]:
        """A row before each refresh in a transaction of the site, and after the last one: None if it is gone."""
        return {}

    def _note_refresh(self, rows: list[StoredSession]) -> None:
        """Remember a refresh of these rows in a transaction that the site may roll back."""
        for former in rows:
            latest = store.read(former.id)
            if latest is None or latest.encrypted_tokens != former.encrypted_tokens:
                earlier, _latest = self._refreshed_in_transaction.get(former.id, ([], None))
                self._refreshed_in_transaction[former.id] = ([*earlier, former], latest)

    def restore_after_rollback(self) -> None:
        """Store the result of refreshes again, if a rollback has undone it."""
        for former, latest in self._refreshed_in_transaction.values():
            if refresh.restore_after_rollback(former, latest):
                self.forget()

    @property
    def has_refreshed_in_transaction(self) -> bool:
        """Whether tokens were refreshed in a transaction of the site, which may have been rolled back since."""
        return bool(self._refreshed_in_transaction)

    @property
    def sessions(self) -> tuple[SignedInSession, ...]:
        """The user's sessions on this site, the latest first. One query at each use."""
        current = self._own_session
        if current is None:
            return ()
        return tuple(
            SignedInSession(
                id=str(row.pk),
                signed_in_at=row.created_at,
                user_agent=row.user_agent,
                ip_address=row.ip_address,
                is_current=row.pk == current.id,
                impersonator=row.impersonator,
            )
            for row in LogtoSession.objects.of_user(current.user_id)
            .select_related("impersonator")
            .defer("encrypted_tokens")
            .order_by("-started_at")
        )

    def end_other_sessions(self) -> EndedSessions:
        """End the user's other sessions, here and at Logto with their tokens; return how many there were.

        Logto would sign another browser in again without a password, so its sessions end too: by the Account API if the
        user is verified (`account.is_verified`) and the scope `urn:logto:scope:sessions` was granted, else by the
        Management API if `LOGTO_M2M_APP_ID` is set. If neither can do it, `at_logto` of the result is None. Problems at
        Logto are logged, and raise nothing. When signed out, no session ends. Raise NotDuringImpersonation.
        """
        self.refuse_impersonation()
        current = self._own_session
        return end_other_sessions(current, self.account) if current else EndedSessions(here=0, at_logto=0)

    @cached_property
    def account(self) -> SessionAccount:
        """The user's own account at Logto. Its methods raise SignInRequired when signed out."""
        return SessionAccount(self)

    def refuse_impersonation(self) -> None:
        """Raise NotDuringImpersonation if staff act as the user, for what only the user may do."""
        stored = self._own_session
        if stored is not None:
            refuse_impersonation(stored)

    @property
    def own_session(self) -> StoredSession | None:
        """The row of the session that authenticates `request.user`, for this package; None if there is none."""
        return self._own_session

    def send_account_edited(self, change: str) -> None:
        """Send `account_edited`, for `SessionAccount`."""
        user = self._request.user
        # `request.user` is a lazy object, whose own type is not the user model.
        account_edited.send_robust(sender=user.__class__, request=self._request, user=user, change=change)

    def resource_token(self, resource: str, *, limited_to: Collection[str] = ()) -> Secret:
        """Return the token of `access_token(resource)`, or one that was requested with some of its scopes only.

        Raise what `access_token` raises.
        """
        return self._usable_token(resource, None, limited_to).token

    def opaque_token(self) -> store.AccessToken:
        """Return the token of `access_token()` with its scopes. Raise what `access_token` raises."""
        return self._usable_token(None, None)

    async def aload(self) -> SessionPrincipal:
        """Return this object after reading all that its properties need from the database: for async views."""
        await sync_to_async(lambda: (self.organizations, self.organization))()
        return self

    async def arefresh(self) -> None:
        """See `refresh`."""
        await sync_to_async(self.refresh)()

    async def auser_info(self) -> Mapping[str, Any]:
        """See `user_info`."""
        return await sync_to_async(self.user_info)()

    async def aaccess_token(self, resource: str | None = None, organization_id: str | None = None) -> str:
        """See `access_token`."""
        return await sync_to_async(self.access_token)(resource, organization_id)

    async def aend_other_sessions(self) -> EndedSessions:
        """See `end_other_sessions`."""
        return await sync_to_async(self.end_other_sessions)()

    async def aorganization_token(self, organization_id: str | None = None) -> str:
        """See `organization_token`."""
        return await sync_to_async(self.organization_token)(organization_id)


def _rows_to_refresh(stored: StoredSession) -> list[StoredSession]:
    """Return the rows whose tokens a refresh of `stored` may replace."""
    # A token for an API names the staff member, by a token of their own session, which may be refreshed for it.
    own = store.read(stored.impersonator_session) if stored.impersonator_session is not None else None
    return [stored] if own is None else [stored, own]


def _is_account(user: Any, stored: StoredSession) -> bool:
    # Code of the site may have put any object there.
    return bool(user.is_authenticated and getattr(user, "pk", None) == stored.user_id)
