"""For Django REST framework: `LogtoAuthentication`, and permissions that say what a token has to be good for.

    class BookViewSet(ModelViewSet):
        authentication_classes = [LogtoAuthentication]
        permission_classes = [HasScope("read:books"), HasScope("write:books", methods=WRITING)]

Needs the extra `drf`.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, cast

try:
    from rest_framework.authentication import BaseAuthentication, SessionAuthentication
    from rest_framework.exceptions import APIException, AuthenticationFailed
    from rest_framework.permissions import SAFE_METHODS, BasePermission
    from rest_framework.request import Request
except ModuleNotFoundError as error:
    raise ImportError(f'This needs {error.name}, which is not installed: pip install "logto_auth[drf]"') from error

from django.http import HttpRequest

from logto_auth.access.requirements import Requirement
from logto_auth.api.authentication import TokenPrincipal, authenticate
from logto_auth.api.errors import ErrorResponse
from logto_auth.exceptions import LogtoError, ProviderError
from logto_auth.sessions.context import SessionPrincipal

if TYPE_CHECKING:
    # REST framework's views import what its settings name, which is this module.
    from rest_framework.views import APIView

READING = frozenset(SAFE_METHODS)
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class LogtoAuthentication(BaseAuthentication):
    """Authenticates by an access token for this site's API resource.

    `request.user` is the account or a `Machine`, `request.auth` and `request.logto` the `TokenPrincipal`. Put it
    first among `authentication_classes`, so that a request without a token is told how to bring one.
    """

    resource: str | None = None
    """The indicator of the API; None: `LOGTO_API_RESOURCE`."""
    of_organization = False
    accepts_machines = True
    """Whether applications may call in their own name, by `client_credentials`."""

    def authenticate(self, request: Request) -> tuple[Any, TokenPrincipal] | None:
        try:
            caller = authenticate(
                _django_request(request),
                resource=self.resource,
                of_organization=self.of_organization,
                accepts_machines=self.accepts_machines,
            )
        except LogtoError as error:
            raise _exception(request, ErrorResponse.of(error)) from error
        return None if caller is None else (caller.user, caller)

    def authenticate_header(self, request: Request) -> str:
        refusal: ErrorResponse | None = getattr(_django_request(request), "logto_refusal", None)
        if refusal is None or refusal.status != 401:
            refusal = ErrorResponse.without_token()
        return refusal.challenge(_django_request(request))


class LogtoOrganizationAuthentication(LogtoAuthentication):
    """The same by an organization token, whose audience is an organization and whose scopes are permissions in it."""

    of_organization = True


class Refused(APIException):
    """A refusal other than 401, with its headers."""

    def __init__(self, refusal: ErrorResponse, request: HttpRequest) -> None:
        super().__init__(detail=refusal.description, code=refusal.error)
        self.status_code = refusal.status
        if refusal.retry_after_seconds is None:
            self.auth_header = refusal.challenge(request)
        else:
            self.wait = refusal.retry_after_seconds


def _exception(request: Request, refusal: ErrorResponse) -> APIException:
    """What REST framework makes the answer of. It asks `authenticate_header` for the header of a 401."""
    django_request = _django_request(request)
    django_request.logto_refusal = refusal  # type: ignore[attr-defined]
    if refusal.status == 401:
        return AuthenticationFailed(refusal.description, code=refusal.error)
    return Refused(refusal, django_request)


def _django_request(request: Request) -> HttpRequest:
    return cast(HttpRequest, request._request)


class DemandPermission(BasePermission):
    """Grants what meets its demand. Make one by the functions below; `|`, `&` and `~` work as for any other."""

    demand = Requirement()
    methods: Collection[str] | None = None
    """The methods that the demand is for; None: all."""

    @classmethod
    def is_for(cls, method: str) -> bool:
        """Whether the demand is for requests by `method`. What answers GET answers HEAD as well."""
        return cls.methods is None or method in cls.methods or (method == "HEAD" and "GET" in cls.methods)

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not self.is_for(request.method):
            return True
        principal = _principal(request)
        if principal is None:
            return False
        try:
            missing = self.demand.missing_from(principal)
        except ProviderError as error:
            raise _exception(request, ErrorResponse.of(error)) from error
        except LogtoError:
            # The session behind the request has ended.
            return False
        if missing is None:
            return True
        refusal = ErrorResponse.insufficient(missing)
        django_request = _django_request(request)
        # For the challenge, which the middleware adds: only the view knows whether another permission will do. The
        # page with forms asks for other methods than the request's as well.
        if request.method == django_request.method:
            django_request.logto_refusal = refusal  # type: ignore[attr-defined]
        self.message, self.code = refusal.description, refusal.error
        return False


def _principal(request: Request) -> TokenPrincipal | SessionPrincipal | None:
    """Who is asked: whom the token names, or the session if it was what authenticated the request."""
    if isinstance(request.auth, TokenPrincipal):
        return request.auth
    by_session = isinstance(request.successful_authenticator, SessionAuthentication)
    return SessionPrincipal(_django_request(request)) if by_session else None


def HasScope(*scopes: str, methods: Collection[str] | None = None) -> type[DemandPermission]:
    """A permission class: all these permissions on the API resource."""
    return _permission(Requirement(scopes=scopes), methods)


def HasRole(*roles: str, methods: Collection[str] | None = None) -> type[DemandPermission]:
    """A permission class: any of these global roles, as this site knows them from the person's last sign-in here."""
    return _permission(Requirement(roles=roles), methods)


def HasOrganizationScope(*scopes: str, methods: Collection[str] | None = None) -> type[DemandPermission]:
    """A permission class: all these permissions in the organization of the token, which the address may name too."""
    return _permission(Requirement(organization_scopes=scopes), methods)


def HasOrganizationRole(*roles: str, methods: Collection[str] | None = None) -> type[DemandPermission]:
    """A permission class: any of these roles in the organization, as this site knows them."""
    return _permission(Requirement(organization_roles=roles), methods)


def _permission(demand: Requirement, methods: Collection[str] | None) -> type[DemandPermission]:
    if methods is not None:
        methods = frozenset(name.upper() for name in ([methods] if isinstance(methods, str) else methods))
    return type("DemandPermission", (DemandPermission,), {"demand": demand, "methods": methods})


class IsOrganizationMember(DemandPermission):
    """The token is an organization's, or was given in its name; of the one in the address, if that names one."""

    demand = Requirement(organization=True)


class IsUser(BasePermission):
    """Somebody with an account calls, and no machine: `request.user` is an instance of the user model."""

    message = "This is for people, and the access token is a machine's."

    def has_permission(self, request: Request, view: APIView) -> bool:
        is_machine = isinstance(request.auth, TokenPrincipal) and request.auth.is_machine
        return bool(request.user and request.user.is_authenticated and not is_machine)
