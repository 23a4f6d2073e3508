"""Fetch the provider's metadata and check each field before any request goes to one of its URLs."""

from __future__ import annotations

from typing import Any

from .addresses import Addresses
from .errors import ProviderError
from .http import HTTPClient
from .types import ProviderMetadata

__all__ = ["ENDPOINTS", "ENDPOINT_NAME", "fetch_metadata", "parse_metadata"]

# The browser opens these URLs. This server sends requests to the others.
BROWSER_ENDPOINTS = ("authorization_endpoint", "end_session_endpoint")
SERVER_ENDPOINTS = ("token_endpoint", "jwks_uri", "userinfo_endpoint", "revocation_endpoint")
ENDPOINTS = (*BROWSER_ENDPOINTS, *SERVER_ENDPOINTS)
ENDPOINT_NAME = "the endpoint"


def fetch_metadata(http: HTTPClient, addresses: Addresses, *, endpoint_name: str = ENDPOINT_NAME) -> ProviderMetadata:
    """Return the metadata of the provider at `addresses`. Error messages call its configured URL `endpoint_name`.

    Raise ProviderError when `issuer` is not a plain http(s) URL, and when the document is invalid, names another
    issuer, or names a URL at another origin.
    Raise ProviderUnreachable. Source: OpenID Connect Discovery 1.0, sections 4.2 and 4.3.
    """
    if not addresses.is_known(addresses.issuer):
        # Without the URL, which may contain a password.
        raise ProviderError(f"{endpoint_name} is not an http or https URL in ASCII without credentials.")
    response = http.get(addresses.discovery_url)
    if response.status != 200:
        which = "the internal endpoint" if addresses.is_split else endpoint_name
        raise ProviderError(
            f"{response.url} answered {response.status}, expected 200. Check that {which} is Logto's own origin."
        )
    return parse_metadata(response.json_object(), addresses, endpoint_name=endpoint_name)


def parse_metadata(
    document: dict[str, Any], addresses: Addresses, *, endpoint_name: str = ENDPOINT_NAME
) -> ProviderMetadata:
    """Return the checked metadata of a discovery document. Raise ProviderError naming the field that is wrong.

    Logto writes the URLs with the host of the request. So URLs at both addresses are accepted. Those for browsers
    become public, and all others internal.
    """
    issuer = addresses.issuer
    if document.get("issuer") != issuer:
        raise ProviderError(
            f"The discovery document names the issuer {document.get('issuer')!r:.200}, expected {issuer!r}. "
            f"Set {endpoint_name} to exactly the endpoint that Logto reports."
        )
    endpoints = {name: _endpoint(document, name, addresses) for name in ENDPOINTS}
    # Few sites introspect tokens, so a missing introspection endpoint does not make sign-ins fail.
    introspection = "introspection_endpoint"
    endpoints[introspection] = _endpoint(document, introspection, addresses) if introspection in document else ""
    return ProviderMetadata(
        issuer=issuer,
        authorization_response_iss_parameter_supported=document.get("authorization_response_iss_parameter_supported")
        is True,
        **endpoints,
    )


def _endpoint(document: dict[str, Any], name: str, addresses: Addresses) -> str:
    url = document.get(name)
    # Requests to the endpoints carry the App secret and tokens, so none may go to another server.
    if not isinstance(url, str) or not addresses.is_known(url):
        internal = f" or at {addresses.internal_endpoint!r}" if addresses.is_split else ""
        raise ProviderError(
            f"The discovery document names {url!r:.200} as {name}, expected a plain URL at the origin of the issuer "
            f"{addresses.issuer!r}{internal}. Behind a proxy, Logto needs TRUST_PROXY_HEADER=1 and the headers Host "
            "and X-Forwarded-Proto."
        )
    return addresses.for_browsers(url) if name in BROWSER_ENDPOINTS else addresses.for_server(url)
