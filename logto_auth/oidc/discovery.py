"""Fetch the provider's metadata and check each field before any request goes to one of its URLs."""

from __future__ import annotations

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

_DEFAULT_PORTS = {"http": 80, "https": 443}


def fetch_metadata(http: HTTPClient, issuer: str, *, endpoint_name: str = ENDPOINT_NAME) -> ProviderMetadata:
    """Return the metadata of `issuer`. Error messages call its configured URL `endpoint_name`.

    Raise ProviderError when the document is invalid, names another issuer, or names a URL at another origin.
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
    # Requests to the endpoints carry the App secret and tokens, so none may go to another server.
    if not isinstance(url, str) or not _is_plain(url) or _origin(url) is None or _origin(url) != _origin(issuer):
        raise ProviderError(
            f"The discovery document names {url!r:.200} as {name}, expected a plain URL at the origin of the issuer "
            f"{issuer!r}. Behind a proxy, Logto needs TRUST_PROXY_HEADER=1 and the headers Host and X-Forwarded-Proto."
        )
    return url


def _is_plain(url: str) -> bool:
    """Return whether all libraries read `url` alike."""
    return url.isascii() and url.isprintable() and not {" ", "\\"} & set(url)


def _origin(url: str) -> tuple[str, str, int | None] | None:
    """Return scheme, host and port of an http(s) URL without user info, None for any other URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port
