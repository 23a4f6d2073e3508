"""What all endpoints of the console have in common: who may call them, what they read, and their error responses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cached_property
from io import BytesIO
from typing import IO, Any, ClassVar

from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, ParseError, PermissionDenied, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView, exception_handler

from logto_auth.access import MissingRequirement, RequirementKind
from logto_auth.access.responses import cookie_challenge, page_of_request
from logto_auth.api.authentication import TokenPrincipal
from logto_auth.api.errors import ErrorResponse
from logto_auth.contrib.rest_framework import LogtoAuthentication
from logto_auth.exceptions import (
    ConfigurationError,
    LogtoError,
    ProviderError,
    SignInRefused,
    SignInRequired,
    TokenError,
)
from logto_auth.navigation import SAFE_METHODS
from logto_auth.sessions.ending import end_session
from logto_auth.sessions.principal import request_principal, session_principal
from logto_auth.sign_in.start import absolute_uri, sign_in_url
from logto_auth.tenant.organization_console import Guard
from logto_auth.transactions import non_atomic

from .api_serializers import OwnOrganizationSerializer
from .console import Console, ManagedOrganization
from .errors import AlreadyInvited, ConsoleError, Incomplete, NotPermitted
from .pages.texts import CONSOLE_IS_OFF, NOT_MANAGED, error_text, status_of
from .values import OwnOrganization

__all__ = [
    "ConsoleAuthentication",
    "ConsoleParser",
    "ConsoleView",
    "IsConsoleUser",
    "OrganizationView",
    "console_error_response",
]

logger = logging.getLogger("logto_auth")

# The longest body that a client needs is a list of roles.
MAX_BODY_BYTES = 64 * 1024
SESSION_REQUIRED = ErrorResponse(
    status=403,
    error="session_required",
    description="This is for users who are signed in on the site. An access token is not accepted here.",
)


class ConsoleAuthentication(LogtoAuthentication):
    """Authenticate a user by an organization token, or by an access token for the API of the site."""

    of_organization = None
    accepts_machines = False


class IsConsoleUser(BasePermission):
    """Require a Logto session, or an access token for the organization in the URL.

    A view names in `session_methods` what no access token may do, and in `public_methods` what needs no sign-in.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True. Raise an error that says what is missing."""
        method = "GET" if request.method == "HEAD" else request.method
        if method in view.public_methods:
            return True
        if isinstance(request.auth, TokenPrincipal):
            _check_token(
                request.auth, view.kwargs.get("organization_id"), is_accepted=method not in view.session_methods
            )
        elif not request.user.is_authenticated:
            raise SignInRequired("The endpoint was called without a session and without an access token.")
        elif not session_principal(request._request).is_authenticated:
            raise PermissionDenied(NOT_MANAGED.text, code="no_logto_session")
        return True


def _check_token(principal: TokenPrincipal, organization_id: str | None, *, is_accepted: bool) -> None:
    """Raise PermissionDenied if an access token may not be used here. `LogtoMiddleware` adds the challenge."""
    error = None
    if not is_accepted:
        error = SESSION_REQUIRED
    elif principal.organization_id is None or organization_id not in (None, principal.organization_id):
        error = ErrorResponse.insufficient(MissingRequirement(kind=RequirementKind.ORGANIZATION))
    if error is not None:
        principal.error_response = error
        raise PermissionDenied(error.description, code=error.error)


class _TooLarge(APIException):
    status_code = 413
    default_code = "too_large"


class _NotSetUp(APIException):
    """The console is off, or the tenant lacks something. The log says what is missing."""

    default_code = "not_set_up"

    def __init__(self, error: ConfigurationError, *, status: int) -> None:
        super().__init__(CONSOLE_IS_OFF.text)
        self.status_code = status
        logger.error("Organization console: %s", error)


class ConsoleParser(JSONParser):
    """Read a JSON body that is neither too long nor too deeply nested."""

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the value. Raise ParseError, or the error for a body that is too long."""
        content = stream.read(MAX_BODY_BYTES + 1)
        if len(content) > MAX_BODY_BYTES:
            raise _TooLarge(_("The request is too large."))
        # JSON is UTF-8 (RFC 8259, section 8.1). Django accepts all codecs of Python in `Content-Type`, such as `zip`.
        context = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            return super().parse(BytesIO(content), media_type, context)
        except RecursionError as error:
            raise ParseError from error


class ConsoleView(APIView):
    """An endpoint of the console."""

    authentication_classes = [ConsoleAuthentication, SessionAuthentication]
    permission_classes = [IsConsoleUser]
    parser_classes = [ConsoleParser]
    renderer_classes = [JSONRenderer]
    session_methods: ClassVar[frozenset[str]] = frozenset()
    """The methods that accept no access token."""
    public_methods: ClassVar[frozenset[str]] = frozenset()
    """The methods that need no sign-in."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view. `ATOMIC_REQUESTS` does not apply to it."""
        return non_atomic(super().as_view(**initkwargs))

    @cached_property
    def console(self) -> Console:
        """The console for the user of the request. Raise an error with the status 404 if the site has none."""
        try:
            return Console(self.request._request)
        except ConfigurationError as error:
            raise _NotSetUp(error, status=404) from error

    def values(self, serializer_class: type[Serializer], data: Any = None) -> dict[str, Any]:
        """Return the checked values of the body, or of `data`. Raise ValidationError."""
        serializer = serializer_class(data=self.request.data if data is None else data)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    def joined(self, organization: OwnOrganization) -> dict[str, Any]:
        """Return the JSON about an organization that the user has just joined, with the URL of a sign-in.

        Logto gives a session the permissions of API resources at a sign-in only. The URL is empty if the user has got
        no such permission.
        """
        url = ""
        try:
            if self.console.needs_round_trip(organization.roles):
                url = _sign_in_url(self.request._request, prompt="consent")
        except LogtoError as error:
            # The change is done. The permissions follow at the next sign-in.
            logger.warning("Organization console: a call to Logto failed with %s (%s)", error.status, error.code)
        return {**OwnOrganizationSerializer(organization).data, "sign_in_url": url}

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Return the function that makes error responses with a code."""
        return error_response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the headers that keep the response out of caches: it has names and e-mail addresses."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response


class OrganizationView(ConsoleView):
    """An endpoint of one organization, whose id is in the URL."""

    @cached_property
    def organization(self) -> ManagedOrganization:
        """The organization in the URL. Raise NotAMember."""
        return self.console.organization(self.kwargs["organization_id"])


def error_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response to an error, with `code` and `detail`; None for a fault of the site, which is a 500."""
    request: HttpRequest = context["request"]._request
    if isinstance(error, ConfigurationError):
        # Such as a role of the declaration that the tenant does not have.
        error = _NotSetUp(error, status=503)
    if isinstance(error, ConsoleError):
        if isinstance(error, NotPermitted) and isinstance(principal := request_principal(request), TokenPrincipal):
            _name_scope(principal, context["view"].console.rules.guards.get(error.right))
        return console_error_response(error)
    if isinstance(error, SignInRequired | SignInRefused | TokenError):
        return _sign_in_response(request, error)
    if isinstance(error, LogtoError):
        return _provider_response(request, error)
    response = exception_handler(error, context)
    if response is not None:
        response.data = _body_of(error, response.data)
    return response


def console_error_response(error: ConsoleError, **details: Any) -> Response:
    """Return the response to a refusal of the console, and log one line."""
    level = logging.ERROR if error.status >= 500 else logging.INFO
    logger.log(level, "Organization console: %s (%s)", error, error.code, extra={"code": error.code})
    body: dict[str, Any] = {"code": error.code, "detail": str(error.visitor_message)}
    if error.field:
        body["fields"] = {error.field: [str(error.visitor_message)]}
    if isinstance(error, AlreadyInvited):
        body["invitation_id"] = error.invitation_id
    if isinstance(error, Incomplete):
        body["done"] = [str(each) for each in error.done]
    return _with_retry_after(Response({**body, **details}, status=error.status), error)


def _name_scope(principal: TokenPrincipal, guard: Guard) -> None:
    """Let `LogtoMiddleware` add the challenge that names the missing permission, if a permission guards the right."""
    if isinstance(guard, str):
        missing = MissingRequirement(kind=RequirementKind.ORGANIZATION_SCOPE, names=(guard,))
        principal.error_response = ErrorResponse.insufficient(missing)


def _body_of(error: Exception, data: Any) -> dict[str, Any]:
    """Return the body for an error of REST framework, which would be `data`."""
    if isinstance(error, ValidationError):
        fields = data if isinstance(data, dict) else {"non_field_errors": data}
        return {"code": "invalid", "detail": _("Some values are not valid."), "fields": fields}
    return {"code": getattr(data["detail"], "code", "error"), **data}


def _sign_in_response(request: HttpRequest, error: LogtoError) -> Response:
    """Return the 401 for a request without a session, or whose session has ended at Logto."""
    if session_principal(request).is_authenticated:
        end_session(request, error)
    without_token = ErrorResponse.without_token()
    challenges = [without_token.challenge(request)]
    url = _sign_in_url(request)
    if not url:
        body = {"code": without_token.error, "detail": without_token.description}
    else:
        challenges.append(cookie_challenge(url))
        # A script of the site may know `error` from the other responses to scripts.
        body = {"code": "sign_in_required", "detail": _("Please sign in."), "error": "sign_in_required"}
        body["sign_in_url"] = url
    return Response(body, status=401, headers={"WWW-Authenticate": ", ".join(challenges)})


def _sign_in_url(request: HttpRequest, **options: str) -> str:
    """Return the URL of a sign-in that returns to the page of the request; "" for an API without sign-in."""
    try:
        return absolute_uri(request, sign_in_url(page_of_request(request), **options))
    except NoReverseMatch:
        return ""


def _provider_response(request: HttpRequest, error: LogtoError) -> Response:
    """Return the response to a failure of Logto. The log has no text of Logto, which may contain an address."""
    logger.error("Organization console: a call to Logto failed with %s (%s)", error.status, error.code)
    if request.method not in SAFE_METHODS:
        detail = error_text(error)
    elif isinstance(error, ProviderError):
        detail = _("Logto does not respond. Please try again in a few minutes.")
    else:
        detail = _("Logto sent a response that this site cannot use. Please try again in a few minutes.")
    status = status_of(error)
    code = "provider_unreachable" if status == 503 else "provider_error"
    return _with_retry_after(Response({"code": code, "detail": detail}, status=status), error)


def _with_retry_after(response: Response, error: LogtoError) -> Response:
    """Add the header that Logto has sent, if it has sent one."""
    # An error of the console may come from one of Logto.
    for each in (error, error.__cause__):
        seconds = getattr(each, "retry_after_seconds", None)
        if seconds is not None:
            response["Retry-After"] = str(seconds)
    return response
