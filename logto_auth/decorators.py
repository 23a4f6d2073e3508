"""What a view can demand, as decorators for sync and async views; shells over `access`. `mixins` has the same for
classes.

The first half is for pages, by the session; the second for APIs, by the access token in the request.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from .access.requirements import Requirement, RequirementKind, signed_in_recently
from .access.responses import forbidden_response, is_from_script, referring_page, unauthorized_response
from .api.authentication import authenticate
from .api.errors import ErrorResponse
from .exceptions import LogtoError, ProviderError
from .sessions.context import SessionPrincipal
from .sessions.revalidate import end_session
from .sign_in.error_page import error_response
from .sign_in.start import sign_in_url

logger = logging.getLogger("logto_auth")

View = Callable[..., Any]
Decorator = Callable[[View], View]
# None when the view may run; else the answer to give in its place.
Check = Callable[[HttpRequest], HttpResponseBase | None]


def checked(check: Check) -> Decorator:
    """A decorator that runs the view unless `check` has another answer. `check` is sync, whatever the view is."""

    def decorate(view: View) -> View:
        if iscoroutinefunction(view):

            @wraps(view)
            async def async_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
                answer = await sync_to_async(check)(request)
                return answer or await cast(Awaitable[HttpResponseBase], view(request, *args, **kwargs))

            return async_view

        @wraps(view)
        def sync_view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            return check(request) or cast(HttpResponseBase, view(request, *args, **kwargs))

        return sync_view

    return decorate


# Pages


def scope_required(*scopes: str) -> Decorator:
    """Run the view only for somebody who holds all these permissions on `LOGTO_API_RESOURCE`.

    Whoever is not signed in goes to Logto; others get a page, and scripts JSON, that says what is missing. Logto is
    asked once, for an access token that is kept as long as it lives. Should Logto be out of reach then, it is a 503.
    """
    return checked(lambda request: demand_session(request, Requirement(scopes=scopes)))


def role_required(*roles: str) -> Decorator:
    """Run the view only for somebody who has one of these global roles; in all else as `scope_required`."""
    return checked(lambda request: demand_session(request, Requirement(roles=roles)))


def organization_required(view: View | None = None) -> View:
    """Run the view only for a member of the current organization, which is `request.logto.organization` then.

    With parentheses or without.
    """
    decorate = checked(lambda request: demand_session(request, Requirement(organization=True)))
    return decorate(view) if view else decorate


def organization_role_required(*roles: str) -> Decorator:
    """Run the view only for somebody who has one of these roles in the current organization."""
    return checked(lambda request: demand_session(request, Requirement(organization_roles=roles)))


def organization_scope_required(*scopes: str) -> Decorator:
    """Run the view only for somebody who holds all these permissions in the current organization."""
    return checked(lambda request: demand_session(request, Requirement(organization_scopes=scopes)))


def demand_session(request: HttpRequest, demand: Requirement) -> HttpResponseBase | None:
    """None when the signed-in person has what is demanded; else the answer to give instead of the view's."""
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    try:
        missing = demand.missing_from(SessionPrincipal(request))
    except ProviderError as error:
        return error_response(request, error, next_url=request.get_full_path())
    except LogtoError as error:
        # Logto or the site stands behind this session no more.
        return end_session(request, error) or redirect_to_login(request.get_full_path())
    if missing is None:
        return None
    if missing.kind is RequirementKind.ORGANIZATION and "organizations" not in SessionPrincipal(request).claims:
        logger.warning("The claims say nothing of organizations: is urn:logto:scope:organizations among LOGTO_SCOPES?")
    return forbidden_response(request, missing)


def recent_sign_in_required(max_age: int = 300) -> Decorator:
    """Run the view only for somebody who has signed in at Logto within `max_age` seconds.

    Others go to Logto, which asks them again if their sign-in there is older, and come back to the page. A form that
    was sent is not carried out: they come back to the page that it is on. Scripts get a 401 that says where to go.
    """
    return checked(lambda request: demand_recent_sign_in(request, max_age))


def demand_recent_sign_in(request: HttpRequest, max_age: int) -> HttpResponseBase | None:
    """None when the visitor has signed in recently enough; else the answer to give instead of the view's."""
    if signed_in_recently(SessionPrincipal(request), max_age):
        return None
    if is_from_script(request):
        return unauthorized_response(request, max_age=max_age)
    page = request.get_full_path() if request.method == "GET" else referring_page(request)
    return HttpResponseRedirect(sign_in_url(page, max_age=max_age))


# APIs


def access_token_required(
    *scopes: str, resource: str | None = None, accepts_machines: bool = True, **demands: Any
) -> Decorator:
    """Run the view only with an access token for `resource`, by default `LOGTO_API_RESOURCE`, that holds all `scopes`.

    The view finds the caller as `request.logto` and `request.auth`, and the account, or a `Machine`, as `request.user`;
    without `accepts_machines` it is for people alone. Further demands are those of `access.Requirement`, such as
    `organization_scopes=["read:books"]`. Sessions do not count, so forms of other sites can do nothing here, and the
    view needs no CSRF token. Refusals are JSON, by RFC 6750.
    """
    return _token_required(
        Requirement.of(scopes=scopes, **demands), resource=resource, accepts_machines=accepts_machines
    )


def organization_token_required(*scopes: str, accepts_machines: bool = True, **demands: Any) -> Decorator:
    """Run the view only with an organization token that holds all `scopes` there; in all else as
    `access_token_required`. When the address names an organization, it has to be the token's."""
    return _token_required(
        Requirement.of(organization=True, organization_scopes=scopes, **demands),
        of_organization=True,
        accepts_machines=accepts_machines,
    )


def _token_required(demand: Requirement, **options: Any) -> Decorator:
    check = checked(lambda request: demand_token(request, demand, **options))
    return lambda view: csrf_exempt(login_not_required(check(view)))


def demand_token(request: HttpRequest, demand: Requirement, **options: Any) -> HttpResponse | None:
    """None when the request has an access token that is good for `demand`; else the answer to give.

    `options` are those of `bearer.authenticate`.
    """
    try:
        caller = authenticate(request, **options)
    except LogtoError as error:
        return _refused(request, ErrorResponse.of(error))
    if caller is None:
        return _refused(request, ErrorResponse.without_token())
    missing = demand.missing_from(caller)
    return _refused(request, ErrorResponse.insufficient(missing)) if missing else None


def _refused(request: HttpRequest, refusal: ErrorResponse) -> HttpResponse:
    body = {"error": refusal.error, "error_description": refusal.description}
    return JsonResponse(body, status=refusal.status, headers=refusal.headers(request))
