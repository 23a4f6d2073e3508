"""What a view sees of the signed-in person, as `request.logto`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpRequest

from . import mapping, refreshing, sessions
from .clients import oidc_client
from .exceptions import SignInRefused, SignInRequired, TokenError
from .models import LogtoSession
from .sessions import SessionTokens


@dataclass(frozen=True, kw_only=True)
class Organization:
    """An organization that the person is a member of."""

    id: str
    name: str | None
    """None without `organization_data`, which userinfo has, and the claims if `LOGTO_USERINFO_CLAIMS` names it."""
    roles: tuple[str, ...]
    """Names of the roles held in this organization."""


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

    logto: LogtoContext


class LogtoContext:
    """The signed-in person and their tokens. Costs nothing until asked; then one read per request."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def __repr__(self) -> str:
        return "<LogtoContext>"

    @property
    def is_authenticated(self) -> bool:
        """Whether the visitor is signed in, and has signed in through Logto."""
        return sessions.is_signed_in(self._request.session) and self._request.user.is_authenticated

    @cached_property
    def _tokens(self) -> SessionTokens | None:
        return sessions.load(self._request.session) if self.is_authenticated else None

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
        return tuple(sorted(mapping.role_names(self.claims) or ()))

    @cached_property
    def organizations(self) -> tuple[Organization, ...]:
        """The person's organizations; empty without the scope `urn:logto:scope:organizations`."""
        return organizations_in(self.claims)

    @cached_property
    def scopes(self) -> frozenset[str]:
        """Scopes that Logto granted at sign-in."""
        token = self._tokens.access_token() if self._tokens else None
        return token.scopes if token else frozenset()

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
        if not self.is_authenticated:
            raise SignInRequired("Nobody is signed in through Logto.")
        token = self._tokens.access_token(resource, organization_id) if self._tokens else None
        if token is None or not token.is_usable():
            token = self._renewed_token(resource, organization_id)
        return token.token

    def _renewed_token(self, resource: str | None, organization_id: str | None) -> sessions.AccessToken:
        session = self._request.session
        try:
            return refreshing.access_token(session, resource, organization_id)
        except (SignInRequired, SignInRefused, TokenError):
            if sessions.load(session) is None:
                # It has ended at Logto, or the site wants it no more; the next request finds out and ends here as well.
                sessions.distrust(session)
            raise
        finally:
            self._forget()

    def _forget(self) -> None:
        """Read anew at the next use: a refresh may have brought other claims."""
        for name in ("_tokens", "claims", "roles", "organizations", "scopes"):
            self.__dict__.pop(name, None)

    @property
    def sessions(self) -> tuple[SignedInSession, ...]:
        """Where the person is signed in to this site, the latest first. One query."""
        current = sessions.session_id(self._request.session)
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
        current = sessions.session_id(self._request.session)
        return sessions.end_all(self._session_rows().exclude(pk=current)) if current else 0

    def _session_rows(self) -> QuerySet[LogtoSession]:
        user_key = self._request.user.pk if self.is_authenticated else None
        rows: QuerySet[LogtoSession] = LogtoSession.objects.filter(identity__user=user_key)
        return rows

    async def aload(self) -> LogtoContext:
        """This object, with all read from the database that its properties need: for use in async views."""
        await sync_to_async(lambda: self._tokens)()
        return self

    async def auser_info(self) -> Mapping[str, Any]:
        """See `user_info`."""
        return await sync_to_async(self.user_info)()

    async def aaccess_token(self, resource: str | None = None, organization_id: str | None = None) -> str:
        """See `access_token`."""
        return await sync_to_async(self.access_token)(resource, organization_id)


def organizations_in(claims: Mapping[str, Any]) -> tuple[Organization, ...]:
    """The organizations in the claims of an ID token or of userinfo, in Logto's order, each with its roles."""
    ids = [value for value in _list(claims, "organizations") if isinstance(value, str)]
    names = {
        entry["id"]: entry.get("name")
        for entry in _list(claims, "organization_data")
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    }
    # "<organization id>:<role name>"; a role name may have colons of its own.
    held = [value.partition(":") for value in _list(claims, "organization_roles") if isinstance(value, str)]
    return tuple(
        Organization(
            id=id, name=names.get(id), roles=tuple(role for organization, _, role in held if organization == id)
        )
        for id in ids
    )


def _list(claims: Mapping[str, Any], name: str) -> list[Any]:
    value = claims.get(name)
    return value if isinstance(value, list) else []
