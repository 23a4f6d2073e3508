"""Tests for URLs: whether one is an origin, and whether it leads to the local machine."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

__all__ = ["is_loopback", "is_origin"]


def is_origin(url: str) -> bool:
    """Return whether `url` is an http or https URL with a host and without path, query, fragment or credentials."""
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
    """Return whether the host of `url` is a loopback address, `localhost` or a subdomain of `localhost`."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
