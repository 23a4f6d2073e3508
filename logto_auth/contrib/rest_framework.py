"""Django REST framework: `LogtoAuthentication`, and permission classes for scopes, roles, organizations and more.

    class BookViewSet(ModelViewSet):
        authentication_classes = [LogtoAuthentication]
        permission_classes = [HasScope("read:books"), HasScope("write:books", methods=WRITING)]

Needs the extra `drf`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

try:
    from rest_framework.authentication import BaseAuthentication, SessionAuthentication
    from rest_framework.exceptions import APIException, AuthenticationFailed, PermissionDenied
    from rest_framework.permissions import AND, SAFE_METHODS, BasePermission, BasePermissionMetaclass
    from rest_framework.request import Request
except ModuleNotFoundError as error:
    raise ImportError(f'This needs {error.name}, which is not installed: pip install "logto_auth[drf]"') from error

from django.apps import apps
from django.http import HttpRequest
from django.views.generic import View

from logto_auth.access import MissingRequirement, Principal, Requirement, RequirementKind, SecondFactor
from logto_auth.access.responses import cookie_challenge, page_of_request
from logto_auth.access.second_factor import second_factor_url
from logto_auth.api.authentication import ApiKeyPrincipal, TokenPrincipal, authenticate
from logto_auth.api.errors import ErrorResponse
from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError, LogtoError, ProviderError
from logto_auth.oidc.authentication_methods import SECOND_FACTORS
from logto_auth.sessions.principal import request_principal, session_principal
from logto_auth.sign_in.start import absolute_uri

if TYPE_CHECKING:
    # REST framework's views import the classes in its settings, and those are in this module.
    from rest_framework.views import APIView

__all__ = [
    "READING",
    "WRITING",
    "HasOrganizationRole",
    "HasOrganizationScope",
    "HasRole",
    "HasScope",
    "HasSecondFactor",
    "IsClient",
    "IsFirstParty",
    "IsOrganizationMember",
    "IsUser",
    "LogtoAuthentication",
    "LogtoOrganizationAuthentication",
    "RequirementPermission",
]

READING = frozenset(SAFE_METHODS)
WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
METHODS = frozenset(name.upper() for name in View.http_method_names)


class LogtoAuthentication(BaseAuthentication):
    """Authenticate by an access token for this site's API resource.

    `request.user` is the account or a `Machine`; `request.auth` and `request.logto` are the `TokenPrincipal`. Put it
    first in `authentication_classes`: then a request without a token gets a 401 that says how to send one.
    """

    resource: str | None = None
    """The indicator of the API; None: `LOGTO_API_RESOURCE`."""
    of_organization: bool | None = False
    """Whether the token must be an organization token; None: both kinds are accepted."""
    accepts_machines = True
    """Whether applications may call with their own tokens, by `client_credentials`."""
    accepts_api_keys = False
    """Whether an API key of a user (`pat_...`) is accepted in place of the token.

    It gets those permissions of its user that the view's permission classes name for the method of the request.
    """
    key_scopes: Collection[str] = ()
    """Further permissions for API keys: those that the view checks elsewhere than in permission classes."""

    def authenticate(self, request: Request) -> tuple[Any, TokenPrincipal] | None:
        key_scopes = self._key_scopes(request) if self.accepts_api_keys else ()
        try:
            principal = authenticate(
                _django_request(request),
                resource=self.resource,
                of_organization=self.of_organization,
                accepts_machines=self.accepts_machines,
                accepts_api_keys=self.accepts_api_keys,
                key_scopes=key_scopes,
            )
        except LogtoError as error:
            # Not with the scopes: the view may look at the user to select its permissions.
            raise _exception(request, ErrorResponse.of(error).for_view(resource=self.resource)) from error
        if isinstance(principal, ApiKeyPrincipal):
            # Later: the view may look at the user to select its permissions.
            principal.narrow_scopes(lambda: [*self.key_scopes, *_named_scopes_of_view(request)])
        return None if principal is None else (principal.user, principal)

    def _key_scopes(self, request: Request) -> set[str]:
        """Return all permissions that an API key may have in the view, for any method and user."""
        view = request.parser_context.get("view")
        classes = () if view is None else view.permission_classes
        names = {*self.key_scopes, *named_scopes(classes)}
        if self.of_organization:
            return names
        # `get_permissions` may name others than the attribute does.
        return names.union(conf.declared_api_resources.get(self.resource or conf.api_resource, ()))

    def authenticate_header(self, request: Request) -> str:
        django_request = _django_request(request)
        error: ErrorResponse | None = request_principal(django_request).error_response
        if error is None or error.status != 401:
            # `LogtoMiddleware` adds the other headers.
            error = ErrorResponse.without_token().for_view(resource=self.resource)
        error = request_principal(django_request).error_response = error.for_view(scopes=_scopes_of_view(request))
        return error.challenge(django_request)


class LogtoOrganizationAuthentication(LogtoAuthentication):
    """Authenticate by an organization token: its audience is an organization, its scopes are permissions in it."""

    of_organization = True


class _Refused(APIException):
    """An `ErrorResponse` with its headers. For a 401 of an authenticator, REST framework has a class of its own."""

    def __init__(self, error: ErrorResponse, request: HttpRequest) -> None:
        super().__init__(detail=error.description, code=error.error)
        self.status_code = error.status
        if error.retry_after_seconds is None:
            self.auth_header = error.challenge(request)
        else:
            self.wait = error.retry_after_seconds


def _exception(request: Request, error: ErrorResponse) -> APIException:
    """Return the exception for `error`. For a 401, REST framework calls `authenticate_header` for the header."""
    django_request = _django_request(request)
    request_principal(django_request).error_response = error
    if error.status == 401:
        return AuthenticationFailed(error.description, code=error.error)
    return _Refused(error, django_request)


class _SecondFactorRequired(APIException):
    """The 401 for a session without the second factor: with the URL of the page that asks for one."""

    status_code = 401

    def __init__(self, error: ErrorResponse, url: str) -> None:
        super().__init__({"detail": error.description, "error": error.error, "sign_in_url": url}, code=error.error)
        self.auth_header = cookie_challenge(url)


def _django_request(request: Request) -> HttpRequest:
    return cast(HttpRequest, request._request)


class _Negatable(BasePermissionMetaclass):
    """`~` of a class is a class that refuses anonymous requests too. REST framework's own `~` would allow them."""

    def __invert__(cls) -> type[RequirementPermission]:
        return type(cls.__name__, (cls,), {"is_negated": not cls.is_negated})


class RequirementPermission(BasePermission, metaclass=_Negatable):
    """Grant access to authenticated users and machines if a requirement is met; with `~`, if it is not met.

    The functions below make subclasses; `|` and `&` work as usual. Anonymous requests are refused with every method.
    """

    requirement = Requirement()
    methods: Collection[str] | None = None
    """The methods that the requirement applies to; None: all. With others, all authenticated callers have access."""
    is_negated = False
    _description: str | None = None
    _missing_factor: tuple[Request, MissingRequirement, SecondFactor] | None = None

    @property
    def message(self) -> str | None:
        """The description of the refusal. REST framework reads it when it refuses the request by this permission.

        Raise the 401 for a missing second factor: REST framework itself answers 403 to each permission. Within `&` and
        `|` it does not read this, and the 403 remains.
        """
        if self._missing_factor is not None:
            raise _second_factor_exception(*self._missing_factor)
        return self._description

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Normalize `methods`. Raise ValueError for a name that is no HTTP method: its requirement would not apply."""
        super().__init_subclass__(**kwargs)
        if cls.methods is None:
            return
        cls.methods = frozenset(
            name.upper() for name in ([cls.methods] if isinstance(cls.methods, str) else cls.methods)
        )
        if not cls.methods or not cls.methods <= METHODS:
            raise ValueError(f"methods is {sorted(cls.methods)}, expected some of {', '.join(sorted(METHODS))}.")

    @classmethod
    def applies_to(cls, method: str) -> bool:
        """Return whether the requirement applies to `method`. A requirement for GET applies to HEAD too."""
        return cls.methods is None or method in cls.methods or (method == "HEAD" and "GET" in cls.methods)

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not (request.user and request.user.is_authenticated):
            return False
        if not self.applies_to(request.method):
            return True
        principal = _principal(request)
        if principal is None:
            return False
        try:
            missing = self.requirement.missing_from(principal, _resource_of_view(request))
        except ProviderError as error:
            raise _exception(request, ErrorResponse.of(error)) from error
        except LogtoError as error:
            # The session of the request has ended. No other permission may grant access instead.
            raise PermissionDenied from error
        if self.is_negated:
            return missing is not None
        if missing is None:
            return True
        response = _for_view(request, ErrorResponse.insufficient(missing))
        # `LogtoMiddleware` adds the challenge to a 403: only the view knows whether another permission suffices.
        _remember(request, replace(response, status=403))
        # The text for tokens is wrong for the user of a session, whom the browsable API shows it.
        is_token = isinstance(request.auth, TokenPrincipal)
        self._description, self.code = response.description if is_token else str(missing), response.error
        if missing.kind is RequirementKind.SECOND_FACTOR and self.requirement.second_factor:
            self._missing_factor = (request, missing, self.requirement.second_factor)
        return False


def required_scopes(permissions: Iterable[Any], method: str) -> tuple[str, ...]:
    """Return the scopes that the permissions of a view require in any case: no negated ones, and no alternatives."""
    return tuple(dict.fromkeys(_required_scopes(permissions, method)))


def _required_scopes(permissions: Iterable[Any], method: str) -> Iterator[str]:
    for permission in permissions:
        if isinstance(permission, AND):
            yield from _required_scopes([permission.op1, permission.op2], method)
        elif isinstance(permission, RequirementPermission) and permission.applies_to(method):
            yield from () if permission.is_negated else permission.requirement.all_scopes


def named_scopes(permissions: Iterable[Any], method: str | None = None) -> Iterator[str]:
    """Yield the scopes that permissions of a view name: alternatives and negated ones too, for `method` or for all.

    Yield those of classes, and those of instances.
    """
    for permission in permissions:
        if isinstance(getattr(permission, "requirement", None), Requirement):
            if method is None or permission.applies_to(method):
                yield from permission.requirement.all_scopes
            continue
        # Of `&`, `|` and `~`: of instances, and of classes.
        names = ("op1", "op2", "op1_class", "op2_class")
        operands = [getattr(permission, name) for name in names if hasattr(permission, name)]
        yield from named_scopes(operands, method)


def _named_scopes_of_view(request: Request) -> tuple[str, ...]:
    view = request.parser_context.get("view")
    return () if view is None else tuple(named_scopes(view.get_permissions(), request.method))


def _for_view(request: Request, error: ErrorResponse) -> ErrorResponse:
    return error.for_view(scopes=_scopes_of_view(request), resource=_resource_of_view(request))


def _scopes_of_view(request: Request) -> tuple[str, ...]:
    view = request.parser_context.get("view")
    return () if view is None else required_scopes(view.get_permissions(), request.method)


def _resource_of_view(request: Request) -> str | None:
    """Return the API resource for whose tokens the view is; None: `LOGTO_API_RESOURCE`."""
    authenticators = (request.successful_authenticator, *request.authenticators)
    return next((each.resource for each in authenticators if isinstance(each, LogtoAuthentication)), None)


def _remember(request: Request, error: ErrorResponse) -> None:
    django_request = _django_request(request)
    # The browsable API checks other methods than that of the request too.
    if request.method == django_request.method:
        request_principal(django_request).error_response = error


def _second_factor_exception(
    request: Request, missing: MissingRequirement, second_factor: SecondFactor
) -> APIException:
    """Return the exception for a request that lacks only the second factor (RFC 9470, section 3)."""
    django_request = _django_request(request)
    if isinstance(request.auth, TokenPrincipal):
        error = _for_view(request, ErrorResponse.insufficient(missing))
        _remember(request, error)
        return _Refused(error, django_request)
    try:
        url = second_factor_url(page_of_request(django_request), second_factor)
    except ConfigurationError:
        # An API without sign-in: no session of it has a second factor.
        return PermissionDenied(str(missing))
    error = ErrorResponse(status=401, error="second_factor_required", description=str(missing))
    _remember(request, error)
    return _SecondFactorRequired(error, absolute_uri(django_request, url))


def _principal(request: Request) -> Principal | None:
    """Return the principal of the access token, or of the session if that authenticated the request."""
    if isinstance(request.auth, TokenPrincipal):
        return request.auth
    by_session = isinstance(request.successful_authenticator, SessionAuthentication)
    if not by_session:
        return None
    principal = session_principal(_django_request(request))
    principal.forget_organization()
    return principal


def HasScope(scope: str, *scopes: str, methods: Collection[str] | None = None) -> type[RequirementPermission]:
    """Return a permission class that requires all these permissions on the API resource."""
    return _permission(Requirement(scopes=(scope, *scopes)), methods)


def HasRole(*roles: str, methods: Collection[str] | None = None) -> type[RequirementPermission]:
    """Return a permission class that requires one of these global roles, as of the user's latest sign-in here."""
    return _permission(Requirement(roles=roles), methods)


def HasOrganizationScope(
    scope: str, *scopes: str, methods: Collection[str] | None = None
) -> type[RequirementPermission]:
    """Return a permission class that requires all these permissions in the current organization."""
    return _permission(Requirement(organization_scopes=(scope, *scopes)), methods)


def HasOrganizationRole(*roles: str, methods: Collection[str] | None = None) -> type[RequirementPermission]:
    """Return a permission class that requires one of these roles in the current organization."""
    return _permission(Requirement(organization_roles=roles), methods)


def IsClient(client_id: str, *client_ids: str, methods: Collection[str] | None = None) -> type[RequirementPermission]:
    """Return a permission class that requires one of these applications: App IDs, or URLs of clients.

    A session belongs to the application `LOGTO_APP_ID`. Raise ValueError for a value that is no `client_id`.
    """
    return _permission(Requirement(clients=(client_id, *client_ids)), methods)


def HasSecondFactor(*names: str, methods: Collection[str] | None = None) -> type[RequirementPermission]:
    """Return a permission class that requires a sign-in with a second factor: with one of these, by default any.

    Without it the response is a 401; as a part of `&` and `|`, a 403. Raise ValueError for a name that is no second
    factor.
    """
    return _permission(Requirement(second_factor=SecondFactor(methods=names or SECOND_FACTORS)), methods)


def _permission(requirement: Requirement, methods: Collection[str] | None) -> type[RequirementPermission]:
    attributes = {"requirement": requirement, "methods": methods}
    return type("RequirementPermission", (RequirementPermission,), attributes)


class IsOrganizationMember(RequirementPermission):
    """Require a current organization: that of the token, or of the session. It must be the one in the URL, if any."""

    requirement = Requirement(organization=True)


class IsFirstParty(RequirementPermission):
    """Refuse third-party applications. A session belongs to this site, so it is accepted."""

    requirement = Requirement(third_party=False)


class IsUser(BasePermission):
    """Require a user with an account, not a machine: `request.user` is an instance of the user model."""

    message = "This API is for users, and the access token belongs to a machine-to-machine application."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, TokenPrincipal) and request.auth.is_machine:
            error = ErrorResponse(status=403, error="machine_refused", description=self.message)
            request.auth.error_response = _for_view(request, error)
            return False
        return bool(request.user and request.user.is_authenticated)


# Register what drf-spectacular writes about these classes. Both need REST framework, which a command should not have to
# import when it starts. By name, because that module imports this one.
if apps.is_installed("drf_spectacular"):
    import_module("logto_auth.contrib.spectacular")
