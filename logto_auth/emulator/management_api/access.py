"""Authentication of the Management API: a JWT access token for its resource with the permission `all`."""

from __future__ import annotations

import json
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from logto_auth.emulator.api.bearer_token import bearer_token
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.provider import Provider

_ALGORITHMS = ["ES384", "RS256", "PS256"]


def check_access(provider: Provider) -> None:
    """Raise APIError unless the access token is valid. The current roles of the application are not checked."""
    claims = _claims(provider, bearer_token())
    for claim, expected in {"iss": provider.issuer, "aud": provider.tenant.management_api_resource}.items():
        if claims.get(claim) != expected:
            raise _refused_claim("ERR_JWT_CLAIM_VALIDATION_FAILED", "JWTClaimValidationFailed", claim, claims)
    if claims.get("exp", 0) <= provider.clock.now():
        raise _refused_claim("ERR_JWT_EXPIRED", "JWTExpired", "exp", claims)
    if not claims.get("sub"):
        raise APIError("auth.jwt_sub_missing", 401)
    if "all" not in str(claims.get("scope", "")).split(" "):
        raise APIError("auth.forbidden", 403)


def _claims(provider: Provider, token: str) -> dict[str, Any]:
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError):
        raise _unauthorized("ERR_JWS_INVALID", "JWSInvalid") from None
    key = provider.keys.find(str(header.get("kid")))
    if key is None:
        raise _unauthorized("ERR_JWKS_NO_MATCHING_KEY", "JWKSNoMatchingKey")
    try:
        claims = json.loads(jws.deserialize_compact(token, key.key, algorithms=_ALGORITHMS).payload)
    except (JoseError, ValueError):
        raise _unauthorized("ERR_JWS_SIGNATURE_VERIFICATION_FAILED", "JWSSignatureVerificationFailed") from None
    if not isinstance(claims, dict):
        raise _unauthorized("ERR_JWT_INVALID", "JWTInvalid")
    return claims


def _refused_claim(code: str, name: str, claim: str, claims: dict[str, Any]) -> APIError:
    """Return the error for one claim. Like Logto, it repeats all claims."""
    return _unauthorized(code, name, claim=claim, reason="check_failed", payload=claims)


def _unauthorized(code: str, name: str, **more: Any) -> APIError:
    return APIError("auth.unauthorized", 401, data={"code": code, "name": name, **more})
