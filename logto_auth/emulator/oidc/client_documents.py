"""Fetch the metadata document of a dynamic client, as Logto's engine does, but from loopback addresses only.

Logto refuses these addresses. Its other rules hold here too: https, GET without a redirect, 2.5 seconds, 5 KiB, JSON.
"""

from __future__ import annotations

import json
import ssl
import time
from http.client import HTTPException, HTTPResponse, HTTPSConnection
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 2.5
MAX_BYTES = 5 * 1024
MIN_CACHE_SECONDS, MAX_CACHE_SECONDS = 30, 86400


class FetchFailed(Exception):
    """The document cannot be read. Logto's answer has no reason."""


def is_loopback_url(url: str) -> bool:
    """Return whether the host of the URL is `localhost`, a name below it, or a loopback address."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def fetch_document(url: str) -> tuple[Any, int]:
    """Return the JSON at a loopback URL, and for how many seconds it may be kept. Raise FetchFailed.

    The certificate is not verified: no authority signs one for a loopback address.
    """
    if not is_loopback_url(url):
        raise FetchFailed("The host is no loopback address.")
    deadline = time.monotonic() + TIMEOUT_SECONDS
    parts = urlsplit(url)
    connection = HTTPSConnection(
        (parts.hostname or "").rstrip("."), parts.port, timeout=TIMEOUT_SECONDS, context=_unverified()
    )
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    try:
        connection.request("GET", target, headers={"accept": "application/json", "user-agent": ""})
        response = connection.getresponse()
        if response.status != 200:
            raise FetchFailed(f"The status is {response.status}.")
        text = _read(connection, response, deadline).decode(errors="replace")
        return json.loads(text, parse_constant=_refuse_constant), _cache_seconds(response)
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        raise FetchFailed(type(error).__name__) from error
    finally:
        connection.close()


def _unverified() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _read(connection: HTTPSConnection, response: HTTPResponse, deadline: float) -> bytes:
    """Return the body. Raise FetchFailed if it is too large, or not there before the deadline."""
    if (response.length or 0) > MAX_BYTES:
        raise FetchFailed("The document is too large.")
    body = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise FetchFailed("The answer took too long.")
        if connection.sock is not None:
            connection.sock.settimeout(left)
        chunk = response.read1(MAX_BYTES + 1)
        body += chunk
        if len(body) > MAX_BYTES:
            raise FetchFailed("The document is too large.")
        if not chunk:
            return body


def _cache_seconds(response: HTTPResponse) -> int:
    """Return `max-age`, between half a minute and a day. The emulator does not read `Expires`, so it keeps less."""
    for directive in (response.headers.get("cache-control") or "").split(","):
        name, _, value = directive.strip().partition("=")
        if name.strip().lower() == "max-age" and value.strip().isdecimal():
            return max(MIN_CACHE_SECONDS, min(MAX_CACHE_SECONDS, int(value)))
    return MIN_CACHE_SECONDS


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON.")
