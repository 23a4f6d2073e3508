"""Tests for URLs: whether one is an origin, and whether it leads to this machine or to a private network."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, urlsplit

from .oidc.addresses import is_plain_url

__all__ = ["ascii_form", "ascii_hint", "is_loopback", "is_origin", "is_private", "is_public_address", "is_public_host"]

# Domains that do not exist on the internet: RFC 6761, RFC 6762 and RFC 8375. ICANN has reserved `internal`, and
# Kubernetes uses `svc`, alone and before its own domain.
PRIVATE_SUFFIXES = (".home.arpa", ".internal", ".local", ".localhost", ".svc", ".test")
# The reserved characters of URLs (RFC 3986, section 2.2), and "%" and "~".
URL_CHARACTERS = "/?#[]@!$&'()*+,;=:%~"


def is_origin(url: str) -> bool:
    """Return whether `url` is an http or https URL with a host and without path, query, fragment or credentials.

    The host must be in ASCII, as in URLs of browsers and in the header `Host`. See `ascii_hint`.
    """
    # An empty query or fragment counts, too: what is appended to it would not be a path.
    if not is_plain_url(url) or {"?", "#"} & set(url):
        return False
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (raises for a port that is not a number)
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and parts.path in ("", "/")
        and "@" not in parts.netloc
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

    Loopback, private and other special addresses are not public, nor are the names of private networks.
    """
    try:
        return is_public_address(host)
    except ValueError:
        return not _is_private_name(host)


def is_public_address(text: str) -> bool:
    """Return whether an IP address is public. Raise ValueError if it is not an address."""
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_global) and not address.is_multicast


def is_private(url: str) -> bool:
    """Return whether the host of `url` is this machine or in a private network.

    Link-local addresses are excluded: clouds serve the credentials of a machine there.
    """
    host = urlsplit(url).hostname or ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _is_private_name(host)
    return address.is_loopback or (address.is_private and not address.is_link_local)


def _is_private_name(host: str) -> bool:
    """Return whether a host name has no dot, or belongs to a domain for private networks."""
    return ("." not in host and not _is_number(host)) or host.endswith(PRIVATE_SUFFIXES)


def _is_number(host: str) -> bool:
    """Return whether the system reads `host` as an IPv4 address in one number, such as 134744072 or 0x8080808."""
    return re.fullmatch(r"[0-9]+|0x[0-9a-f]*", host) is not None


def ascii_form(url: str) -> str:
    """Return `url` with its domain in the `xn--` form, and with other characters percent-encoded.

    Empty if `url` is in ASCII already, or if its domain has no such form.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if url.isascii() or not host or "@" in parts.netloc:
        return ""
    labels = [_ascii_label(label) for label in host.split(".")]
    if not all(labels):
        return ""
    authority = ".".join(labels) + (f":{port}" if port else "")
    try:
        return quote(parts._replace(netloc=authority).geturl(), safe=URL_CHARACTERS)
    except UnicodeEncodeError:
        # Half of a surrogate pair.
        return ""


def ascii_hint(url: str) -> str:
    """Return a sentence that asks for the ASCII form of `url`; empty if there is no other form."""
    form = ascii_form(url)
    return f"Write domains with other letters in their xn-- form: {form!r}." if form else ""


def _ascii_label(label: str) -> str:
    """Return one label of a domain as browsers write it, or an empty text if it is invalid."""
    if label.isascii():
        return label
    # Imported here, because `conf` and the URLs of the site need only the functions above.
    import requests

    try:
        url = requests.Request("GET", f"http://{label}.example/").prepare().url or ""
    except requests.RequestException:
        return ""
    return urlsplit(url).netloc.removesuffix(".example")
