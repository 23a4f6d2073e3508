"""Access tokens that come to an API of this site: verified here, without a call to Logto, and remembered for a while.

Sources: RFC 9068, section 4; RFC 8725; RFC 7662; how Logto writes its tokens.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Sequence
from types import MappingProxyType

from logto_auth.exceptions import TokenError

from .id_tokens import check_issuer, check_sub, check_times, is_id, numeric_date, optional_text, verify_signature
from .jwks import KeySet, KeySource, RemoteKeySet
from .types import ORGANIZATION_AUDIENCE, AccessTokenClaims, Claims

TYPES = frozenset({"at+jwt", "application/at+jwt"})
MAX_AUDIENCE_LENGTH = 2048


class AccessTokenVerifier:
    """Verifies access tokens of one provider. Safe to share between threads.

    It remembers up to `cache_size` tokens that it has verified, by their digest. A remembered token is good until its
    `exp`, and only as long as the keys are those it was verified with. The memory is the process's own: whoever could
    write to a shared one could make tokens.
    """

    def __init__(
        self, *, issuer: str, keys: RemoteKeySet, algorithms: Sequence[str], leeway_seconds: int, cache_size: int
    ) -> None:
        self._issuer = issuer
        self._keys = keys
        self._algorithms = tuple(algorithms)
        self._leeway_seconds = leeway_seconds
        self._cache_size = cache_size
        self._known: dict[bytes, tuple[AccessTokenClaims, KeySet]] = {}
        self._lock = threading.Lock()

    def verify_for_resource(self, token: str, resource: str) -> AccessTokenClaims:
        """The claims of an access token for the API `resource`, in an organization's name or not.

        Raises TokenError naming the first claim that failed: answer 401. Raises ProviderError when the keys are not
        to be had: answer 503.
        """
        claims = self._verify(token)
        if claims.audience != resource:
            raise TokenError(
                f"The token is for {claims.audience!r:.200}, expected {resource!r}. Ask Logto for one with that "
                "resource.",
                claim="aud",
            )
        return claims

    def verify_for_organization(self, token: str) -> AccessTokenClaims:
        """The claims of an organization token, whichever organization's. Raises TokenError, ProviderError."""
        claims = self._verify(token)
        if not claims.is_organization_token:
            raise TokenError(
                f"The token is for {claims.audience!r:.200}, expected an organization. Ask Logto for one with "
                "organization_id and without resource.",
                claim="aud",
            )
        return claims

    def _verify(self, token: str) -> AccessTokenClaims:
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        now = time.time()
        known = self._known.get(digest)
        if known is not None and now < known[0].expires_at and known[1] is self._keys.current():
            return known[0]
        claims, keys = self._validate(token, now)
        self._remember(digest, claims, keys)
        return claims

    def _validate(self, token: str, now: float) -> tuple[AccessTokenClaims, KeySet]:
        refuse_opaque(token)
        # Should the verification fetch newer keys, the token is remembered under the older ones, and so not found.
        keys = self._keys.current()
        claims = validate_access_token(
            token,
            keys=self._keys,
            algorithms=self._algorithms,
            issuer=self._issuer,
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
    token: str, *, keys: KeySource, algorithms: Sequence[str], issuer: str, leeway_seconds: int, now: float
) -> AccessTokenClaims:
    """The claims of a JWT access token that passed every check but one: what `audience` has to be, the caller knows.

    `now` is in seconds since the epoch. A token may be as old as it likes until its `exp`. Raises TokenError naming
    the first claim that failed. Source: RFC 9068, section 4.
    """
    # ID and logout tokens have types of their own and must not pass for an access token.
    _, claims = verify_signature(token, keys=keys, algorithms=algorithms, types=TYPES)
    check_issuer(claims, issuer)
    audience = _audience(claims)
    exp, _ = check_times(claims, leeway_seconds=leeway_seconds, now=now)
    sub, client_id = check_sub(claims), optional_text(claims, "client_id")
    if client_id is None:
        raise TokenError("The token has no client_id, expected the application that asked for it.", claim="client_id")
    return AccessTokenClaims(
        issuer=issuer,
        audience=audience,
        sub=sub,
        client_id=client_id,
        scopes=_scopes(claims),
        organization_id=_organization_id(claims, audience),
        expires_at=exp,
        claims=MappingProxyType(claims),
    )


def check_introspection(answer: Claims, *, issuer: str, now: float) -> AccessTokenClaims:
    """The claims of an opaque access token that Logto's introspection calls active. Raises TokenError.

    Source: RFC 7662, section 2.2.
    """
    if answer.get("active") is not True:
        raise TokenError("Logto does not know this opaque access token, or it has ended.", claim="active")
    if answer.get("token_type") != "Bearer":
        # Logto introspects refresh tokens as well, and gives those no type.
        raise TokenError("The token is not an access token.", claim="token_type")
    check_issuer(answer, issuer)
    exp = numeric_date(answer, "exp")
    if now >= exp:
        raise TokenError("The opaque access token has ended.", claim="exp")
    sub, client_id = check_sub(answer), optional_text(answer, "client_id")
    if client_id is None:
        raise TokenError("Logto does not say which application the token is of.", claim="client_id")
    return AccessTokenClaims(
        issuer=issuer,
        audience="",
        sub=sub,
        client_id=client_id,
        scopes=_scopes(answer),
        organization_id=None,
        expires_at=exp,
        claims=MappingProxyType(dict(answer)),
    )


def is_opaque(token: str) -> bool:
    """Whether `token` can only be an opaque access token: what has no dot is no JWT."""
    return "." not in token


def refuse_opaque(token: str) -> None:
    """Raise TokenError, which says the remedy, for an opaque access token."""
    if is_opaque(token):
        raise TokenError(
            "This is an opaque access token, which only Logto itself can read. Ask Logto for a JWT: send resource with "
            "the authorization request, and again with the token request.",
            claim="token",
        )


def _audience(claims: Claims) -> str:
    """The one audience. With several, nobody could say on whose behalf which of the scopes was given."""
    aud = claims.get("aud")
    if isinstance(aud, list) and len(aud) == 1:
        aud = aud[0]
    if not isinstance(aud, str) or not 0 < len(aud) <= MAX_AUDIENCE_LENGTH:
        raise TokenError(f"The token is for audience {aud!r:.200}, expected one, as a string.", claim="aud")
    return aud


def _scopes(claims: Claims) -> frozenset[str]:
    """The scopes as a set; none when the claim is missing, as for a machine without permissions."""
    scope = claims.get("scope", "")
    if not isinstance(scope, str):
        raise TokenError(f"The token has scope {scope!r:.60}, expected names separated by spaces.", claim="scope")
    # A space, and no other white space, separates them (RFC 6749, section 3.3).
    return frozenset(name for name in scope.split(" ") if name)


def _organization_id(claims: Claims, audience: str) -> str | None:
    """The organization in the audience, or in the claim that a token for a resource has."""
    if not audience.startswith(ORGANIZATION_AUDIENCE):
        return optional_text(claims, "organization_id")
    organization_id = audience.removeprefix(ORGANIZATION_AUDIENCE)
    if not is_id(organization_id):
        raise TokenError(f"The token is for {audience!r:.200}, which names no organization.", claim="aud")
    return organization_id
