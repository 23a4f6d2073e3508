"""Verify the access tokens that come with requests to an API of this site, without a call to Logto.

Sources: RFC 9068, section 4; RFC 8725; RFC 7662; the tokens that Logto issues.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence

from logto_auth.telemetry import CACHE_LOOKUPS

from .claims import MAX_CLIENT_ID_LENGTH, frozen, is_name
from .errors import TokenError
from .jwks import KeySet, KeySource, RemoteKeySet
from .secrets import Secret, as_secret
from .token_checks import check_issuer, check_sub, check_times, numeric_date, optional_text, verify_signature
from .types import ORGANIZATION_AUDIENCE, AccessTokenClaims, Claims

__all__ = [
    "AccessTokenVerifier",
    "check_introspection",
    "is_opaque",
    "validate_access_token",
    "validate_issued_access_token",
]

_TYPES = frozenset({"at+jwt", "application/at+jwt"})
_MAX_AUDIENCE_LENGTH = 2048


class AccessTokenVerifier:
    """Verify the access tokens of one provider. Safe to share between threads.

    Up to `cache_size` verified tokens are remembered by their digest. A remembered token is accepted until its `exp`,
    and only while the provider's keys are the ones that verified it. The cache belongs to the process: a shared cache
    would let everyone who can write to it create tokens.
    """

    def __init__(
        self,
        *,
        issuer: str,
        former_issuers: Sequence[str] = (),
        keys: RemoteKeySet,
        algorithms: Sequence[str],
        leeway_seconds: int,
        cache_size: int,
    ) -> None:
        self._issuer = issuer
        self._former_issuers = tuple(former_issuers)
        self._keys = keys
        self._algorithms = tuple(algorithms)
        self._leeway_seconds = leeway_seconds
        self._cache_size = cache_size
        self._known: dict[bytes, tuple[AccessTokenClaims, KeySet]] = {}
        self._lock = threading.Lock()

    def verify_for_resource(self, token: str | Secret, resource: str) -> AccessTokenClaims:
        """Return the claims of an access token for the API `resource`, with or without an organization.

        Raise TokenError naming the first claim that failed: answer 401. Raise ProviderError when the keys cannot be
        fetched: answer 503.
        """
        token = as_secret(token)
        claims = self._verify(token)
        if claims.audience != resource:
            raise TokenError(
                f"The token is for {claims.audience!r:.200}, expected {resource!r}. Ask Logto for one with that "
                "resource.",
                claim="aud",
            )
        return claims

    def verify_for_organization(self, token: str | Secret) -> AccessTokenClaims:
        """Return the claims of an organization token, for any organization. Raise TokenError, ProviderError."""
        token = as_secret(token)
        claims = self._verify(token)
        if not claims.is_organization_token:
            raise TokenError(
                f"The token is for {claims.audience!r:.200}, expected an organization. Ask Logto for one with "
                "organization_id and without resource.",
                claim="aud",
            )
        return claims

    def _verify(self, token: Secret) -> AccessTokenClaims:
        digest = hashlib.sha256(token.reveal().encode("utf-8", "surrogatepass")).digest()
        now = time.time()
        known = self._known.get(digest)
        if known is not None and now < known[0].expires_at and known[1] is self._keys.current():
            CACHE_LOOKUPS.add(cache="access_tokens", hit=True)
            return known[0]
        CACHE_LOOKUPS.add(cache="access_tokens", hit=False)
        claims, keys = self._validate(token, now)
        self._remember(digest, claims, keys)
        return claims

    def _validate(self, token: Secret, now: float) -> tuple[AccessTokenClaims, KeySet]:
        _refuse_opaque(token)
        # When the verification fetches newer keys, the token is remembered with the older ones, and not found again.
        keys = self._keys.current()
        claims = validate_access_token(
            token,
            keys=self._keys,
            algorithms=self._algorithms,
            issuer=self._issuer,
            former_issuers=self._former_issuers,
            leeway_seconds=self._leeway_seconds,
            now=now,
        )
        return claims, keys

    def _remember(self, digest: bytes, claims: AccessTokenClaims, keys: KeySet) -> None:
        if not self._cache_size:
            return
        with self._lock:
            self._known.pop(digest, None)
            self._known[digest] = (claims, keys)
            while len(self._known) > self._cache_size:
                del self._known[next(iter(self._known))]


def validate_access_token(
    token: object,
    *,
    keys: KeySource,
    algorithms: Sequence[str],
    issuer: str,
    former_issuers: Sequence[str] = (),
    leeway_seconds: int,
    now: float,
) -> AccessTokenClaims:
    """Return the claims of a JWT access token that passed every check except one: the caller checks `audience`.

    Their issuer is `issuer`, also for a token of one of `former_issuers`, because a user has the same `sub` at each.
    `now` is in seconds since the epoch. The age of the token is limited by its `exp` only.

    Raise TokenError naming the first claim that failed, and ProviderError when the keys cannot be fetched.
    Source: RFC 9068, section 4.
    """
    # ID tokens and logout tokens have other types, and are not accepted as access tokens.
    _, claims = verify_signature(token, keys=keys, algorithms=algorithms, types=_TYPES)
    check_issuer(claims, issuer, former_issuers)
    audience = _audience(claims)
    exp, _ = check_times(claims, leeway_seconds=leeway_seconds, now=now)
    sub, client_id = check_sub(claims), _client_id(claims)
    return AccessTokenClaims(
        issuer=issuer,
        audience=audience,
        sub=sub,
        client_id=client_id,
        scopes=_scopes(claims),
        organization_id=_organization_id(claims, audience),
        expires_at=exp,
        claims=frozen(claims),
    )


def validate_issued_access_token(
    token: Secret,
    *,
    keys: KeySource,
    algorithms: Sequence[str],
    issuer: str,
    audience: str,
    client_id: str,
    sub: str | None,
    leeway_seconds: int,
    now: float,
) -> AccessTokenClaims:
    """Return the claims of a JWT access token that Logto has issued to this client, in a response about the user `sub`.

    `audience` is the API resource or the organization that the token is for. Without `sub`, the token may be of any
    user. It passed the checks of `validate_access_token`. Raise what that function raises.
    """
    _refuse_opaque(token)
    claims = validate_access_token(
        token, keys=keys, algorithms=algorithms, issuer=issuer, leeway_seconds=leeway_seconds, now=now
    )
    for name, value, expected in (
        ("aud", claims.audience, audience),
        ("client_id", claims.client_id, client_id),
        ("sub", claims.sub, sub),
    ):
        if expected is not None and value != expected:
            raise TokenError(f"The access token has {name} {value!r:.200}, expected {expected!r}.", claim=name)
    return claims


def check_introspection(answer: Claims, *, issuer: str, now: float) -> AccessTokenClaims:
    """Return the claims of an opaque access token that Logto's introspection reports as active.

    `answer` is the introspection response; `now` is in seconds since the epoch. Raise TokenError naming the first
    member that failed. Source: RFC 7662, section 2.2.
    """
    if answer.get("active") is not True:
        raise TokenError("Logto does not know this opaque access token, or it has expired.", claim="active")
    if answer.get("token_type") != "Bearer":
        # Logto also introspects refresh tokens, and reports no type for them.
        raise TokenError("The token is not an access token.", claim="token_type")
    check_issuer(answer, issuer)
    exp = numeric_date(answer, "exp")
    if now >= exp:
        raise TokenError("The opaque access token has expired.", claim="exp")
    sub, client_id = check_sub(answer), _client_id(answer)
    return AccessTokenClaims(
        issuer=issuer,
        audience="",
        sub=sub,
        client_id=client_id,
        scopes=_scopes(answer),
        organization_id=None,
        expires_at=exp,
        claims=frozen(answer),
    )


def is_opaque(token: str | Secret) -> bool:
    """Return whether `token` can only be an opaque access token: a JWT has dots."""
    return "." not in as_secret(token).reveal()


def _refuse_opaque(token: Secret) -> None:
    if is_opaque(token):
        raise TokenError(
            "This is an opaque access token, which only Logto itself can read. Ask Logto for a JWT: send resource with "
            "the authorization request, and again with the token request.",
            claim="token",
        )


def _audience(claims: Claims) -> str:
    """Return the only audience. With several audiences it is unclear which of them the scopes are for."""
    aud = claims.get("aud")
    if isinstance(aud, list) and len(aud) == 1:
        aud = aud[0]
    if not isinstance(aud, str) or not 0 < len(aud) <= _MAX_AUDIENCE_LENGTH:
        raise TokenError(f"The token is for audience {aud!r:.200}, expected one, as a string.", claim="aud")
    return aud


def _client_id(claims: Claims) -> str:
    client_id = optional_text(claims, "client_id", max_length=MAX_CLIENT_ID_LENGTH)
    if client_id is None:
        raise TokenError("The token has no client_id, expected the application that requested it.", claim="client_id")
    return client_id


def _scopes(claims: Claims) -> frozenset[str]:
    """Return the scopes. A machine without permissions has a token without this claim."""
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise TokenError(f"The token has scope {scope!r:.60}, expected names separated by spaces.", claim="scope")
    # Only a space separates scopes, no other white space (RFC 6749, section 3.3).
    return frozenset(name for name in scope.split(" ") if name)


def _organization_id(claims: Claims, audience: str) -> str | None:
    """Return the organization of the audience, or the one in the claim of a token for an API resource."""
    if not audience.startswith(ORGANIZATION_AUDIENCE):
        return optional_text(claims, "organization_id")
    organization_id = audience.removeprefix(ORGANIZATION_AUDIENCE)
    if not is_name(organization_id):
        raise TokenError(f"The token is for {audience!r:.200}, which is not an organization.", claim="aud")
    return organization_id
