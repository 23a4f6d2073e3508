"""The discovery document and the JWKS."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, request

from logto_auth.emulator.provider import Provider, current

from .claims import CLAIMS_BY_SCOPE, oidc_scopes
from .http import json_response

blueprint = Blueprint("discovery", __name__)

_OAUTH_METADATA = "/oidc/.well-known/oauth-authorization-server"


@blueprint.get("/oidc/.well-known/openid-configuration", endpoint="discovery")
@blueprint.get(_OAUTH_METADATA, endpoint="discovery")
def discovery() -> Response:
    """Return the discovery document, also by its OAuth name (RFC 8414) if this version has it."""
    if request.path == _OAUTH_METADATA and not current().tenant.version.has_oauth_metadata:
        abort(404)
    provider = current()
    document = discovery_document(provider, origin=request.host_url.rstrip("/"))
    data = provider.faults.discovery(document) if provider.faults.discovery else document
    return _cacheable(json_response(data))


@blueprint.get("/oidc/jwks", endpoint="jwks")
def jwks() -> Response:
    """Return the public keys."""
    provider = current()
    document = provider.keys.jwks()
    data = provider.faults.jwks(document) if provider.faults.jwks else document
    headers = {"Cache-Control": "no-cache, max-age=0, must-revalidate"}
    return _cacheable(json_response(data, headers=headers, content_type="application/jwk-set+json"))


def discovery_document(provider: Provider, *, origin: str) -> dict[str, Any]:
    """Return the document in Logto's order. Its URLs have the origin of the request; `issuer` is configured."""
    tenant, version = provider.tenant, provider.tenant.version
    base = f"{origin}/oidc"
    claims = [claim for scope in CLAIMS_BY_SCOPE.values() for claim in scope]
    return {
        "authorization_endpoint": f"{base}/auth",
        "device_authorization_endpoint": f"{base}/device/auth",
        "claims_parameter_supported": False,
        "claims_supported": [*claims, "sid", "auth_time", "iss"],
        "code_challenge_methods_supported": ["S256"],
        "end_session_endpoint": f"{base}/session/end",
        "grant_types_supported": [
            "implicit",
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "issuer": provider.issuer,
        "jwks_uri": f"{base}/jwks",
        "authorization_response_iss_parameter_supported": True,
        "response_modes_supported": ["form_post", "fragment", "query"],
        "response_types_supported": ["code id_token", "code", "id_token", "none"],
        "scopes_supported": list(oidc_scopes(tenant)),
        "subject_types_supported": ["public"],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic",
            "client_secret_jwt",
            "client_secret_post",
            "private_key_jwt",
            "none",
        ],
        **({"client_id_metadata_document_supported": True} if provider.takes_client_metadata_documents else {}),
        "token_endpoint_auth_signing_alg_values_supported": [
            *("HS256", "RS256", "PS256", "ES256"),
            *(["Ed25519"] if version.discovery_has_ed25519 else []),
            "EdDSA",
        ],
        "token_endpoint": f"{base}/token",
        "id_token_signing_alg_values_supported": provider.keys.advertised_algs(),
        "pushed_authorization_request_endpoint": f"{base}/request",
        **({"request_parameter_supported": False} if version.discovery_has_request_parameter else {}),
        "request_uri_parameter_supported": False,
        "userinfo_endpoint": f"{base}/me",
        "introspection_endpoint": f"{base}/token/introspection",
        "revocation_endpoint": f"{base}/token/revocation",
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claim_types_supported": ["normal"],
    }


def _cacheable(response: Response) -> Response:
    """Return the response with an ETag, or 304 if the client has the current version."""
    response.add_etag()
    return response.make_conditional(request)  # type: ignore[return-value]
