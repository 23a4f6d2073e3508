"""Tests for URLs: whether one is an origin, and whether it leads to the local machine or to a private network."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

__all__ = ["is_loopback", "is_origin", "is_public_address", "is_public_host"]

# Names of the local machine and of local networks (RFC 6761, RFC 6762, RFC 8375), and one that is used for them.
LOCAL_DOMAINS = (".localhost", ".local", ".internal", ".home.arpa")


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


def is_public_host(host: str) -> bool:
    """Return whether `host` may be public, by its form alone.

    It is not if it is a loopback, private or other special address, a name without a dot, or a name of a local network.
    """
    try:
        return is_public_address(host)
    except ValueError:
        return "." in host and not host.endswith(LOCAL_DOMAINS)


def is_public_address(text: str) -> bool:
    """Return whether an IP address is public. Raise ValueError if it is not an address."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_global) and not address.is_multicast
