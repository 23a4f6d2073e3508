"""How a browser made a request, by the headers that it sent: as a navigation, as a prefetch, or by a script.

All of them can be forged by a program, but not by a page of another site: browsers do not let scripts set `Sec-`
headers, and ask this site before they send other headers of a script on another site. The IP address is that of the
connection.
"""

from __future__ import annotations

import ipaddress

from django.http import HttpRequest

__all__ = [
    "SAFE_METHODS",
    "VARYING_HEADERS",
    "client_network",
    "has_access_token",
    "ip_address",
    "is_boosted",
    "is_fetch",
    "is_from_htmx",
    "is_from_page_library",
    "is_from_script",
    "is_navigation",
    "is_prefetch",
    "is_same_origin_fetch",
]

# RFC 6052, section 2.1: all IPv4 clients of a server that has only IPv6.
IPV4_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
SAFE_METHODS = {"GET", "HEAD", "OPTIONS", "TRACE"}
# The headers that decide whether a script gets JSON.
VARYING_HEADERS = ("Accept", "HX-Request", "Sec-Fetch-Mode", "X-Requested-With", "X-Turbo-Request-Id", "X-Up-Version")


def ip_address(request: HttpRequest) -> str | None:
    """Return the IP address of the client, None if `REMOTE_ADDR` is not one.

    Headers such as X-Forwarded-For are ignored: a client can send them. A site behind a proxy sets `REMOTE_ADDR`.
    """
    try:
        return str(ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")))
    except ValueError:
        return None


def client_network(request: HttpRequest) -> str:
    """Return what a limit by address counts: the IPv4 address, or the /64 of an IPv6 address, which one client has.

    Return "" if `REMOTE_ADDR` is no address, such as behind a Unix socket. See `ip_address` for proxies.
    """
    text = ip_address(request)
    address = ipaddress.ip_address(text) if text else None
    if not isinstance(address, ipaddress.IPv6Address):
        return text or ""
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    if address in IPV4_TRANSLATED:
        return str(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    # Without the zone, such as %eth0.
    return str(ipaddress.IPv6Network((int(address), 64), strict=False))


def is_navigation(request: HttpRequest) -> bool:
    """Return whether the browser opens the URL as a page: no frame, no script, no image.

    The destination is `empty` if a service worker passes the navigation on. Browsers before 2023 send no such headers.
    Source: Fetch Metadata Request Headers (W3C), sections 2.1 and 2.2.
    """
    mode, destination = request.headers.get("Sec-Fetch-Mode"), request.headers.get("Sec-Fetch-Dest")
    return mode in (None, "navigate") and destination in (None, "document", "empty")


def has_access_token(request: HttpRequest) -> bool:
    """Return whether the request brings a bearer token. No form and no link of another site can do so."""
    return request.headers.get("Authorization", "").lower().startswith("bearer ")


def is_prefetch(request: HttpRequest) -> bool:
    """Return whether the browser requests the URL in advance, without a click: a prefetch or a prerendering.

    Source: Fetch (WHATWG), `Sec-Purpose`. Older browsers send one of the other headers.
    """
    purposes = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    return any(purpose.startswith(("prefetch", "preview")) for purpose in purposes)


def is_from_script(request: HttpRequest) -> bool:
    """Return whether htmx, fetch or XMLHttpRequest made the request, rather than a navigation in the browser.

    False for Turbo and Unpoly, which show the page of the response like a browser.
    """
    # The headers are not kept in a variable: error reports would show its value, with the access token.
    accepted = request.headers.get("Accept", "text/html")
    return not is_from_page_library(request) and (
        is_from_htmx(request)
        or request.headers.get("X-Requested-With") == "XMLHttpRequest"
        or request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        or ("text/html" not in accepted and "application/json" in accepted)
    )


def is_fetch(request: HttpRequest) -> bool:
    """Return whether a script made the request to read the response, rather than for a frame or an image."""
    return is_from_script(request) and request.headers.get("Sec-Fetch-Dest", "empty") == "empty"


def is_same_origin_fetch(request: HttpRequest, *, base_url: str = "") -> bool:
    """Return whether a script on a page of this origin made the request, to read the response.

    The browser says so itself. Browsers before 2023, and those of sites without https, name only the origin of the
    page, which must then be that of the request or `base_url`. A request that names neither did not come from a script.
    Source: Fetch Metadata Request Headers (W3C), sections 2.1 to 2.4; Fetch (WHATWG), `Origin`.
    """
    if request.headers.get("Sec-Fetch-Mode", "cors") not in ("cors", "same-origin"):
        return False
    if request.headers.get("Sec-Fetch-Dest", "empty") != "empty":
        return False
    if "Sec-Fetch-Site" in request.headers:
        return request.headers["Sec-Fetch-Site"] == "same-origin"
    own = {f"{request.scheme}://{request.get_host()}".lower(), base_url.rstrip("/").lower()}
    return request.headers.get("Origin", "null").lower() in own


def is_from_page_library(request: HttpRequest) -> bool:
    """Return whether Turbo or Unpoly made the request: a script that shows a page, but cannot follow it to Logto."""
    return "X-Turbo-Request-Id" in request.headers or "X-Up-Version" in request.headers


def is_from_htmx(request: HttpRequest) -> bool:
    """Return whether htmx made the request."""
    return request.headers.get("HX-Request") == "true"


def is_boosted(request: HttpRequest) -> bool:
    """Return whether htmx made the request in place of a navigation (`hx-boost`)."""
    return is_from_htmx(request) and request.headers.get("HX-Boosted") == "true"
