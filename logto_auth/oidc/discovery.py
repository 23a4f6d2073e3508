"""Fetch the provider's metadata and check each field before any request goes to one of its URLs."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from .errors import ProviderError
from .http import HTTPClient
from .types import ProviderMetadata

__all__ = ["ENDPOINTS", "ENDPOINT_NAME", "fetch_metadata", "parse_metadata"]

ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "end_session_endpoint",
    "revocation_endpoint",
)
ENDPOINT_NAME = "the endpoint"


def fetch_metadata(http: HTTPClient, issuer: str, *, endpoint_name: str = ENDPOINT_NAME) -> ProviderMetadata:
    """Return the metadata of `issuer`. Error messages call its configured URL `endpoint_name`.

    Raise ProviderError when the document is invalid, names another issuer, or names a URL that is not safe to use.
    Raise ProviderUnreachable. Source: OpenID Connect Discovery 1.0, sections 4.2 and 4.3.
    """
    response = http.get(f"{issuer}/.well-known/openid-configuration")
    if response.status != 200:
        raise ProviderError(
            f"{response.url} answered {response.status}, expected 200. "
            f"Check that {endpoint_name} is Logto's own origin."
        )
    return parse_metadata(response.json_object(), issuer, endpoint_name=endpoint_name)


def parse_metadata(document: dict[str, Any], issuer: str, *, endpoint_name: str = ENDPOINT_NAME) -> ProviderMetadata:
    """Return the checked metadata of a discovery document. Raise ProviderError naming the field that is wrong."""
    if document.get("issuer") != issuer:
        raise ProviderError(
            f"The discovery document names the issuer {document.get('issuer')!r:.200}, expected {issuer!r}. "
            f"Set {endpoint_name} to exactly the endpoint that Logto reports."
        )
    endpoints = {name: _endpoint(document, name, issuer) for name in ENDPOINTS}
    # Few sites introspect tokens, so a missing introspection endpoint does not make sign-ins fail.
    introspection = "introspection_endpoint"
    endpoints[introspection] = _endpoint(document, introspection, issuer) if introspection in document else ""
    return ProviderMetadata(
        issuer=issuer,
        authorization_response_iss_parameter_supported=document.get("authorization_response_iss_parameter_supported")
        is True,
        **endpoints,
    )


def _endpoint(document: dict[str, Any], name: str, issuer: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or not _is_safe_url(url, https_only=issuer.startswith("https:")):
        raise ProviderError(
            f"The discovery document names {url!r:.200} as {name}, expected a plain URL with the scheme of the issuer "
            f"{issuer!r}. Behind a proxy, Logto needs TRUST_PROXY_HEADER=1 and the headers Host and X-Forwarded-Proto."
        )
    return url


def _is_safe_url(url: str, *, https_only: bool) -> bool:
    """Return whether a request may go to `url`: http(s), without user info, and not to a link-local address."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    allowed_schemes = {"https"} if https_only else {"https", "http"}
    return (
        parts.scheme in allowed_schemes
        and bool(host)
        and "@" not in parts.netloc
        and url.isascii()
        and url.isprintable()
        and not {" ", "\\"} & set(url)
        and not _is_link_local(host or "")
    )


def _is_link_local(host: str) -> bool:
    """Return whether `host` is an address such as 169.254.169.254, where clouds serve the credentials of a machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        try:
            # Resolvers also accept other spellings of an IPv4 address: 2852039166, 0xa9.0xfe.0xa9.0xfe.
            address = ipaddress.ip_address(socket.inet_aton(host))
        except OSError:
            return False
    return (getattr(address, "ipv4_mapped", None) or address).is_link_local
