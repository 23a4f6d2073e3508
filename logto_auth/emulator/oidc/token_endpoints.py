"""The token endpoint, revocation and introspection."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, request

from logto_auth.emulator.provider import Provider, current
from logto_auth.emulator.state.application_record import TOKEN_EXCHANGE, Application
from logto_auth.emulator.state.stored_tokens import AccessToken, RefreshToken

from . import errors
from .access_tokens import TokenRequest
from .client_authentication import authenticate_client
from .grant_types import client_credentials, exchange_code, refresh
from .http import (
    NO_STORE,
    challenge,
    error_response,
    json_response,
    request_form,
    resource_parameters,
    single_parameters,
)
from .token_exchange import exchange_token

blueprint = Blueprint("token_endpoints", __name__)

_GRANTS: dict[str, Callable[[Provider, TokenRequest], dict[str, Any]]] = {
    "authorization_code": exchange_code,
    "refresh_token": refresh,
    "client_credentials": client_credentials,
    TOKEN_EXCHANGE: exchange_token,
}
# Logto supports it, but no application of the emulator may use it.
_KNOWN_BUT_NOT_ALLOWED = frozenset({"urn:ietf:params:oauth:grant-type:device_code"})


@blueprint.post("/oidc/token", endpoint="token")
def token() -> Response:
    """Answer a token request."""
    provider = current()
    try:
        # Handle one request at a time, so that a code or refresh token is checked and consumed atomically.
        with provider.instances.lock:
            answer = _grant(provider)
    except errors.OIDCError as error:
        return _with_challenge(provider, error_response(error), error)
    if provider.faults.token_response:
        return json_response(provider.faults.token_response(answer), headers=NO_STORE)
    return json_response(answer, headers=NO_STORE)


@blueprint.post("/oidc/token/revocation", endpoint="revocation")
def revocation() -> Response:
    """Revoke a refresh token or an opaque access token. A JWT is not revoked.

    Like Logto's, the responses have no `Cache-Control`.
    """
    provider = current()
    try:
        _revoke(provider, *_client_and_token(provider))
    except errors.OIDCError as error:
        response = _with_challenge(provider, error_response(error), error)
        del response.headers["Cache-Control"]
        return response
    return Response("", content_type="text/plain; charset=utf-8")


@blueprint.post("/oidc/token/introspection", endpoint="introspection")
def introspection() -> Response:
    """Describe an opaque access token or a refresh token. Other tokens are inactive."""
    provider = current()
    try:
        description = _described(provider, *_client_and_token(provider))
    except errors.OIDCError as error:
        return _with_challenge(provider, error_response(error), error)
    return json_response(description, headers=NO_STORE)


def _grant(provider: Provider) -> dict[str, Any]:
    lists = request_form()
    client, params = _authenticated(provider, repeatable=["resource"])
    if "grant_type" not in params:
        raise errors.missing_parameters("grant_type")
    grant_type = params["grant_type"]
    if grant_type not in _GRANTS and grant_type not in _KNOWN_BUT_NOT_ALLOWED:
        raise errors.OIDCError("unsupported_grant_type", "unsupported grant_type requested")
    if grant_type not in client.grant_types:
        raise errors.invalid_request("requested grant type is not allowed for this client")
    return _GRANTS[grant_type](provider, TokenRequest(client, params, resource_parameters(lists)))


def _authenticated(
    provider: Provider, *, repeatable: tuple[str, ...] | list[str] = ()
) -> tuple[Application, dict[str, str]]:
    params = single_parameters(request_form(), repeatable=repeatable)
    return authenticate_client(provider, params), params


def _client_and_token(provider: Provider) -> tuple[Application, str]:
    client, params = _authenticated(provider)
    if "token" not in params:
        raise errors.missing_parameters("token")
    if provider.tenant.version.refuses_structured_tokens and is_structured(params["token"]):
        raise _structured_token()
    return client, params["token"]


def is_structured(token: str) -> bool:
    """Return whether the text has the parts of a JWS or a JWE, and a header. The rest does not matter."""
    encoded, *others = token.split(".")
    if len(others) not in {2, 4}:
        return False
    try:
        return isinstance(json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))), dict)
    except ValueError:
        return False


def _structured_token() -> errors.OIDCError:
    endpoint = request.path.rpartition("/")[2]
    done = "revoked" if endpoint == "revocation" else "introspected"
    description = f"Structured JWT Tokens cannot be {done} via the {endpoint}_endpoint"
    return errors.OIDCError("unsupported_token_type", description)


def _revoke(provider: Provider, client: Application, value: str) -> None:
    instances = provider.instances
    found = instances.refresh_tokens.get(value) or instances.access_tokens.get(value)
    if found is None:
        return
    if found.client_id != client.id:
        raise errors.invalid_request(provider.tenant.version.foreign_revocation_description)
    if isinstance(found, RefreshToken) or provider.tenant.version.access_token_revocation_ends_grant:
        instances.revoke_grant(found.grant_id)
    instances.access_tokens.pop(value, None)


def _described(provider: Provider, client: Application, value: str) -> dict[str, Any]:
    instances = provider.instances
    found: AccessToken | RefreshToken | None = instances.refresh_tokens.get(value) or instances.access_tokens.get(value)
    if found is None or not instances.is_usable(found):
        return {"active": False}
    if isinstance(found, RefreshToken) and found.consumed_at is not None:
        return {"active": False}
    if client.is_public and found.client_id != client.id:
        return {"active": False}
    optional = {
        "sid": found.sid,
        "iss": provider.issuer,
        "scope": " ".join(found.scopes),
        "token_type": None if isinstance(found, RefreshToken) else "Bearer",
    }
    custom = found.custom_claims if isinstance(found, AccessToken) else {}
    return {"active": True, "sub": found.account_id} | {
        **custom,
        "active": True,
        "client_id": found.client_id,
        "exp": found.expires_at,
        "iat": found.issued_at,
        **{name: text for name, text in optional.items() if text is not None},
    }


def _with_challenge(provider: Provider, response: Response, error: errors.OIDCError) -> Response:
    """Add `WWW-Authenticate` to a 401 if the request had an `Authorization` header."""
    if error.status == 401 and "Authorization" in request.headers:
        response.headers["WWW-Authenticate"] = challenge(
            "Basic", realm=provider.issuer, error=error.error, error_description=error.description
        )
    return response
