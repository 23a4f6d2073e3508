"""Validate back-channel logout tokens.

Source: OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timezone

from .errors import TokenError
from .jwks import KeySource
from .token_checks import check_audience, check_issuer, numeric_date, optional_text, verify_signature
from .types import LogoutTokenClaims

__all__ = ["LOGOUT_EVENT", "validate_logout_token"]

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

_MAX_AGE_SECONDS = 120


def validate_logout_token(
    token: object,
    *,
    keys: KeySource,
    algorithms: Sequence[str],
    types: Collection[str | None],
    issuer: str,
    former_issuers: Collection[str] = (),
    client_id: str,
    leeway_seconds: int,
    now: float,
) -> LogoutTokenClaims:
    """Return the claims of a back-channel logout token that passed every check, with `issuer` as their issuer.

    `types` are the accepted values of `typ`, see `verify_signature`. `now` is in seconds since the epoch. The logout
    tokens of Logto 1.41 have no `exp`, so `iat` limits the age of all.

    Raise TokenError naming the first claim that failed: answer 400 and log it. Raise ProviderError when the keys
    cannot be fetched. Source: OpenID Connect Back-Channel Logout 1.0, section 2.6.
    """
    _, claims = verify_signature(token, keys=keys, algorithms=algorithms, types=types)
    check_issuer(claims, issuer, former_issuers)
    check_audience(claims, client_id)
    iat = numeric_date(claims, "iat")
    if not now - _MAX_AGE_SECONDS - leeway_seconds <= iat <= now + leeway_seconds:
        raise TokenError(f"The logout token was issued {now - iat:.0f} s ago; check the clocks.", claim="iat")
    if "exp" in claims and now >= numeric_date(claims, "exp") + leeway_seconds:
        raise TokenError("The logout token has expired.", claim="exp")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise TokenError(f"The token does not have the event {LOGOUT_EVENT}.", claim="events")
    if "nonce" in claims:
        raise TokenError("The token has a nonce, which a logout token must not have.", claim="nonce")
    sub, sid, jti = (optional_text(claims, name) for name in ("sub", "sid", "jti"))
    if sub is None and sid is None:
        raise TokenError("The token has neither sub nor sid.", claim="sub")
    if jti is None:
        raise TokenError("The token has no jti, which detects replays.", claim="jti")
    return LogoutTokenClaims(
        issuer=issuer,
        sub=sub,
        sid=sid,
        jti=jti,
        issued_at=datetime.fromtimestamp(iat, tz=timezone.utc),
        max_age_seconds=_MAX_AGE_SECONDS + 2 * leeway_seconds,
    )
