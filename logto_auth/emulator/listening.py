"""The address on which the emulator listens, and the one that browsers know."""

from __future__ import annotations

import errno
import ipaddress
import socket
from urllib.parse import urlsplit

__all__ = ["LOOPBACK", "PortInUse", "bound_socket", "check_host", "endpoint_at", "is_loopback", "public_origin"]

LOOPBACK = "127.0.0.1"
# Where the server can be reached as "localhost", too.
_SERVES_LOCALHOST = frozenset({LOOPBACK, "localhost", "0.0.0.0", "::", ""})  # noqa: S104 - compared, and not listened on


class PortInUse(OSError):
    """Another program uses the port."""


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_host(host: str, *, expose_to_network: bool) -> None:
    """Raise ValueError if other machines could reach `host`, unless that is meant."""
    if not (expose_to_network or is_loopback(host)):
        raise ValueError(
            f"Other machines can reach {host or 'that host'}, and anyone who can reach the emulator can sign in as "
            "anyone. Use 127.0.0.1. If you mean it, pass expose_to_network=True, or --expose-to-network."
        )


def public_origin(url: str) -> str:
    """Return `url` as an origin. Raise ValueError if it is none."""
    try:
        parts = urlsplit(url)
        is_origin = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        is_origin = False
    rest = "" if not is_origin else parts.path.rstrip("/")
    if not is_origin or rest or set("@?# ") & set(url) or not url.isascii() or not url.isprintable():
        raise ValueError(f"The public endpoint {url!r} is not an origin, such as http://logto.example:3001.")
    return url.rstrip("/")


def endpoint_at(host: str, port: int) -> str:
    """Return the origin of a server that listens on `host`."""
    name = "localhost" if host in _SERVES_LOCALHOST else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raise PortInUse or another OSError."""
    address = LOOPBACK if host == "localhost" else host
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        kind = PortInUse if error.errno == errno.EADDRINUSE else OSError
        raise kind(error.errno, f"Cannot listen on port {port} of {address}: {error.strerror}.") from error
    return listener
