"""Decorators for sync and async views. `mixins` has the same for class-based views; the rules are in `access`.

The first half is for pages and checks the session; the second half is for APIs and checks the access token.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import wraps
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from .access.requirements import Requirement, RequirementKind, SecondFactor, signed_in_recently
from .access.responses import (
    forbidden_response,
    is_impersonated,
    not_during_impersonation_response,
    page_of_request,
    unauthorized_response,
)
from .access.second_factor import second_factor_response
from .account.verification import require_verification
from .api.authentication import authenticate
from .api.errors import ErrorResponse
from .conf import conf
from .exceptions import LogtoError, ProviderError
from .navigation import is_from_script
from .oidc.authentication_methods import SECOND_FACTORS
from .sessions.ending import end_session
from .sessions.principal import session_principal
from .sign_in.error_page import error_response
from .sign_in.start import sign_in_url
from .telemetry import API_REFUSALS, code_for_attribute

__all__ = [
    "access_token_required",
    "checked",
    "organization_required",
    "organization_role_required",
    "organization_scope_required",
    "organization_token_required",
    "recent_sign_in_required",
    "require_recent_sign_in",
    "require_session",
    "require_token",
    "role_required",
    "scope_required",
    "second_factor_required",
    "verification_required",
]

logger = logging.getLogger("logto_auth")

View = Callable[..., Any]
Decorator = Callable[[View], View]
# Returns None if the view may run, else the response to send instead.
Check = Callable[[HttpRequest], HttpResponseBase | None]


def checked(check: Check) -> Decorator:
    """Return a decorator that runs the view unless `check` returns a response. `check` is always sync."""

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):

            @wraps(view)
            async def async_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
                response = await sync_to_async(check)(request)
                return response or await cast(Awaitable[HttpResponseBase], view(request, *args, **kwargs))

            return async_view

        @wraps(view)
        def sync_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return check(request) or cast(HttpResponseBase, view(request, *args, **kwargs))

        return sync_view

    return decorate


# Pages


def scope_required(scope: str, *scopes: str) -> Decorator:
    """Run the view only for a user who has all these permissions on `LOGTO_API_RESOURCE`.

    A visitor who is not signed in is sent to Logto. Other users get a 403 that says what is missing: a page, or JSON
    for scripts. The permissions come from an access token, which is fetched once and kept until it expires. If Logto
    cannot be reached then, the response is a 503.
    """
    return _session_required(Requirement(scopes=(scope, *scopes)))


def role_required(*roles: str) -> Decorator:
    """Run the view only for a user who has one of these global roles. Responses as for `scope_required`."""
    return _session_required(Requirement(roles=roles))


def organization_required(view: View | None = None) -> View:
    """Run the view only for a member of the current organization, which is `request.logto.organization`.

    Works with and without parentheses.
    """
    decorate = _session_required(Requirement(organization=True))
    return decorate(view) if view else decorate


def organization_role_required(*roles: str) -> Decorator:
    """Run the view only for a user who has one of these roles in the current organization."""
    return _session_required(Requirement(organization_roles=roles))


def organization_scope_required(scope: str, *scopes: str) -> Decorator:
    """Run the view only for a user who has all these permissions in the current organization."""
    return _session_required(Requirement(organization_scopes=(scope, *scopes)))


def second_factor_required(
    view: View | None = None, *, max_age: int | None = None, methods: Sequence[str] = SECOND_FACTORS
) -> View:
    """Run the view only for a user who has signed in at Logto with a second factor: with one of `methods`.

    Other users are sent to a page that asks Logto for one, and return to the page. A form is not processed: they return
    to the page that contains it. Scripts get a 401 with the URL of that page. With `max_age`, the sign-in with the
    second factor must be at most that many seconds ago. Works with and without parentheses.

    Raise ValueError for a method that is no second factor. The view raises ConfigurationError if `LOGTO_SECOND_FACTOR`
    is False.
    """
    decorate = _session_required(Requirement(second_factor=SecondFactor.of(methods, max_age)))
    return decorate(view) if view else decorate


def _session_required(requirement: Requirement) -> Decorator:
    return _marked(requirement, checked(lambda request: require_session(request, requirement)))


def _marked(requirement: Requirement, decorate: Decorator) -> Decorator:
    """Return `decorate`, which then marks views that require a second factor, for the system check."""
    if requirement.second_factor is None:
        return decorate

    def marking(view: View) -> View:
        decorated = decorate(view)
        decorated.requires_second_factor = True  # type: ignore[attr-defined]
        return decorated

    return marking


def require_session(request: HttpRequest, requirement: Requirement) -> HttpResponseBase | None:
    """Return None if the signed-in user meets `requirement`, else the response to send instead of the view's."""
    if not request.user.is_authenticated:
        # One sign-in with the second factor, in place of one without it and another one.
        if requirement.second_factor is not None:
            return second_factor_response(request, requirement.second_factor)
        return redirect_to_login(request.get_full_path())
    principal = session_principal(request)
    principal.forget_organization()
    try:
        missing = requirement.missing_from(principal)
    except ProviderError as error:
        return error_response(request, error, next_url=request.get_full_path())
    except LogtoError as error:
        # The session has ended at Logto, or the site refuses the user.
        return end_session(request, error) or redirect_to_login(request.get_full_path())
    if missing is None:
        return None
    if missing.kind is RequirementKind.SECOND_FACTOR and requirement.second_factor:
        return second_factor_response(request, requirement.second_factor)
    if missing.kind is RequirementKind.ORGANIZATION and "organizations" not in principal.claims:
        logger.warning("The claims do not contain organizations. Is urn:logto:scope:organizations in LOGTO_SCOPES?")
    return forbidden_response(request, missing)


def recent_sign_in_required(max_age: int = 300) -> Decorator:
    """Run the view only for a user who has signed in at Logto within `max_age` seconds.

    Other users are sent to Logto, which asks for credentials if their sign-in there is older, and return to the page. A
    form is not processed: they return to the page that contains it. Scripts get a 401 with the URL of the sign-in. With
    `LOGTO_SECOND_FACTOR`, Logto always asks, so that it reports the second factor of that sign-in.
    """
    return checked(lambda request: require_recent_sign_in(request, max_age))


def require_recent_sign_in(request: HttpRequest, max_age: int) -> HttpResponseBase | None:
    """Return None if the user has signed in recently enough, else the response to send instead of the view's."""
    if signed_in_recently(session_principal(request), max_age):
        return None
    if is_impersonated(request):
        return not_during_impersonation_response(request)
    options: dict[str, Any] = {"max_age": max_age}
    if conf.second_factor:
        # After a sign-in without a page, Logto 1.42 no longer reports the second factor.
        options["prompt"] = "login"
    if is_from_script(request):
        return unauthorized_response(request, **options)
    return HttpResponseRedirect(sign_in_url(page_of_request(request), **options))


def verification_required(view: View | None = None) -> View:
    """Run the view only for a user who has just proved who they are: by their password, or a code to their address.

    Other users are sent to the page of the verification, and return to the page. A form is not processed: they return
    to the page that contains it. The proof counts for 10 minutes, in this session only. Scripts get a 401 with the URL
    of the page. Works with and without parentheses.

    The site's URLs must include `logto_auth.account.urls`, otherwise the view raises ConfigurationError.
    """

    def decorate(view: View) -> View:
        decorated = checked(require_verification)(view)
        decorated.requires_verification = True  # type: ignore[attr-defined]  # for the system check
        return decorated

    return decorate(view) if view else decorate


# APIs


def access_token_required(
    *scopes: str,
    resource: str | None = None,
    accepts_machines: bool = True,
    accepts_api_keys: bool = False,
    **requirements: Any,
) -> Decorator:
    """Run the view only with an access token for `resource`, by default `LOGTO_API_RESOURCE`, that has all `scopes`.

    In the view, `request.logto` and `request.auth` are the `TokenPrincipal`, and `request.user` is the account or a
    `Machine`; with `accepts_machines=False`, tokens of machines are refused. With `accepts_api_keys=True`, an API key
    of a user (`pat_...`) is accepted in place of the token, with no more permissions than the view names.
    `requirements` are further arguments of `access.Requirement`, such as `organization_scopes=["read:books"]` or
    `third_party=False`. A session does not authenticate the request, so the view is exempt from the CSRF check. Errors
    are JSON, with the status and the challenge of RFC 6750.
    """
    return _token_required(
        Requirement.of(scopes=scopes, **requirements),
        resource=resource,
        accepts_machines=accepts_machines,
        accepts_api_keys=accepts_api_keys,
    )


def organization_token_required(
    *scopes: str, accepts_machines: bool = True, accepts_api_keys: bool = False, **requirements: Any
) -> Decorator:
    """Run the view only with an organization token that has all `scopes`, which are permissions in the organization.

    If the URL selects an organization, it must be that of the token. With `accepts_api_keys=True` the URL must select
    one for an API key, because a key belongs to none. See `access_token_required` for everything else.
    """
    return _token_required(
        Requirement.of(organization=True, organization_scopes=scopes, **requirements),
        of_organization=True,
        accepts_machines=accepts_machines,
        accepts_api_keys=accepts_api_keys,
    )


def _token_required(requirement: Requirement, **options: Any) -> Decorator:
    requirement = requirement.for_token()
    check = _marked(requirement, checked(lambda request: require_token(request, requirement, **options)))

    def decorate(view: View) -> View:
        decorated: View = csrf_exempt(login_not_required(check(view)))
        # For the system checks.
        decorated.api_resource = options.get("resource")  # type: ignore[attr-defined]
        decorated.accepts_api_keys = options["accepts_api_keys"]  # type: ignore[attr-defined]
        decorated.of_organization = options.get("of_organization", False)  # type: ignore[attr-defined]
        if requirement.third_party is False:
            decorated.refuses_third_parties = True  # type: ignore[attr-defined]
        return decorated

    return decorate


def require_token(request: HttpRequest, requirement: Requirement, **options: Any) -> HttpResponse | None:
    """Return None if the request has an access token that meets `requirement`, else the response to send.

    `options` are those of `api.authenticate`; `key_scopes` are those of the requirement.
    """
    error = _token_error(request, requirement, options)
    if error is None:
        return None
    API_REFUSALS.add(code=code_for_attribute(error.error))
    error = error.for_view(scopes=requirement.all_scopes, resource=options.get("resource"))
    body = {"error": error.error, "error_description": error.description}
    return JsonResponse(body, status=error.status, headers=error.headers(request))


def _token_error(request: HttpRequest, requirement: Requirement, options: Mapping[str, Any]) -> ErrorResponse | None:
    try:
        principal = authenticate(request, key_scopes=requirement.all_scopes, **options)
    except LogtoError as error:
        return ErrorResponse.of(error)
    if principal is None:
        return ErrorResponse.without_token()
    return ErrorResponse.unmet(requirement.for_token(), principal)
