"""Addresses of sites: what is an origin, and what leads back to the machine that follows it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_origin(url: str) -> bool:
    """Whether `url` is http or https, with a host, and nothing behind it."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (raises for a port that is not a number)
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and parts.path in ("", "/")
        and not (parts.query or parts.fragment or "@" in parts.netloc)
    )


def is_loopback(url: str) -> bool:
    """Whether `url` leads to the machine that follows it."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
