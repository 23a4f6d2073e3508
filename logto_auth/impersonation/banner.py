"""The banner of support access: on each page, staff see as which user they act, and can leave.

A page shows it where its template has `{% logto_impersonation_banner %}`. `LogtoMiddleware` inserts it into other
pages, right after the start of the body (`LOGTO_IMPERSONATION_BANNER`).
"""

from __future__ import annotations

import logging
import re
import secrets
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.cache import patch_vary_headers
from django.utils.safestring import SafeString
from django.utils.timezone import get_current_timezone, now

from logto_auth.conf import conf
from logto_auth.navigation import SAFE_METHODS, is_boosted, is_from_script
from logto_auth.pages.navigation import optional_url

__all__ = ["add_banner", "needs_banner", "of_request", "prefer_whole_pages", "render_banner", "time_of"]

logger = logging.getLogger("logto_auth")

TEMPLATE = "logto_auth/impersonation/banner.html"
# The attribute of the request with the mark of the banner that its template has rendered.
MARK = "_logto_impersonation_banner"
# A browser, a proxy or a CDN would show a page again by these headers, with a banner or without.
STORING_HEADERS = ("ETag", "Last-Modified", "Expires", "Surrogate-Control", "CDN-Cache-Control")
CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")
# What precedes the body may contain the text "<body", but not as a tag: comments, and elements whose content is text.
BEFORE_BODY = re.compile(r"<(?:(!--)|(script|style|title|textarea|noscript|template)(?=[\s/>])|(body)(?=[\s/>]))", re.I)
# HTML, section 13.2.5: "<!-->" and "<!--->" are whole comments, and "--!>" ends one too.
END_OF_COMMENT = re.compile(r"(?<=<!--)-?>|--!?>")
REST_OF_TAG = re.compile(r"""(?:[^"'>]|"[^"]*"|'[^']*')*>""")


def of_request(request: HttpRequest) -> Any:
    """Return the impersonation of `request`, None without one, or if the request did not pass `LogtoMiddleware`."""
    return getattr(request, "impersonation", None)


def render_banner(
    request: HttpRequest, context: dict[str, Any] | None = None, *, is_inserted: bool = False
) -> SafeString:
    """Return the banner; "" if staff do not act as a user in `request`. `context` is that of the template around it."""
    impersonation = of_request(request)
    if impersonation is None:
        return SafeString()
    mark = secrets.token_hex(8)
    setattr(request, MARK, mark)
    # Django stores no response of this request in its cache: neither the decorator `cache_page` nor the middleware.
    request._cache_update_cache = False  # type: ignore[attr-defined]
    ends_at = time_of(impersonation.ends_at)
    values = {
        **(context or {}),
        "impersonation": impersonation,
        "ends_at": ends_at,
        "ends_today": ends_at.date() == now().astimezone(ends_at.tzinfo).date(),
        "is_inserted": is_inserted,
        "leave_url": optional_url("logto_impersonation:leave"),
        "mark": mark,
        "stylesheet": _stylesheet(),
        "csrf_token": get_token(request),
    }
    try:
        return SafeString(render_to_string(TEMPLATE, values, request))
    except Exception:
        # A context processor of the site may need what has failed: this may be the page that says so.
        logger.exception("The banner of support access is rendered without the context processors of the site.")
        return SafeString(render_to_string(TEMPLATE, values))


def time_of(seconds: float) -> datetime:
    """Return a time in seconds since the epoch as a datetime in the current time zone, also with `USE_TZ = False`."""
    return datetime.fromtimestamp(seconds, get_current_timezone())


def prefer_whole_pages(request: HttpRequest) -> None:
    """Remove the conditions of a request of support access.

    A 304 would show a page without the banner that the browser has stored.
    """
    if request.method in SAFE_METHODS:
        for name in CONDITIONS:
            request.META.pop(name, None)


def needs_banner(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Return whether `response` is a page that staff see while they act as a user."""
    return of_request(request) is not None and _is_html(response)


def add_banner(request: HttpRequest, response: Any) -> None:
    """Insert the banner into a page that lacks it; see `needs_banner`. No cache may show the page again.

    The middleware has set `Cache-Control` already.
    """
    if conf.impersonation_banner and _is_whole_page(request, response) and not _has_banner(request, response):
        _insert(request, response)
    for name in STORING_HEADERS:
        if name in response:
            del response[name]
    patch_vary_headers(response, ("Cookie",))


def _is_html(response: HttpResponseBase) -> bool:
    return response.get("Content-Type", "").partition(";")[0].strip().lower() == "text/html"


def _is_whole_page(request: HttpRequest, response: Any) -> bool:
    """Return whether the browser shows `response` as a page, and its content can be changed."""
    return (
        not getattr(response, "streaming", False)
        and response.status_code not in (204, 206, 304)
        and "Content-Encoding" not in response
        and not response.get("Content-Disposition", "").strip().lower().startswith("attachment")
        and (not is_from_script(request) or is_boosted(request))
    )


def _has_banner(request: HttpRequest, response: Any) -> bool:
    # The mark is new in each request: a page cannot hide the banner with a copy of it.
    mark: str = getattr(request, MARK, "")
    return bool(mark) and mark.encode() in response.content


def _insert(request: HttpRequest, response: Any) -> None:
    # UTF-16 and UTF-32 are the only encodings of the web in which a tag does not consist of the bytes of ASCII.
    encoding = response.charset if response.charset.lower().startswith(("utf-16", "utf-32")) else "latin-1"
    try:
        page = response.content.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        return
    position = body_start(page)
    if position is None:
        return
    # In ASCII, the banner suits each encoding of the page.
    banner = render_banner(request, is_inserted=True).encode("ascii", "xmlcharrefreplace").decode("ascii")
    response.content = f"{page[:position]}{banner}{page[position:]}".encode(encoding)
    if "Content-Length" in response:
        response["Content-Length"] = str(len(response.content))


def body_start(page: str) -> int | None:
    """Return the position after the tag `<body>` of `page`; None if it has none. The time is linear."""
    position = 0
    while found := BEFORE_BODY.search(page, position):
        comment, element, _body = found.groups()
        if comment or element:
            end = (END_OF_COMMENT if comment else re.compile(f"</{element}", re.I)).search(page, found.end())
            if end is None:
                return None
            position = end.end()
        else:
            tag = REST_OF_TAG.match(page, found.end())
            return tag.end() if tag else None
    return None


def _stylesheet() -> str:
    try:
        return static("logto_auth/impersonation.css")
    except ValueError:
        # The manifest of the static files lacks it: `collectstatic` has not run since the update.
        logger.error('The static file "logto_auth/impersonation.css" is missing. Run manage.py collectstatic.')
        return ""
