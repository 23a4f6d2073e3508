"""Tokens that the provider signs, with Logto's headers and its order of claims."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from typing import Any

from logto_auth.emulator.provider import Provider
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.keys import SigningKey, natural_alg, sign_compact
from logto_auth.emulator.state.records import User

from .claims import id_token_claims

BACKCHANNEL_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

# Logto has no such claim, and removes it from those of a script.
_NEVER_EXTRA = frozenset({"authorization_details"})
_DIGESTS = {"ES384": hashlib.sha384, "RS256": hashlib.sha256}


def issue_id_token(
    provider: Provider,
    client: Application,
    user: User,
    *,
    scopes: Iterable[str],
    access_token: str,
    nonce: str | None,
    auth_time: int | None,
    sid: str | None,
) -> str:
    """Return an ID token: first the claims of the scopes, then those of the protocol."""
    now = provider.clock.now()
    token_hash = at_hash(provider, access_token) if provider.tenant.version.id_token_has_at_hash else None
    optional = {"auth_time": auth_time, "nonce": nonce, "at_hash": token_hash, "sid": sid}
    claims = {
        **id_token_claims(provider.tenant, user, scopes),
        **{name: value for name, value in optional.items() if value is not None},
        "aud": client.id,
        "exp": now + client.id_token_ttl,
        "iat": now,
        "iss": provider.issuer,
    }
    return _sign_id_token(provider, claims)


def issue_jwt_access_token(
    provider: Provider,
    client: Application,
    *,
    jti: str,
    sub: str,
    audience: str,
    scope: str | None,
    ttl: int,
    extra: dict[str, Any],
) -> str:
    """Return an access token for a resource or an organization.

    With a `scope` of None the token has no such claim. `extra` are further claims, which those of the protocol replace.
    """
    now = provider.clock.now()
    claims = {
        **{name: value for name, value in extra.items() if name not in _NEVER_EXTRA},
        "jti": jti,
        "sub": sub,
        "iat": now,
        "exp": now + ttl,
        **({"scope": scope} if scope is not None else {}),
        "client_id": client.id,
        "iss": provider.issuer,
        "aud": audience,
    }
    if scope is None:
        claims.pop("scope", None)
    return _sign_access_token(provider, claims)


def issue_logout_token(provider: Provider, client: Application, *, sub: str, sid: str) -> str:
    """Return a back-channel logout token. It has `sid` only if the client requires it."""
    now, ttl = provider.clock.now(), provider.tenant.version.logout_token_ttl
    claims = {
        "sub": sub,
        "events": {BACKCHANNEL_LOGOUT_EVENT: {}},
        "jti": provider.new_uid(),
        **({"sid": sid} if client.backchannel_logout_session_required else {}),
        "aud": client.id,
        **({"exp": now + ttl} if ttl is not None else {}),
        "iat": now,
        "iss": provider.issuer,
    }
    return sign(provider, claims, typ="logout+jwt")


def sign(provider: Provider, claims: dict[str, Any], *, typ: str) -> str:
    """Return the claims, signed."""
    key = _signing_key(provider)
    return sign_compact({"alg": key.alg, "typ": typ, "kid": key.kid}, claims, key.key)


def at_hash(provider: Provider, access_token: str) -> str:
    """Return the `at_hash` of an access token for the algorithm of the signing key."""
    digest = _DIGESTS[_signing_key(provider).alg](access_token.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _signing_key(provider: Provider) -> SigningKey:
    # Without a signing key no client is found, and nothing is signed unless the keys change during a request.
    return provider.signing_key or provider.keys.current


def _sign_access_token(provider: Provider, claims: dict[str, Any]) -> str:
    """Return the signed access token, changed by the fault hooks."""
    faults = provider.faults
    if faults.access_token_claims:
        claims = faults.access_token_claims(dict(claims))
    key = faults.access_token_key
    if key is None:
        return sign(provider, claims, typ="at+jwt")
    return sign_compact({"alg": natural_alg(key), "typ": "at+jwt", "kid": key.thumbprint()}, claims, key)


def _sign_id_token(provider: Provider, claims: dict[str, Any]) -> str:
    """Return the signed ID token, changed by the fault hooks."""
    faults = provider.faults
    if faults.id_token_claims:
        claims = faults.id_token_claims(dict(claims))
    # Look up the key after the hook for claims, which may rotate it.
    key = faults.id_token_key or _signing_key(provider).key
    typ = {"typ": "JWT"} if provider.tenant.version.id_token_has_typ else {}
    header: dict[str, Any] = {"alg": natural_alg(key), **typ, "kid": key.thumbprint()}
    if faults.id_token_header:
        header = faults.id_token_header(dict(header))
    return faults.id_token(header, claims) if faults.id_token else sign_compact(header, claims, key)
