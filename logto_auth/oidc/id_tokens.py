"""Validate ID tokens.

Source: OpenID Connect Core 1.0, sections 3.1.3.6, 3.1.3.7 and 12.2.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence

from .claims import frozen, seconds_since_authentication
from .errors import TokenError
from .jwks import KeySource
from .secrets import Secret
from .token_checks import check_audience, check_issuer, check_sub, check_times, verify_signature
from .types import Claims

__all__ = ["REPEATED_CLAIMS", "check_authentication_age", "check_refreshed", "validate_id_token"]

# Claims that a refreshed ID token repeats, if it has them at all (OpenID Connect Core 1.0, section 12.2).
REPEATED_CLAIMS = ("nonce", "auth_time")

_MAX_ISSUED_SECONDS_AGO = 24 * 3600
_DIGESTS = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


def validate_id_token(
    token: object,
    *,
    keys: KeySource,
    algorithms: Sequence[str],
    issuer: str,
    client_id: str,
    nonce: str | None,
    access_token: Secret | None,
    leeway_seconds: int,
    now: float,
) -> Claims:
    """Return the claims of an ID token that passed every check. They cannot be changed.

    `nonce` is the one of the authorization request. It is None for a refreshed token, which the caller compares with
    the first one by `check_refreshed`. `now` is in seconds since the epoch.

    Raise TokenError naming the first claim that failed, and ProviderError when the keys cannot be fetched.
    Source: OpenID Connect Core 1.0, sections 3.1.3.6 and 3.1.3.7.
    """
    # Logto writes JWT. Access tokens and logout tokens have other types, and are not accepted as ID tokens.
    header, claims = verify_signature(token, keys=keys, algorithms=algorithms, types={"jwt", None})
    check_issuer(claims, issuer)
    check_audience(claims, client_id)
    _, iat = check_times(claims, leeway_seconds=leeway_seconds, now=now)
    if iat < now - _MAX_ISSUED_SECONDS_AGO:
        raise TokenError("The token was issued more than a day ago, expected a new one.", claim="iat")
    check_sub(claims)
    if nonce is not None:
        _check_nonce(claims, nonce)
    if access_token is not None and "at_hash" in claims:
        _check_at_hash(claims, access_token, header["alg"])
    return frozen(claims)


def check_refreshed(claims: Claims, former: Claims) -> None:
    """Raise TokenError unless the ID token with `claims` continues the sign-in of the one with `former`.

    Source: OpenID Connect Core 1.0, section 12.2.
    """
    if claims["sub"] != former.get("sub"):
        raise TokenError("The refreshed ID token is of another user.", claim="sub")
    for name in REPEATED_CLAIMS:
        if name in claims and name in former and claims[name] != former[name]:
            raise TokenError(f"The refreshed ID token has another {name} than the first one.", claim=name)


def check_authentication_age(claims: Claims, *, max_age_seconds: int, leeway_seconds: int, now: float) -> None:
    """Raise TokenError unless the user authenticated at most `max_age_seconds` ago, by `auth_time`.

    `now` is in seconds since the epoch. Source: OpenID Connect Core 1.0, section 3.1.3.7, number 13.
    """
    age = seconds_since_authentication(claims, now, leeway_seconds=leeway_seconds)
    if age is None or age > max_age_seconds + leeway_seconds:
        came = "at an unknown time" if age is None else f"{age:.0f} s ago"
        raise TokenError(f"The user authenticated {came}, expected at most {max_age_seconds} s ago.", claim="auth_time")


def _check_nonce(claims: Claims, nonce: str) -> None:
    value = claims.get("nonce")
    if not isinstance(value, str) or not _equal(value, nonce):
        raise TokenError("The nonce of the token is not the one of this sign-in.", claim="nonce")


def _check_at_hash(claims: Claims, access_token: Secret, alg: str) -> None:
    """Raise TokenError unless `at_hash` is the left half of the digest of the access token, by the hash of `alg`."""
    digest = _DIGESTS[alg[-3:]](access_token.reveal().encode()).digest()
    expected = urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    at_hash = claims.get("at_hash")
    if not isinstance(at_hash, str) or not _equal(at_hash, expected):
        raise TokenError("The access token is not the one that the ID token was issued with.", claim="at_hash")


def _equal(value: str, expected: str) -> bool:
    """Compare in constant time. `value` comes from JSON and may have lone surrogates, which UTF-8 cannot encode."""
    return hmac.compare_digest(value.encode("utf-8", "surrogatepass"), expected.encode())
