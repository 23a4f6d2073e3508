"""Responses to requests that are refused: 401 and 403, as a page, or as JSON for scripts."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import get_script_prefix
from django.utils.cache import patch_vary_headers

from logto_auth.sign_in.start import absolute_uri, is_allowed_next, sign_in_url

from .requirements import MissingRequirement

__all__ = [
    "forbidden_response",
    "is_from_script",
    "referring_page",
    "session_ended_response",
    "unauthorized_response",
]


def is_from_script(request: HttpRequest) -> bool:
    """Return whether htmx, fetch or XMLHttpRequest made the request, rather than a navigation in the browser."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        or headers.get("X-Requested-With") == "XMLHttpRequest"
        or headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        or ("text/html" not in headers.get("Accept", "text/html") and "application/json" in headers.get("Accept", ""))
    )


def unauthorized_response(request: HttpRequest, **options: int) -> HttpResponse:
    """Return a 401 with the URL of the sign-in: in JSON for fetch, in `HX-Redirect` for htmx."""
    # A script may belong to another site.
    url = absolute_uri(request, sign_in_url(referring_page(request), **options))
    response = JsonResponse({"error": "sign_in_required", "sign_in_url": url}, status=401)
    if request.headers.get("HX-Request") == "true":
        response["HX-Redirect"] = url
    patch_vary_headers(response, ("Accept", "HX-Request", "Sec-Fetch-Mode", "X-Requested-With"))
    return _with_challenge(response, url)


def session_ended_response(request: HttpRequest) -> HttpResponse:
    """Return a 401 for a request that is not processed because its session has ended."""
    if is_from_script(request):
        return unauthorized_response(request)
    url = sign_in_url(referring_page(request))
    context = {"home": get_script_prefix(), "sign_in_url": url}
    response = render(request, "logto_auth/session_ended.html", context, status=401)
    return _with_challenge(response, url)


def forbidden_response(request: HttpRequest, missing: MissingRequirement | None = None) -> HttpResponse:
    """Return a 403 for a signed-in user, with the requirement that is `missing` if it is known.

    It is for users to whom another sign-in would not give access.
    """
    if is_from_script(request):
        details = {"missing": {missing.kind.value: missing.names}} if missing else {}
        return JsonResponse({"error": "forbidden", **details}, status=403)
    switch_url = sign_in_url(request.get_full_path(), prompt="login")
    context = {"home": get_script_prefix(), "switch_url": switch_url, "user": request.user, "missing": missing}
    return render(request, "logto_auth/forbidden.html", context, status=403)


def referring_page(request: HttpRequest) -> str:
    """Return the URL of the page that contains the script or the form, to return to after a sign-in; "" if unknown."""
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    if not is_allowed_next(request, page):
        return ""
    parts = urlsplit(page)._replace(fragment="")
    return (parts._replace(scheme="", netloc="") if parts.netloc == request.get_host() else parts).geturl()


def _with_challenge(response: HttpResponse, sign_in_url: str) -> HttpResponse:
    # RFC 9110, section 15.5.2, requires a challenge. With this scheme no browser opens a password dialog.
    response["WWW-Authenticate"] = f'Cookie realm="Logto", sign_in_url="{sign_in_url}"'
    response["Cache-Control"] = "no-store"
    return response
