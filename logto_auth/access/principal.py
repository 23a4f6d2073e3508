"""The principal of a request: the user or the application that makes it, as `request.logto`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.urls import ResolverMatch

from logto_auth.memberships import current
from logto_auth.memberships.claims import Membership

__all__ = ["Principal", "RequestPrincipal", "django_request"]


def django_request(request: HttpRequest) -> HttpRequest:
    """Return Django's request, which REST framework's request wraps; `request` itself if it is Django's."""
    inner: HttpRequest = getattr(request, "_request", request)
    return inner


class Principal(Protocol):
    """What `sessions.SessionPrincipal` and `api.TokenPrincipal` have in common; `request.logto` is one of the two."""

    error_response: Any
    """The `api.ErrorResponse` that an authenticator or a permission class prepared for this request, else None."""

    @property
    def may_gain_by_sign_in(self) -> bool:
        """Whether a new sign-in may give the user rights that they did not have at the latest one."""
        ...

    @property
    def is_authenticated(self) -> bool:
        """Whether a user or an application is authenticated through Logto."""
        ...

    @property
    def is_machine(self) -> bool:
        """Whether a machine-to-machine application is authenticated, not a user."""
        ...

    @property
    def is_api_key(self) -> bool:
        """Whether an API key of the user authenticates the request: a personal access token of Logto."""
        ...

    @property
    def sub(self) -> str | None:
        """The user's id at Logto, or the App ID of a machine; None when signed out."""
        ...

    @property
    def client_id(self) -> str | None:
        """The application that acts: `LOGTO_APP_ID` in a session, and that of the access token; None when signed out.

        It is an App ID, or a URL of up to 2,048 characters (CIMD).
        """
        ...

    @property
    def claims(self) -> Mapping[str, Any]:
        """The verified claims of the session or of the access token."""
        ...

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes that Logto granted."""
        ...

    @property
    def roles(self) -> tuple[str, ...]:
        """Names of the global roles, sorted."""
        ...

    @property
    def authentication_methods(self) -> tuple[str, ...]:
        """The methods by which the user has authenticated at Logto, sorted; empty if they are unknown."""
        ...

    @property
    def authentication_methods_at(self) -> int | None:
        """When they did so at the latest sign-in, in seconds since the epoch; None if the time is unknown."""
        ...

    @property
    def organizations(self) -> tuple[Membership, ...]:
        """The organizations of the user, or that of the access token."""
        ...

    @property
    def organization(self) -> Membership | None:
        """The current organization; None if there is none."""
        ...

    @property
    def organization_id(self) -> str | None:
        """The id of the current organization at Logto; None if there is none."""
        ...

    @property
    def organization_roles(self) -> tuple[str, ...]:
        """Names of the roles in the current organization."""
        ...

    def permissions(self, resource: str | None = None, *, organization_id: str | None = None) -> frozenset[str]:
        """Return the permissions on `resource`."""
        ...

    def organization_permissions(self, organization_id: str | None = None) -> frozenset[str]:
        """Return the permissions in an organization, by default the current one."""
        ...

    async def apermissions(self, resource: str | None = None, *, organization_id: str | None = None) -> frozenset[str]:
        """See `permissions`."""
        ...

    async def aorganization_permissions(self, organization_id: str | None = None) -> frozenset[str]:
        """See `organization_permissions`."""
        ...

    async def aload(self) -> Principal:
        """Return this object after reading all that its properties need from the database: for async views."""
        ...

    def is_for(self, user: Any) -> bool:
        """Return whether the principal describes the account `user`."""
        ...


class RequestPrincipal:
    """The base of both principals: the request, and the organization that its URL selects."""

    # Defaults on the class: a principal is made for every request, and most requests use none of these.
    error_response: Any = None
    may_gain_by_sign_in = False
    is_api_key = False
    _requested_organization: tuple[ResolverMatch, str | None] | None = None

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    def is_of(self, request: HttpRequest) -> bool:
        """Return whether this is the principal of `request`, and not of a request that it was copied from."""
        return self._request is django_request(request)

    def forget_organization(self) -> None:
        """Call the function of `LOGTO_ORGANIZATION_FROM` again at the next use.

        A check of a requirement does so: a decorator may have set what the function reads since an earlier use.
        """
        self._requested_organization = None

    def _requested_organization_id(self) -> str | None:
        """Return the id of the organization that the URL selects; computed once for the view that Django found."""
        match = getattr(self._request, "resolver_match", None)
        if match is None:
            # The view is not known yet, so the URL has not been parsed.
            return current.requested_organization_id(self._request)
        if self._requested_organization is None or self._requested_organization[0] is not match:
            self._requested_organization = (match, current.requested_organization_id(self._request))
        return self._requested_organization[1]

    def permissions(self, resource: str | None = None, *, organization_id: str | None = None) -> frozenset[str]:
        """Return the permissions on `resource`; see the subclasses."""
        raise NotImplementedError

    def organization_permissions(self, organization_id: str | None = None) -> frozenset[str]:
        """Return the permissions in an organization; see the subclasses."""
        raise NotImplementedError

    async def apermissions(self, resource: str | None = None, *, organization_id: str | None = None) -> frozenset[str]:
        """See `permissions`."""
        return await sync_to_async(self.permissions)(resource, organization_id=organization_id)

    async def aorganization_permissions(self, organization_id: str | None = None) -> frozenset[str]:
        """See `organization_permissions`."""
        return await sync_to_async(self.organization_permissions)(organization_id)
