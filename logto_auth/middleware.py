"""LogtoMiddleware: `request.logto`, the revalidation of sessions, and correct responses for scripts and API calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import FileResponse, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import NoReverseMatch, reverse

from . import backends  # noqa: F401  (so that a server imports it before the first request, and before it forks)
from .access.principal import Principal
from .access.responses import forbidden_response, is_impersonated, page_of_request, unauthorized_response
from .impersonation.banner import add_banner, needs_banner, prefer_whole_pages
from .navigation import is_from_script
from .sessions.impersonation import set_impersonation
from .sessions.impersonation_check import forget_ended_impersonation
from .sessions.principal import request_principal
from .sessions.revalidate import extend_session, restore_after_rollback, revalidate_session
from .sign_in.start import sign_in_url
from .telemetry import API_REFUSALS, code_for_attribute
from .users import current_request

__all__ = ["LogtoMiddleware"]

GetResponse = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class LogtoMiddleware:
    """Put it anywhere after `AuthenticationMiddleware`. It works under WSGI and ASGI.

    Views require a sign-in by a redirect to `LOGIN_URL`. The middleware replaces that redirect in two cases: a script
    cannot follow it to Logto and gets a 401, and a signed-in user who lacks a permission gets a 403, because the
    sign-in view would send them back to the same page.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        principal = request_principal(request)
        set_impersonation(request, None)
        if self._is_async:
            return self._acall(request, principal)
        token = current_request.current_request.set(request)
        try:
            refusal = revalidate_session(request) if _may_have_session(request) else None
            if is_impersonated(request):
                prefer_whole_pages(request)
            response = refusal or cast(HttpResponseBase, self.get_response(request))
            if _requires_sign_in(response):
                response = _replaced(request, response, is_signed_in=request.user.is_authenticated)
            else:
                if _may_extend_session(request):
                    extend_session(request, principal)
                response = _completed(request, response)
            if getattr(request, "must_not_be_stored", False):
                _complete_support_access(request, response)
            return response
        finally:
            restore_after_rollback(principal)
            current_request.current_request.reset(token)

    async def _acall(self, request: HttpRequest, principal: Principal) -> HttpResponseBase:
        token = current_request.current_request.set(request)
        try:
            refusal = await sync_to_async(revalidate_session)(request) if _may_have_session(request) else None
            if is_impersonated(request):
                prefer_whole_pages(request)
            response = refusal or await cast(Awaitable[HttpResponseBase], self.get_response(request))
            if _requires_sign_in(response):
                user = await request.auser()
                replace = sync_to_async(_replaced)  # the page may need the database
                response = await replace(request, response, is_signed_in=user.is_authenticated)
            else:
                if _may_extend_session(request):
                    await sync_to_async(extend_session)(request, principal)
                response = _completed(request, response)
            if getattr(request, "must_not_be_stored", False):
                complete = sync_to_async(_complete_support_access)  # the template of the banner needs the database
                await complete(request, response)
            return response
        finally:
            if getattr(principal, "has_refreshed_in_transaction", False):
                await sync_to_async(restore_after_rollback)(principal)
            current_request.current_request.reset(token)


def _may_have_session(request: HttpRequest) -> bool:
    # Without a key there is no session to look up, so public pages cost no query. The key may come from elsewhere than
    # Django's cookie.
    session = getattr(request, "session", None)
    return session is not None and session.session_key is not None


def _may_extend_session(request: HttpRequest) -> bool:
    # Django saves a session that was modified, and then it may live longer.
    return getattr(getattr(request, "session", None), "modified", False)


def _complete_support_access(request: HttpRequest, response: HttpResponseBase) -> None:
    """Support access: keep the page of another person, with its banner, out of caches, and an ended session unsaved."""
    # "private" keeps Django's cache from storing it.
    response.headers["Cache-Control"] = "no-store, private"
    if needs_banner(request, response):
        add_banner(request, response)
    if is_impersonated(request) and (settings.SESSION_SAVE_EVERY_REQUEST or _may_extend_session(request)):
        forget_ended_impersonation(request)


def _completed(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Return `response` with the headers that an API framework left out. Keep the request while a stream is sent."""
    error = request.logto.error_response  # type: ignore[attr-defined]
    if error is not None and response.status_code == error.status:
        API_REFUSALS.add(code=code_for_attribute(error.error))
        for name, value in error.headers(request).items():
            response.headers.setdefault(name, value)
    if getattr(response, "streaming", False) and not isinstance(response, FileResponse):
        _keep_request_while_streaming(request, response)
    return response


def _keep_request_while_streaming(request: HttpRequest, response: Any) -> None:
    # Only Django's own class has `is_async`; other streaming responses are sync.
    keep = current_request.astream if getattr(response, "is_async", False) else current_request.stream
    response.streaming_content = keep(request, response.streaming_content)


def _requires_sign_in(response: HttpResponseBase) -> bool:
    """Return whether this is the response of `login_required`: a redirect to the sign-in view without options."""
    if response.status_code not in (302, 303):
        return False
    location = urlsplit(response["Location"])
    is_plain = all(name == REDIRECT_FIELD_NAME for name, _ in parse_qsl(location.query))
    try:
        return is_plain and not location.netloc and location.path == reverse("logto_auth:sign-in")
    except NoReverseMatch:
        return False  # an API without sign-in


def _replaced(request: HttpRequest, response: HttpResponseBase, *, is_signed_in: bool) -> HttpResponseBase:
    """Return a 403 or a 401 in place of the redirect `response`, or the redirect, which leads back to a page."""
    if is_signed_in:
        return forbidden_response(request)
    if is_from_script(request):
        return unauthorized_response(request)
    next_url = dict(parse_qsl(urlsplit(response["Location"]).query)).get(REDIRECT_FIELD_NAME)
    if next_url == request.get_full_path():
        # Django's own choice, also for a form, whose URL cannot be opened as a page.
        response["Location"] = sign_in_url(page_of_request(request))
    return response
