"""The checks that ID tokens, access tokens and logout tokens share. Each raises TokenError naming what is wrong.

Sources: OpenID Connect Core 1.0, section 3.1.3.7; RFC 7519; RFC 8725; the tokens that Logto issues.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from typing import Any

from jwt import PyJWK, PyJWS
from jwt.exceptions import PyJWTError

from .claims import MAX_NAME_LENGTH, is_name, is_numeric_date
from .errors import TokenError
from .jwks import KeySource
from .secrets import Secret, hide_frames
from .types import Claims

__all__ = [
    "MAX_TOKEN_LENGTH",
    "check_audience",
    "check_issuer",
    "check_sub",
    "check_times",
    "numeric_date",
    "optional_text",
    "verify_signature",
]

MAX_TOKEN_LENGTH = 256 * 1024

_COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")

_jws = PyJWS()


def verify_signature(
    token: object, *, keys: KeySource, algorithms: Sequence[str], types: Collection[str | None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the claims of a token with a valid signature. The claims are not checked yet.

    `types` are the accepted values of `typ`, in lower case, with None for a header without one. Only `alg`, `kid` and
    `typ` are read. Keys in the header (`jwk`, `jku`, `x5c`, `x5u`) are ignored. `crit` is refused, because this package
    understands no extension (RFC 8725, sections 3.1, 3.10 and 3.11).

    Raise TokenError, and ProviderError when the keys cannot be fetched.
    """
    if isinstance(token, str):
        token = Secret(token)
    if not isinstance(token, Secret) or not token.reveal().isascii() or len(token.reveal()) > MAX_TOKEN_LENGTH:
        raise TokenError(f"Expected a compact JWS of at most {MAX_TOKEN_LENGTH} characters.", claim="token")
    header = _unverified_header(token)
    alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(alg, str) or alg not in algorithms:
        raise TokenError(f"The token is signed with {alg!r:.40}, expected one of {', '.join(algorithms)}.", claim="alg")
    if "crit" in header or "b64" in header:
        raise TokenError("The token has critical header parameters, which are not supported.", claim="crit")
    if not (typ is None or isinstance(typ, str)) or (typ.lower() if typ else typ) not in types:
        raise TokenError(f"The token is of type {typ!r:.40}, expected {_listed(types)}.", claim="typ")
    if not (kid is None or isinstance(kid, str)):
        raise TokenError("The token has a key ID that is not a string.", claim="kid")
    candidates = keys.find(kid, alg)
    if not candidates:
        raise TokenError(f"No {alg} key with the ID {kid!r:.60} is among the provider's keys.", claim="kid")
    for key in candidates:
        payload = _payload(token, key, alg)
        if payload is not None:
            return header, _json_object(payload)
    raise TokenError("The signature of the token is wrong.", claim="signature")


@hide_frames
def _unverified_header(token: Secret) -> dict[str, Any]:
    # Decoders may accept other spellings of the same token (RFC 7515, section 2).
    if not _COMPACT_JWS.fullmatch(token.reveal()):
        raise TokenError("The token is not a compact JWS: three parts in base64url, without padding.", claim="header")
    try:
        return _jws.get_unverified_header(token.reveal())
    except (PyJWTError, ValueError, RecursionError):
        raise TokenError("The token is not a compact JWS with a JSON header.", claim="header") from None


@hide_frames
def _payload(token: Secret, key: PyJWK, alg: str) -> bytes | None:
    """Return the payload, or None when the signature is not by `key`."""
    try:
        payload: bytes = _jws.decode(token.reveal(), key, algorithms=[alg])
    except PyJWTError:
        return None
    return payload


def _json_object(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError):
        raise TokenError("The payload of the token is not JSON.", claim="payload") from None
    if not isinstance(claims, dict):
        raise TokenError("The payload of the token is not a JSON object.", claim="payload")
    return claims


def _listed(types: Collection[str | None]) -> str:
    return " or ".join(sorted(repr(name) for name in types if name))


def check_issuer(claims: Claims, issuer: str, former_issuers: Collection[str] = ()) -> None:
    """Raise TokenError unless `iss` is exactly `issuer`, or one of the names that this provider had before."""
    if claims.get("iss") not in (issuer, *former_issuers):
        raise TokenError(f"The token is of issuer {claims.get('iss')!r:.200}, expected {issuer!r}.", claim="iss")


def check_audience(claims: Claims, client_id: str) -> None:
    """Raise TokenError unless the token is for this client.

    `aud` is the client or a list that contains it. `azp`, when present, is the client; with several audiences it is
    required.
    """
    aud, azp = claims.get("aud"), claims.get("azp")
    audiences = aud if isinstance(aud, list) else [aud]
    if client_id not in audiences:
        raise TokenError(f"The token is for audience {aud!r:.200}, expected {client_id!r}.", claim="aud")
    if "azp" in claims and azp != client_id:
        raise TokenError(f"The token is for authorized party {azp!r:.200}, expected {client_id!r}.", claim="azp")
    if len(audiences) > 1 and "azp" not in claims:
        raise TokenError("The token has several audiences and no authorized party.", claim="azp")


def check_times(claims: Claims, *, leeway_seconds: int, now: float) -> tuple[float, float]:
    """Return `exp` and `iat`, in seconds since the epoch. Raise TokenError unless the token is valid now."""
    exp, iat = numeric_date(claims, "exp"), numeric_date(claims, "iat")
    if now >= exp + leeway_seconds:
        raise TokenError(f"The token expired {now - exp:.0f} s ago; check the clocks.", claim="exp")
    if iat > now + leeway_seconds:
        raise TokenError(f"The token was issued {iat - now:.0f} s in the future; check the clocks.", claim="iat")
    if "nbf" in claims and numeric_date(claims, "nbf") > now + leeway_seconds:
        raise TokenError("The token is not valid yet; check the clocks.", claim="nbf")
    return exp, iat


def numeric_date(claims: Claims, name: str) -> float:
    """Return a claim that is a time, in seconds since the epoch. Raise TokenError when it is missing or not a time."""
    value = claims.get(name)
    if not is_numeric_date(value):
        raise TokenError(f"The token has {name} {value!r:.40}, expected seconds since the epoch.", claim=name)
    return value


def check_sub(claims: Claims) -> str:
    """Return `sub`. Raise TokenError when it is missing or not an ID."""
    sub = optional_text(claims, "sub")
    if sub is None:
        raise TokenError(f"The token has no sub, expected 1 to {MAX_NAME_LENGTH} characters.", claim="sub")
    return sub


def optional_text(claims: Claims, name: str, *, max_length: int = MAX_NAME_LENGTH) -> str | None:
    """Return a claim that is an ID, or None when it is missing or null. Raise TokenError when it is anything else."""
    value = claims.get(name)
    if value is None:
        return None
    if not is_name(value, max_length=max_length):
        raise TokenError(
            f"The token has {name} {value!r:.60}, expected 1 to {max_length} printable characters.", claim=name
        )
    return value
