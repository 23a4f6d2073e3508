"""LogtoMiddleware: puts `request.logto` on requests, and keeps redirects to the sign-in from going wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.http import url_has_allowed_host_and_scheme

from .context import LogtoContext
from .sign_in import sign_in_url

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
        request.logto = LogtoContext(request)  # type: ignore[attr-defined]
        if self._is_async:
            return self._acall(request)
        response = cast(HttpResponseBase, self.get_response(request))
        if _asks_to_sign_in(response):
            return _answer(request, response, is_signed_in=request.user.is_authenticated)
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        response = await cast(Awaitable[HttpResponseBase], self.get_response(request))
        if _asks_to_sign_in(response):
            user = await request.auser()
            return _answer(request, response, is_signed_in=user.is_authenticated)
        return response


def _asks_to_sign_in(response: HttpResponseBase) -> bool:
    """Whether this is what `login_required` and its kin answer: a redirect to the sign-in view with `next` alone."""
    if response.status_code not in (302, 303):
        return False
    location = urlsplit(response["Location"])
    is_plain = all(name == REDIRECT_FIELD_NAME for name, _ in parse_qsl(location.query))
    return is_plain and not location.netloc and location.path == reverse("logto_auth:sign-in")


def _answer(request: HttpRequest, response: HttpResponseBase, *, is_signed_in: bool) -> HttpResponseBase:
    if is_signed_in:
        return forbidden_response(request)
    return _unauthorized(request) if is_from_script(request) else response


def is_from_script(request: HttpRequest) -> bool:
    """Whether htmx, fetch or XMLHttpRequest made the request rather than the navigation of a page."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        or headers.get("X-Requested-With") == "XMLHttpRequest"
        or headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        or ("text/html" not in headers.get("Accept", "text/html") and "application/json" in headers.get("Accept", ""))
    )


def _unauthorized(request: HttpRequest) -> HttpResponse:
    """401 that says where to sign in: in JSON for fetch, in `HX-Redirect` for htmx."""
    url = sign_in_url(_page_of(request))
    response = JsonResponse({"error": "sign_in_required", "sign_in_url": url}, status=401)
    response["Cache-Control"] = "no-store"
    # A challenge is required (RFC 9110, section 15.5.2); this one makes no browser ask for a password.
    response["WWW-Authenticate"] = f'Cookie realm="Logto", sign_in_url="{url}"'
    if request.headers.get("HX-Request") == "true":
        response["HX-Redirect"] = url
    patch_vary_headers(response, ("Accept", "HX-Request", "Sec-Fetch-Mode", "X-Requested-With"))
    return response


def _page_of(request: HttpRequest) -> str:
    """The page that the script runs in: what to come back to, rather than the address that the script called."""
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(page)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def forbidden_response(request: HttpRequest) -> HttpResponse:
    """403 for somebody who is signed in and still may not: signing in again would change nothing."""
    if is_from_script(request):
        return JsonResponse({"error": "forbidden"}, status=403)
    switch_url = sign_in_url(request.get_full_path(), prompt="login")
    context: dict[str, Any] = {"switch_url": switch_url, "user": request.user}
    return render(request, "logto_auth/forbidden.html", context, status=403)
