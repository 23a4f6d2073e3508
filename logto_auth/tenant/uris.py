"""The forms of URIs in a declaration."""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

__all__ = ["DEFAULT_PORTS", "MANAGEMENT_API", "is_url_or_path", "normalize_uri", "split_uri"]

DEFAULT_PORTS = {"http": 80, "https": 443}
# The indicators of the Management APIs of all tenants.
MANAGEMENT_API = re.compile(r"https://[\w-]+\.logto\.app/api")


def normalize_uri(uri: str) -> str:
    """Return `uri` in the form in which Logto compares it: lower-case scheme and host, no default port, a path."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return uri
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return uri
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return parts._replace(netloc=authority, path=parts.path or "/").geturl()


def split_uri(uri: str) -> SplitResult | None:
    """Return the parts of `uri`; None if it is invalid, or has a space or a character outside of ASCII."""
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018  (raises ValueError if the port is not a number)
    except ValueError:
        return None
    return parts if uri.isascii() and uri.isprintable() and " " not in uri else None


def is_url_or_path(url: str) -> bool:
    """Return whether `url` is an http or https URL, or a path that begins with one `/`."""
    if url.startswith("/"):
        return not url.startswith("//")
    parts = split_uri(url)
    return parts is not None and parts.scheme in DEFAULT_PORTS and bool(parts.hostname)
