"""Endpoints for users, which the site calls Logto's Management API for. Needs the extra `drf`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping
from io import BytesIO
from typing import IO, Any, ClassVar

from django.http import HttpRequest
from django.urls import NoReverseMatch
from django.utils.cache import patch_vary_headers
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, ParseError, PermissionDenied, ValidationError
from rest_framework.parsers import JSONParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView, exception_handler

from logto_auth.access.responses import cookie_challenge, is_impersonated, page_of_request
from logto_auth.api.authentication import TokenPrincipal
from logto_auth.api.errors import ErrorResponse
from logto_auth.exceptions import ConfigurationError, LogtoError, SignInRefused, SignInRequired, TokenError
from logto_auth.navigation import SAFE_METHODS
from logto_auth.pages.failures import failure_text, status_of
from logto_auth.pages.refusals import Refusal
from logto_auth.sessions.ending import end_session
from logto_auth.sessions.principal import session_principal
from logto_auth.sign_in.start import absolute_uri, sign_in_url
from logto_auth.transactions import non_atomic

from .rest_framework import LogtoAuthentication

__all__ = [
    "SESSION_REQUIRED",
    "BoundedParser",
    "IsLogtoUser",
    "NotSetUp",
    "StrictFields",
    "TextField",
    "UserAuthentication",
    "UserEndpoint",
    "refuse_token",
    "url_of_sign_in",
    "with_retry_after",
]

logger = logging.getLogger("logto_auth")

# More than a client of these endpoints needs.
MAX_BODY_BYTES = 64 * 1024
SESSION_REQUIRED = ErrorResponse(
    status=403,
    error="session_required",
    description="This is for users who are signed in on the site. An access token is not accepted here.",
)


class UserAuthentication(LogtoAuthentication):
    """Authenticate a user by an access token for the API of the site."""

    accepts_machines = False


class IsLogtoUser(BasePermission):
    """Require a Logto session, or an access token that `check_token` accepts.

    A view names in `session_methods` what no access token may do, and in `public_methods` what needs no sign-in.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True. Raise an error that says what is missing."""
        method = "GET" if request.method == "HEAD" else request.method
        if method in view.public_methods:
            return True
        if isinstance(request.auth, TokenPrincipal):
            if method in view.session_methods:
                refuse_token(request.auth, SESSION_REQUIRED)
            self.check_token(request.auth, view)
        elif not request.user.is_authenticated:
            raise SignInRequired("The endpoint was called without a session and without an access token.")
        elif not session_principal(request._request).is_authenticated:
            raise PermissionDenied(str(view.no_session_text), code="no_logto_session")
        elif method in view.own_methods and is_impersonated(request._request):
            text = _("Only the user may do this. You act as the user now.")
            raise PermissionDenied(text, code="not_during_impersonation")
        return True

    def check_token(self, principal: TokenPrincipal, view: APIView) -> None:
        """Call `refuse_token` if the access token may not be used here."""


def refuse_token(principal: TokenPrincipal, error: ErrorResponse) -> None:
    """Raise PermissionDenied for an access token. `LogtoMiddleware` adds the challenge."""
    principal.error_response = error
    raise PermissionDenied(error.description, code=error.error)


class _TooLarge(APIException):
    status_code = 413
    default_code = "too_large"


class NotSetUp(APIException):
    """The operator has to finish the set-up. The log says what is missing."""

    default_code = "not_set_up"

    def __init__(self, error: ConfigurationError, *, log_name: str, text: str | Promise, status: int) -> None:
        super().__init__(text)
        self.status_code = status
        logger.error("%s: %s", log_name, error)


class BoundedParser(JSONParser):
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


class TextField(serializers.CharField):
    """A JSON string. REST framework's own field also accepts a number."""

    def to_internal_value(self, data: Any) -> str:
        """Return the text. Raise ValidationError."""
        if not isinstance(data, str):
            self.fail("invalid")
        text: str = super().to_internal_value(data)
        return text


class StrictFields:
    """For a serializer of a body. A misspelt optional field must not be ignored, so unknown fields are refused."""

    @property
    def partial(self) -> bool:
        """False: the fields of a PATCH are required too. drf-spectacular would call them optional."""
        return False

    @partial.setter
    def partial(self, value: bool) -> None:
        pass

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the values. Raise ValidationError."""
        fields = self.fields  # type: ignore[attr-defined]
        unknown = sorted(set(data) - set(fields)) if isinstance(data, Mapping) else []
        if unknown:
            raise serializers.ValidationError({name: [_("There is no such field.")] for name in unknown[:10]})
        values: dict[str, Any] = super().to_internal_value(data)  # type: ignore[misc]
        return values


class UserEndpoint(APIView):
    """An endpoint for a user who is signed in through Logto, or whose access token is sent."""

    authentication_classes = [UserAuthentication, SessionAuthentication]
    permission_classes = [IsLogtoUser]
    parser_classes = [BoundedParser]
    renderer_classes = [JSONRenderer]
    session_methods: ClassVar[frozenset[str]] = frozenset()
    """The methods that accept no access token."""
    public_methods: ClassVar[frozenset[str]] = frozenset()
    """The methods that need no sign-in."""
    own_methods: ClassVar[Collection[str]] = frozenset()
    """The methods that staff who act as the user may not use."""
    log_name: ClassVar[str]
    """How a line in the log begins."""
    no_session_text: ClassVar[str | Promise]
    """For a user who is signed in without Logto."""
    not_set_up_text: ClassVar[str | Promise]
    """For users while the operator has not finished the set-up."""

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view. `ATOMIC_REQUESTS` does not apply to it."""
        return non_atomic(super().as_view(**initkwargs))

    def values(self, serializer_class: type[Serializer], data: Any = None) -> dict[str, Any]:
        """Return the checked values of the body, or of `data`. Raise ValidationError."""
        serializer = serializer_class(data=self.request.data if data is None else data)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    def not_set_up(self, error: ConfigurationError, *, status: int) -> NotSetUp:
        """Return the error for a site whose operator has to finish the set-up."""
        return NotSetUp(error, log_name=self.log_name, text=self.not_set_up_text, status=status)

    def refusal_response(self, error: Refusal) -> Response:
        """Return the response to a refusal of the feature, and log one line."""
        return self.refused(error)

    @classmethod
    def refused(cls, error: Refusal, **details: Any) -> Response:
        """Return the response to a refusal, with `details` in its body, and log one line."""
        level = logging.ERROR if error.status >= 500 else logging.INFO
        logger.log(level, "%s: %s (%s)", cls.log_name, error, error.code, extra={"code": error.code})
        body: dict[str, Any] = {"code": error.code, "detail": str(error.visitor_message)}
        if error.field:
            body["fields"] = {error.field: [str(error.visitor_message)]}
        return with_retry_after(Response({**body, **details}, status=error.status), error)

    def failure_text(self, error: LogtoError) -> str | Promise:
        """Return the sentence for the user about a failure of Logto."""
        return failure_text(error, is_change=self.request.method not in SAFE_METHODS)

    def get_exception_handler(self) -> Callable[[Exception, dict[str, Any]], Response | None]:
        """Return the function that makes error responses with a code."""
        return _error_response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Add the headers that keep the response out of caches: it is for one user."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response


def _error_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the response to an error, with `code` and `detail`; None for a fault of the site, which is a 500."""
    view: UserEndpoint = context["view"]
    request: HttpRequest = context["request"]._request
    if isinstance(error, ConfigurationError):
        error = view.not_set_up(error, status=503)
    if isinstance(error, Refusal):
        return view.refusal_response(error)
    if isinstance(error, LogtoError):
        if isinstance(error, SignInRequired | SignInRefused | TokenError):
            return _sign_in_response(request, error)
        return _provider_response(view, error)
    response = exception_handler(error, context)
    if response is not None:
        response.data = _body_of(error, response.data)
    return response


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
    url = url_of_sign_in(request)
    if not url:
        body = {"code": without_token.error, "detail": without_token.description}
    else:
        challenges.append(cookie_challenge(url))
        # A script of the site may know `error` from the other responses to scripts.
        body = {"code": "sign_in_required", "detail": _("Please sign in."), "error": "sign_in_required"}
        body["sign_in_url"] = url
    return Response(body, status=401, headers={"WWW-Authenticate": ", ".join(challenges)})


def url_of_sign_in(request: HttpRequest, **options: str | int) -> str:
    """Return the URL of a sign-in that returns to the page of the request; "" for an API without sign-in."""
    try:
        return absolute_uri(request, sign_in_url(page_of_request(request), **options))
    except NoReverseMatch:
        return ""


def _provider_response(view: UserEndpoint, error: LogtoError) -> Response:
    """Return the response to a failure of Logto. The log has no text of Logto, which may contain an address."""
    logger.error("%s: a call to Logto failed with %s (%s)", view.log_name, error.status, error.code)
    status = status_of(error)
    code = "provider_unreachable" if status == 503 else "provider_error"
    return with_retry_after(Response({"code": code, "detail": view.failure_text(error)}, status=status), error)


def with_retry_after(response: Response, error: LogtoError) -> Response:
    """Add the header that Logto has sent, if it has sent one."""
    # An error of a feature may come from one of Logto.
    for each in (error, error.__cause__):
        seconds = getattr(each, "retry_after_seconds", None)
        if seconds is not None:
            response["Retry-After"] = str(seconds)
    return response
