"""The outbound guard: Logto's OIDC engine connects to public addresses only.

Logto switches it off with `OIDC_PROVIDER_SSRF_PROTECTION_DISABLED`. Webhooks are not subject to it.
"""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit


def is_blocked(url: str) -> bool:
    """Return whether the host of the URL is, or resolves to, a loopback, private or other special address."""
    try:
        found = socket.getaddrinfo(urlsplit(url).hostname, None, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        # The request itself fails, too.
        return False
    return any(_is_special(str(address[0])) for *_, address in found)


def _is_special(address: str) -> bool:
    ip = ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, IPv6Address) else None
    return not (mapped or ip).is_global
