"""Validation of `id_token_hint`, an earlier ID token that may have expired."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application

from . import errors


def decode_id_token_hint(token: str) -> dict[str, Any]:
    """Return the claims without verification, or raise OIDCError."""
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError:
        raise errors.invalid_request("could not decode id_token_hint") from None
    if not isinstance(claims, dict):
        raise errors.invalid_request("could not decode id_token_hint")
    return claims


def validate_id_token_hint(provider: Provider, token: str, client: Application) -> dict[str, Any]:
    """Return the claims of a hint for this client, or raise OIDCError. Expiry is ignored.

    The signature must be by a published key with the algorithm that signs now.
    """
    refused = errors.invalid_request("could not validate id_token_hint")
    signing = provider.signing_key
    if signing is None:
        raise refused
    published = KeySet([key.key for key in provider.keys.all()])
    for key in published.keys:
        key.ensure_kid()
    try:
        jws.deserialize_compact(token, published, algorithms=[signing.alg])
    except (JoseError, ValueError):
        raise refused from None
    claims = decode_id_token_hint(token)
    if claims.get("iss") != provider.issuer or claims.get("aud") != client.id or not claims.get("sub"):
        raise refused
    return claims
