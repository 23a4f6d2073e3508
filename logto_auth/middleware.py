"""LogtoMiddleware: `request.logto`, sessions that Logto still stands behind, and redirects that do not go wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject

from .access.responses import forbidden_response, is_from_script, unauthorized_response
from .api.errors import ErrorResponse
from .sessions.context import SessionPrincipal
from .sessions.revalidate import revalidate_session

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class LogtoMiddleware:
    """Goes right after `AuthenticationMiddleware`. Sync or async, as the site is.

    Views say "sign in first" by a redirect to `LOGIN_URL`. That is right for a page, and wrong in two cases, which get
    an answer of their own: a script cannot follow it to another origin, and somebody who is signed in would be sent
    round in a circle.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        request.logto = SessionPrincipal(request)  # type: ignore[attr-defined]
        _introduce(request)
        if self._is_async:
            return self._acall(request)
        answer = revalidate_session(request) if _may_have_a_session(request) else None
        response = answer or cast(HttpResponseBase, self.get_response(request))
        if _asks_to_sign_in(response):
            return _answer(request, response, is_signed_in=request.user.is_authenticated)
        return _with_refusal(request, response)

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        answer = await sync_to_async(revalidate_session)(request) if _may_have_a_session(request) else None
        response = answer or await cast(Awaitable[HttpResponseBase], self.get_response(request))
        if _asks_to_sign_in(response):
            user = await request.auser()
            return _answer(request, response, is_signed_in=user.is_authenticated)
        return _with_refusal(request, response)


def _introduce(request: HttpRequest) -> None:
    """Let the user of `request` know of `request.logto`: there `LogtoBackend.has_perm` finds the person's scopes."""
    if not hasattr(request, "auser"):
        return  # an API without sessions has no AuthenticationMiddleware
    user, auser = request.user, request.auser

    def introduced(user: Any) -> Any:
        user._logto = request.logto  # type: ignore[attr-defined]
        return user

    async def introduced_later() -> Any:
        return introduced(await auser())

    request.user = SimpleLazyObject(lambda: introduced(user))  # type: ignore[assignment]
    request.auser = introduced_later


def _may_have_a_session(request: HttpRequest) -> bool:
    # Without the cookie there is nothing to look up, and a page for everyone stays free of charge.
    return settings.SESSION_COOKIE_NAME in request.COOKIES and hasattr(request, "session")


def _with_refusal(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response to an API call, with those headers of its refusal that the framework in between has left out."""
    refusal: ErrorResponse | None = getattr(request, "logto_refusal", None)
    if refusal is not None and response.status_code == refusal.status:
        for name, value in refusal.headers(request).items():
            response.headers.setdefault(name, value)
    return response


def _asks_to_sign_in(response: HttpResponseBase) -> bool:
    """Whether this is what `login_required` and its kin answer: a redirect to the sign-in view with `next` alone."""
    if response.status_code not in (302, 303):
        return False
    location = urlsplit(response["Location"])
    is_plain = all(name == REDIRECT_FIELD_NAME for name, _ in parse_qsl(location.query))
    try:
        return is_plain and not location.netloc and location.path == reverse("logto_auth:sign-in")
    except NoReverseMatch:
        return False  # an API, which signs nobody in


def _answer(request: HttpRequest, response: HttpResponseBase, *, is_signed_in: bool) -> HttpResponseBase:
    if is_signed_in:
        return forbidden_response(request)
    return unauthorized_response(request) if is_from_script(request) else response
