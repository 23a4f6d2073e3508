"""Checks of signed tokens: every rule once, each with its own message, and nothing trusted before all have passed.

Sources: OpenID Connect Core 1.0, section 3.1.3.7; RFC 7519; RFC 8725; how Logto writes its tokens.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Collection, Sequence
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, TypeGuard

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from logto_auth.exceptions import TokenError

from .jwks import KeySource
from .types import Claims, LogoutTokenClaims

MAX_TOKEN_LENGTH = 256 * 1024
MAX_SUB_LENGTH = 255
MAX_ISSUED_SECONDS_AGO = 24 * 3600
MAX_NUMERIC_DATE = 1e12
MAX_LOGOUT_TOKEN_SECONDS = 120
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
# What stays the same when an ID token is refreshed, if it is there at all (OpenID Connect Core 1.0, section 12.2).
REPEATED_CLAIMS = ("nonce", "auth_time")
DIGESTS = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}

COMPACT_JWS = re.compile(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*")

_jws = PyJWS()


def validate_id_token(
    token: object,
    *,
    keys: KeySource,
    algorithms: Sequence[str],
    issuer: str,
    client_id: str,
    nonce: str | None,
    access_token: str | None,
    leeway_seconds: int,
    now: float,
) -> Claims:
    """The claims of an ID token that passed every check, read-only.

    `nonce` is the one sent with the authorization request; `now` is in seconds since the epoch. A `nonce` of None is
    for refreshed tokens, where the caller compares with the first. Raises TokenError naming the first claim that
    failed. Source: OpenID Connect Core 1.0, sections 3.1.3.6 and 3.1.3.7.
    """
    # Logto writes JWT. Access and logout tokens have types of their own and must not pass for an ID token.
    header, claims = verify_signature(token, keys=keys, algorithms=algorithms, types={"jwt", None})
    check_issuer(claims, issuer)
    _check_audience(claims, client_id)
    _, iat = check_times(claims, leeway_seconds=leeway_seconds, now=now)
    if iat < now - MAX_ISSUED_SECONDS_AGO:
        raise TokenError("The token was issued more than a day ago, expected a fresh one.", claim="iat")
    check_sub(claims)
    if nonce is not None:
        _check_nonce(claims, nonce)
    if access_token is not None and "at_hash" in claims:
        _check_at_hash(claims, access_token, header["alg"])
    return MappingProxyType(claims)


def validate_logout_token(
    token: object,
    *,
    keys: KeySource,
    algorithms: Sequence[str],
    types: Collection[str | None],
    issuer: str,
    client_id: str,
    leeway_seconds: int,
    now: float,
) -> LogoutTokenClaims:
    """The claims of a back-channel logout token that passed every check.

    Logto's has no `exp`, so its age is bounded by `iat`. Raises TokenError naming the first claim that failed: answer
    400 and log it. Source: OpenID Connect Back-Channel Logout 1.0, section 2.6.
    """
    _, claims = verify_signature(token, keys=keys, algorithms=algorithms, types=types)
    check_issuer(claims, issuer)
    _check_audience(claims, client_id)
    iat = numeric_date(claims, "iat")
    if not now - MAX_LOGOUT_TOKEN_SECONDS - leeway_seconds <= iat <= now + leeway_seconds:
        raise TokenError(f"The logout token was issued {now - iat:.0f} s ago; compare the clocks.", claim="iat")
    if "exp" in claims and now >= numeric_date(claims, "exp") + leeway_seconds:
        raise TokenError("The logout token has ended.", claim="exp")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise TokenError(f"The token does not announce the event {LOGOUT_EVENT}.", claim="events")
    if "nonce" in claims:
        raise TokenError("The token has a nonce, which a logout token never has.", claim="nonce")
    sub, sid, jti = (optional_text(claims, name) for name in ("sub", "sid", "jti"))
    if sub is None and sid is None:
        raise TokenError("The token names neither a person nor a session.", claim="sub")
    if jti is None:
        raise TokenError("The token has no jti, by which a replay is known.", claim="jti")
    return LogoutTokenClaims(
        issuer=issuer,
        sub=sub,
        sid=sid,
        jti=jti,
        issued_at=datetime.fromtimestamp(iat, tz=timezone.utc),
        max_age_seconds=MAX_LOGOUT_TOKEN_SECONDS + 2 * leeway_seconds,
    )


def optional_text(claims: Claims, name: str) -> str | None:
    """A claim that is an id, None when it is missing or null. Raises TokenError when it is anything else."""
    value = claims.get(name)
    if value is None:
        return None
    if not is_id(value):
        raise TokenError(f"The token has {name} {value!r:.60}, expected a string of 1 to {MAX_SUB_LENGTH}.", claim=name)
    return value


def is_id(value: object) -> TypeGuard[str]:
    """Whether `value` can be the id of somebody or something: text that a database can hold and a log can show."""
    return isinstance(value, str) and 0 < len(value) <= MAX_SUB_LENGTH and value.isprintable()


def check_refreshed(claims: Claims, former: Claims) -> None:
    """Raise TokenError unless a refreshed ID token with `claims` continues the sign-in that brought `former`.

    Source: OpenID Connect Core 1.0, section 12.2.
    """
    if claims["sub"] != former.get("sub"):
        raise TokenError("The refreshed ID token is of somebody else.", claim="sub")
    for name in REPEATED_CLAIMS:
        if name in claims and name in former and claims[name] != former[name]:
            raise TokenError(f"The refreshed ID token has another {name} than that of the sign-in.", claim=name)


def verify_signature(
    token: object, *, keys: KeySource, algorithms: Sequence[str], types: Collection[str | None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The header and the claims of a token whose signature is right. `types` are the allowed `typ` values, lower case.

    Only `alg`, `kid` and `typ` of the header are looked at: keys that a token brings along (`jwk`, `jku`, `x5c`, `x5u`)
    count for nothing, and `crit` is refused because no extension is understood (RFC 8725, sections 3.1, 3.10 and 3.11).
    """
    if not isinstance(token, str) or not token.isascii() or len(token) > MAX_TOKEN_LENGTH:
        raise TokenError("Expected a compact JWS of reasonable size.", claim="token")
    header = _unverified_header(token)
    alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    if not isinstance(alg, str) or alg not in algorithms:
        raise TokenError(f"The token is signed with {alg!r:.40}, expected one of {', '.join(algorithms)}.", claim="alg")
    if "crit" in header or "b64" in header:
        raise TokenError("The token has critical header parameters, which are not supported.", claim="crit")
    if not (typ is None or isinstance(typ, str)) or (typ.lower() if typ else typ) not in types:
        raise TokenError(f"The token is of type {typ!r:.40}, expected {_listed(types)}.", claim="typ")
    if not (kid is None or isinstance(kid, str)):
        raise TokenError("The token has a key id that is not a string.", claim="kid")
    candidates = keys.find(kid, alg)
    if not candidates:
        raise TokenError(f"No {alg} key with the id {kid!r:.60} is among the provider's keys.", claim="kid")
    for key in candidates:
        try:
            payload = _jws.decode(token, key, algorithms=[alg])
        except PyJWTError:
            continue
        return header, _json_object(payload)
    raise TokenError("The signature of the token is wrong.", claim="signature")


def _unverified_header(token: str) -> dict[str, Any]:
    # Decoders may be lenient; then one token would have any number of spellings (RFC 7515, section 2).
    if not COMPACT_JWS.fullmatch(token):
        raise TokenError("The token is not a compact JWS: three parts in base64url, without padding.", claim="header")
    try:
        return _jws.get_unverified_header(token)
    except (PyJWTError, ValueError, RecursionError) as error:
        raise TokenError("The token is not a compact JWS with a JSON header.", claim="header") from error


def _json_object(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise TokenError("The payload of the token is not JSON.", claim="payload") from error
    if not isinstance(claims, dict):
        raise TokenError("The payload of the token is not a JSON object.", claim="payload")
    return claims


def _listed(types: Collection[str | None]) -> str:
    return " or ".join(sorted(repr(name) for name in types if name))


def check_issuer(claims: Claims, issuer: str) -> None:
    """Raise TokenError unless the token is of this very issuer."""
    if claims.get("iss") != issuer:
        raise TokenError(f"The token is of issuer {claims.get('iss')!r:.200}, expected {issuer!r}.", claim="iss")


def _check_audience(claims: Claims, client_id: str) -> None:
    """`aud` is this client, or a list with it; then `azp` has to say that it is meant for this client."""
    aud, azp = claims.get("aud"), claims.get("azp")
    audiences = aud if isinstance(aud, list) else [aud]
    if client_id not in audiences:
        raise TokenError(f"The token is for audience {aud!r:.200}, expected {client_id!r}.", claim="aud")
    if "azp" in claims and azp != client_id:
        raise TokenError(f"The token is for authorized party {azp!r:.200}, expected {client_id!r}.", claim="azp")
    if len(audiences) > 1 and "azp" not in claims:
        raise TokenError("The token has several audiences and names no authorized party.", claim="azp")


def check_times(claims: Claims, *, leeway_seconds: int, now: float) -> tuple[float, float]:
    """`exp` and `iat` of a token that is valid now. Raises TokenError."""
    exp, iat = numeric_date(claims, "exp"), numeric_date(claims, "iat")
    if now >= exp + leeway_seconds:
        raise TokenError(f"The token ended {now - exp:.0f} s ago; compare the clocks.", claim="exp")
    if iat > now + leeway_seconds:
        raise TokenError(f"The token is from {iat - now:.0f} s in the future; compare the clocks.", claim="iat")
    if "nbf" in claims and numeric_date(claims, "nbf") > now + leeway_seconds:
        raise TokenError("The token is not valid yet; compare the clocks.", claim="nbf")
    return exp, iat


def numeric_date(claims: Claims, name: str) -> float:
    """A claim that is a time, in seconds since the epoch. Raises TokenError."""
    value = claims.get(name)
    # JSON's true is an int to Python, 1e400 an infinite float, and an integer may have thousands of digits.
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < MAX_NUMERIC_DATE:
        raise TokenError(f"The token has {name} {value!r:.40}, expected seconds since the epoch.", claim=name)
    return value


def check_sub(claims: Claims) -> str:
    """The `sub` of a token. Raises TokenError when it names nobody."""
    sub = optional_text(claims, "sub")
    if sub is None:
        raise TokenError(f"The token has no sub, expected a string of 1 to {MAX_SUB_LENGTH}.", claim="sub")
    return sub


def _check_nonce(claims: Claims, nonce: str) -> None:
    value = claims.get("nonce")
    if not isinstance(value, str) or not _equal(value, nonce):
        raise TokenError("The nonce of the token is not the one of this sign-in.", claim="nonce")


def _check_at_hash(claims: Claims, access_token: str, alg: str) -> None:
    """The left half of the access token's digest, with the hash of `alg` (OpenID Connect Core 1.0, section 3.1.3.6)."""
    digest = DIGESTS[alg[-3:]](access_token.encode()).digest()
    expected = urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    at_hash = claims.get("at_hash")
    if not isinstance(at_hash, str) or not _equal(at_hash, expected):
        raise TokenError("The access token is not the one that the ID token was issued with.", claim="at_hash")


def _equal(value: str, expected: str) -> bool:
    """Whether they are equal, in constant time. JSON may smuggle in half a surrogate pair, which has no UTF-8."""
    return hmac.compare_digest(value.encode("utf-8", "surrogatepass"), expected.encode())
