"""Responses to requests that are refused: 401 and 403, as a page, or as JSON for scripts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers

from logto_auth.conf import conf
from logto_auth.navigation import SAFE_METHODS, VARYING_HEADERS, is_boosted, is_from_htmx, is_from_script
from logto_auth.sign_in.next_url import is_allowed_next
from logto_auth.sign_in.page import add_headers, render_page
from logto_auth.sign_in.start import absolute_uri, sign_in_url

from .principal import Principal
from .requirements import MissingRequirement, RequirementKind

__all__ = [
    "cookie_challenge",
    "forbidden_json",
    "forbidden_response",
    "impersonation_ended_response",
    "impersonation_json",
    "is_impersonated",
    "not_during_impersonation_response",
    "page_of_request",
    "prefetch_response",
    "read_only_response",
    "session_ended_response",
    "sign_in_page",
    "unauthorized_response",
]


def prefetch_response() -> HttpResponse:
    """Return an empty 403 for a prefetch. The browser discards it, and asks again when the user clicks.

    Browsers keep a response with a status from 200 to 299 only (WICG, Prefetch). For a status of 500 or more, Django
    would mail the administrators.
    """
    response = HttpResponse(status=403)
    add_headers(response)
    return response


def unauthorized_response(
    request: HttpRequest, url: str = "", *, error: str = "sign_in_required", **options: str | int
) -> HttpResponse:
    """Return a 401 with the URL of the sign-in: in JSON for fetch, in `HX-Redirect` for htmx.

    `url` replaces the URL of a sign-in with `options` that returns to the page of the request. `error` is in the JSON.
    """
    # A script may belong to another site.
    url = absolute_uri(request, url or sign_in_url(page_of_request(request), **options))
    response = _json(request, {"error": error, "sign_in_url": url}, status=401)
    if is_from_htmx(request):
        response["HX-Redirect"] = url
    return _with_challenge(response, url)


def session_ended_response(request: HttpRequest) -> HttpResponse:
    """Return a 401 for a request that is not processed because its session has ended."""
    if is_from_script(request):
        return unauthorized_response(request)
    url = sign_in_url(page_of_request(request))
    return _with_challenge(render_page(request, "session_ended.html", {"sign_in_url": url}, status=401), url)


# Support access: staff act as a user


def is_impersonated(request: HttpRequest) -> bool:
    """Return whether staff act as the user of the request."""
    return getattr(request, "impersonation", None) is not None


def impersonation_json(request: HttpRequest, error: str, *, status: int, url: str = "") -> HttpResponse:
    """Return the refusal of a request of a script, with the URL of the page that it leads to."""
    data = {"error": error}
    if url:
        data["support_access_url"] = absolute_uri(request, url)
    response = _json(request, data, status=status)
    if status == 401:
        response["WWW-Authenticate"] = 'Cookie realm="Logto"'
    if url and is_from_htmx(request):
        response["HX-Redirect"] = url
    return response


def impersonation_ended_response(request: HttpRequest, url: str, *, is_signed_in: bool) -> HttpResponse:
    """Return the page for a form that is not processed, because staff no longer act as the user who was to send it."""
    context = {"page_url": url, "is_signed_in": is_signed_in}
    return render_page(request, "impersonation_ended.html", context, status=403)


def read_only_response(request: HttpRequest) -> HttpResponse:
    """Return the page for a form that is not processed, because staff who act as a user may only look."""
    return render_page(request, "impersonation_refused.html", {"is_read_only": True}, status=403)


def not_during_impersonation_response(request: HttpRequest) -> HttpResponse:
    """Return a 403 for what only the user may do: a page, or JSON for scripts."""
    if is_from_script(request) and not is_boosted(request):
        return impersonation_json(request, "not_during_impersonation", status=403)
    return render_page(request, "impersonation_refused.html", {}, status=403)


def sign_in_page(request: HttpRequest, url: str) -> HttpResponse:
    """Return the page that Turbo and Unpoly show in place of a redirect to Logto, which they cannot follow.

    Its link leads to `url`. Turbo opens `url` without a click, but only from a page with the status 200.
    """
    return render_page(request, "sign_in_required.html", {"sign_in_url": url})


def forbidden_response(request: HttpRequest, missing: MissingRequirement | None = None) -> HttpResponse:
    """Return a 403 for a signed-in user, with the requirement that is `missing` if it is known.

    It offers a new sign-in, unless the user has just signed in: Logto adds permissions that the user has got since the
    latest one, and shows no page. A redirect there would be a loop for users who have not.
    """
    if is_from_script(request) and not is_boosted(request):
        return forbidden_json(request, missing)
    switch_url = sign_in_url(page_of_request(request), prompt="login")
    context = {
        "renew_url": _renew_url(request, missing),
        "switch_url": switch_url,
        "user": request.user,
        "missing": missing,
    }
    response = render_page(request, "forbidden.html", context, status=403)
    if is_boosted(request) and request.method == "GET":
        # htmx 2 shows no page with this status. The browser itself does.
        response["HX-Redirect"] = request.get_full_path()
    return response


def forbidden_json(request: HttpRequest, missing: MissingRequirement | None = None) -> HttpResponse:
    """Return the 403 of `forbidden_response` for a script, also to a request that does not look like one."""
    details: dict[str, Any] = {"missing": {missing.kind.value: missing.names}} if missing else {}
    if renew_url := _renew_url(request, missing):
        details["sign_in_url"] = absolute_uri(request, renew_url)
    return _json(request, {"error": "forbidden", **details}, status=403)


def _renew_url(request: HttpRequest, missing: MissingRequirement | None) -> str:
    """Return the URL of the new sign-in that a 403 offers; "" if it offers none."""
    if _may_gain_by_sign_in(request, missing) and "prompt" in conf.sign_in_query_parameters:
        return sign_in_url(page_of_request(request), prompt="consent")
    return ""


def _may_gain_by_sign_in(request: HttpRequest, missing: MissingRequirement | None) -> bool:
    if missing is not None and missing.kind is RequirementKind.CLIENT:
        # The next session would belong to the same application.
        return False
    principal: Principal | None = getattr(request, "logto", None)
    return principal is not None and principal.may_gain_by_sign_in


def page_of_request(request: HttpRequest) -> str:
    """Return the URL of the page to show after a sign-in: the requested page.

    For a form and for a part of a page, it is the page that contains it; "" if that is unknown.
    """
    is_part = (is_from_script(request) and not is_boosted(request)) or "Turbo-Frame" in request.headers
    return _referring_page(request) if is_part or request.method not in SAFE_METHODS else request.get_full_path()


def _referring_page(request: HttpRequest) -> str:
    page = request.headers.get("HX-Current-URL") or request.headers.get("Referer", "")
    if not is_allowed_next(request, page):
        return ""
    parts = urlsplit(page)._replace(fragment="")
    return (parts._replace(scheme="", netloc="") if parts.netloc == request.get_host() else parts).geturl()


def _json(request: HttpRequest, data: dict[str, Any], status: int) -> JsonResponse:
    response = JsonResponse(data, status=status)
    add_headers(response)
    if is_from_htmx(request):
        # htmx 4 would show the JSON.
        response["HX-Reswap"] = "none"
    patch_vary_headers(response, VARYING_HEADERS)
    return response


def _with_challenge(response: HttpResponse, sign_in_url: str) -> HttpResponse:
    response["WWW-Authenticate"] = cookie_challenge(sign_in_url)
    return response


def cookie_challenge(sign_in_url: str) -> str:
    """Return the value of `WWW-Authenticate` of a 401 for a request without an access token.

    RFC 9110, section 15.5.2, requires a challenge. With this scheme no browser opens a password dialog.
    """
    return f'Cookie realm="Logto", sign_in_url="{sign_in_url}"'
