"""Token exchange: access tokens for the user of another token.

Sources: RFC 8693; the tokens that Logto accepts and issues.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from logto_auth.telemetry import CACHE_LOOKUPS

from .access_tokens import is_opaque, validate_access_token, validate_issued_access_token
from .claims import is_name
from .errors import ProviderError, TokenError
from .oauth_errors import Fault, Meaning
from .provider import Provider
from .secrets import Secret, as_secret, hide_frames
from .single_flight import SingleFlight
from .token_endpoint import (
    CREDENTIALS_HINT,
    ClientSecretBasic,
    expires_in,
    is_token,
    scopes_of,
    token_request,
)
from .types import ORGANIZATION_AUDIENCE, AccessTokenClaims, IssuedToken

__all__ = ["REVOCATION_SECONDS", "ExchangedToken", "TokenExchange"]

REVOCATION_SECONDS = 60
"""For how long the result for a token that Logto can revoke is kept, by default."""

_GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
_CACHE_SIZE = 1000
# Logto's subject tokens expire after 10 minutes. After that it refuses them itself.
_USED_SECONDS = 660
_MAX_USED = 1000
# Logto's opaque access tokens have 43 characters, personal access tokens 36, and subject tokens 25.
_MAX_LENGTH = 256
_MAX_JWT_LENGTH = 16 * 1024
# The codes of a ProviderError when Logto has refused the request.
_REFUSALS = frozenset({"access_denied", "client_rejected", "code_rejected"})
_SUBJECT_PREFIX = "sub_"
_PERSONAL_PREFIX = "pat_"

_MEANINGS = {
    ("invalid_request", "requested grant type is not allowed for this client"): Meaning(
        Fault.OPERATOR,
        'Switch on "Allow token exchange" for the application in the Logto Console, under Applications. Logto does not '
        "allow it for third-party applications: use a first-party one.",
    ),
    ("unsupported_grant_type", "unsupported grant_type requested"): Meaning(
        Fault.OPERATOR, "This Logto is too old for token exchange, or the endpoint is not that of Logto."
    ),
}


@dataclass(frozen=True)
class _Kind:
    """A kind of subject tokens. `causes` are why Logto refuses one: its answer is the same for all of them."""

    name: str
    token_type: str
    causes: str
    works_once: bool = False


_SUBJECT_TOKEN = _Kind(
    "subject token",
    "urn:ietf:params:oauth:token-type:access_token",
    "It is unknown, older than 10 minutes or already used, or its user is suspended or deleted. Create another one.",
    works_once=True,
)
_PERSONAL_ACCESS_TOKEN = _Kind(
    "personal access token",
    "urn:logto:token-type:personal_access_token",
    "It is unknown, deleted or expired, or its user is suspended or deleted.",
)
_ACCESS_TOKEN = _Kind(
    "access token",
    "urn:ietf:params:oauth:token-type:access_token",
    "It is unknown, expired or revoked, it belongs to a third-party application or to no user, or its user is "
    "suspended or deleted.",
)


@dataclass(frozen=True, kw_only=True)
class ExchangedToken(IssuedToken):
    """An access token of a token exchange. A JWT passed every check."""

    resource: str | None
    """The API resource that the token was requested for; None if it was requested for none."""
    organization_id: str | None
    """The organization that the token was requested for; None if it was requested for none."""
    claims: AccessTokenClaims | None
    """The checked claims; None for an opaque token, which only Logto can read."""

    @property
    def sub(self) -> str | None:
        """The ID of the user at Logto; None for an opaque token."""
        return self.claims.sub if self.claims else None

    @property
    def actor_sub(self) -> str | None:
        """The ID of the user who acts for the user of the token, by the claim `act`; None if it names none."""
        act = self.claims.claims.get("act") if self.claims else None
        sub = act.get("sub") if isinstance(act, Mapping) else None
        return sub if is_name(sub) else None


@dataclass(frozen=True)
class _Purpose:
    """What a token is requested for."""

    resource: str | None
    organization_id: str | None
    scopes: tuple[str, ...]
    actor_token: Secret | None

    def parameters(self) -> dict[str, str | Secret]:
        optional: dict[str, str | Secret | None] = {
            "resource": self.resource,
            "organization_id": self.organization_id,
            "scope": " ".join(self.scopes),
            "actor_token": self.actor_token,
            "actor_token_type": _ACCESS_TOKEN.token_type if self.actor_token else None,
        }
        return {name: value for name, value in optional.items() if value}

    @property
    def audience(self) -> str | None:
        """The audience of the requested JWT; None when an opaque token is requested."""
        if self.organization_id and not self.resource:
            return f"{ORGANIZATION_AUDIENCE}{self.organization_id}"
        return self.resource


class TokenExchange:
    """Exchange tokens at `provider`, as an application that Logto allows it to. Safe to share between threads.

    A result is kept for the same subject token and the same purpose, so keep this object. It is kept until shortly
    before it expires, and never longer than the subject token is valid. Logto can revoke personal access tokens and
    opaque access tokens: their results are kept for at most `revocation_seconds`. A subject token (`sub_...`) works
    once, and its result is not kept. At most `cache_size` results are kept, by the digest of the subject token.

    Logto grants only the `scopes` that are requested by name. Subject and new token are independent: Logto may grant
    more scopes than the subject token has.

    `leeway_seconds` is how far the clocks of Logto and the site may differ. `hint` is added to the error when Logto
    rejects the credentials of the application.

    All methods raise TokenError and ProviderError. The `claim` of a TokenError is `subject_token` or `actor_token` if
    Logto does not accept one of these. Otherwise it names the claim of the new token that failed a check. The `error`
    of a ProviderError is `invalid_target` for an unknown resource, and `access_denied` when the user is not a member of
    the organization. Its `code` is `client_rejected` when the application may not exchange tokens.
    """

    def __init__(
        self,
        provider: Provider,
        *,
        client_id: str,
        client_secret: Secret,
        leeway_seconds: int,
        hint: str = CREDENTIALS_HINT,
        revocation_seconds: float = REVOCATION_SECONDS,
        cache_size: int = _CACHE_SIZE,
    ) -> None:
        self.client_id = client_id
        self._provider = provider
        self._auth = ClientSecretBasic(client_id, client_secret, hint)
        self._leeway_seconds = leeway_seconds
        self._revocation_seconds = revocation_seconds
        self._cache_size = cache_size
        self._kept: dict[bytes, tuple[ExchangedToken, float]] = {}
        self._flights: dict[bytes, SingleFlight[ExchangedToken]] = {}
        self._used: dict[bytes, float] = {}
        self._lock = threading.Lock()

    def exchange_subject_token(
        self,
        subject_token: str | Secret,
        *,
        resource: str | None = None,
        organization_id: str | None = None,
        scopes: Iterable[str] = (),
        actor_token: str | Secret | None = None,
    ) -> ExchangedToken:
        """Return a token for the user of a subject token (`sub_...`), which the Management API has created.

        The subject token can be used once. Another call with it is refused, also while the first one is running, and
        after a call in which Logto failed or did not answer: it may have used the token. When Logto has refused the
        request, it stays usable.

        See `exchange_access_token` for `actor_token`, and the class for what is raised.
        """
        subject_token = as_secret(subject_token)
        _check_prefixed(_SUBJECT_TOKEN, subject_token, _SUBJECT_PREFIX)
        purpose = _purpose(resource, organization_id, scopes, actor_token)
        digest = _digest(subject_token)
        # Without the metadata nothing can be sent, so the subject token stays usable.
        self._provider.metadata  # noqa: B018
        self._reserve(digest)
        try:
            return self._exchanged(_SUBJECT_TOKEN, subject_token, purpose, sub=None)
        except ProviderError as error:
            # Logto refuses a request before it uses the token up. Any other failure may have happened after that.
            if error.code in _REFUSALS:
                with self._lock:
                    self._used.pop(digest, None)
            _explain(error, _SUBJECT_TOKEN, purpose)
            raise

    def exchange_personal_access_token(
        self,
        personal_access_token: str | Secret,
        *,
        resource: str | None = None,
        organization_id: str | None = None,
        scopes: Iterable[str] = (),
        actor_token: str | Secret | None = None,
    ) -> ExchangedToken:
        """Return a token for the user of a personal access token (`pat_...`).

        See `exchange_access_token` for `actor_token`, and the class for what is kept and raised.
        """
        personal_access_token = as_secret(personal_access_token)
        _check_prefixed(_PERSONAL_ACCESS_TOKEN, personal_access_token, _PERSONAL_PREFIX)
        purpose = _purpose(resource, organization_id, scopes, actor_token)
        return self._shared(_PERSONAL_ACCESS_TOKEN, personal_access_token, purpose)

    def exchange_access_token(
        self,
        access_token: str | Secret,
        *,
        resource: str | None = None,
        organization_id: str | None = None,
        scopes: Iterable[str] = (),
        actor_token: str | Secret | None = None,
    ) -> ExchangedToken:
        """Return a token for the user of an access token of a first-party application, a JWT or an opaque one.

        A JWT is verified before it is sent. Its audience may be any: call this only for a token that the site has
        accepted, because the new token may have more scopes.

        `actor_token` is an opaque access token with the scope `openid`, of the user who acts for the user of the
        subject token. A JWT names that user in the claim `act`, see `ExchangedToken.actor_sub`. An opaque token does
        not, so an actor token needs `resource` or `organization_id`; without both it is a ValueError.

        See the class for what is kept and raised.
        """
        access_token = as_secret(access_token)
        _check_access_token(access_token)
        return self._shared(_ACCESS_TOKEN, access_token, _purpose(resource, organization_id, scopes, actor_token))

    def forget(self, token: ExchangedToken) -> None:
        """Exchange again at the next use, because an API has refused `token`."""
        with self._lock:
            for digest in [digest for digest, (kept, _) in self._kept.items() if kept == token]:
                del self._kept[digest]

    # Subject tokens that work once

    def _reserve(self, digest: bytes) -> None:
        """Remember that a subject token is used, before it is sent. Raise TokenError if it was used before."""
        now = time.time()
        with self._lock:
            until = self._used.get(digest)
            if until is not None and now < until:
                raise TokenError(
                    "The subject token was sent to Logto before, and it works once. Create another one.",
                    claim="subject_token",
                )
            self._used.pop(digest, None)
            self._used[digest] = now + _USED_SECONDS
            while len(self._used) > _MAX_USED:
                del self._used[next(iter(self._used))]

    # Tokens that work many times

    def _shared(self, kind: _Kind, subject_token: Secret, purpose: _Purpose) -> ExchangedToken:
        """Return the kept result, or that of an exchange which all threads with the same request share."""
        digest = _digest(kind.name, subject_token, *_parts(purpose))
        kept = self._usable(digest)
        CACHE_LOOKUPS.add(cache="exchanged_tokens", hit=kept is not None)
        if kept is not None:
            return kept
        subject = None if kind is not _ACCESS_TOKEN or is_opaque(subject_token) else self._verified(subject_token)

        def exchange() -> ExchangedToken:
            # Another thread may have finished since this one has looked.
            token = self._usable(digest)
            if token is None:
                token = self._exchanged(kind, subject_token, purpose, sub=subject.sub if subject else None)
                self._keep(digest, token, self._kept_until(token, subject, purpose))
            return token

        flight = self._flights.setdefault(digest, SingleFlight(exchange, seconds_fresh=0, keep_stale=False))
        try:
            return flight.get()
        except ProviderError as error:
            _explain(error, kind, purpose)
            raise
        finally:
            with self._lock:
                if self._flights.get(digest) is flight:
                    del self._flights[digest]

    def _usable(self, digest: bytes) -> ExchangedToken | None:
        found = self._kept.get(digest)
        return found[0] if found is not None and time.time() < found[1] else None

    def _kept_until(self, token: ExchangedToken, subject: AccessTokenClaims | None, purpose: _Purpose) -> float:
        now = time.time()
        times = [now + token.seconds_usable()]
        if subject is not None:
            times.append(subject.expires_at)
        if subject is None or purpose.actor_token is not None:
            times.append(now + self._revocation_seconds)
        return min(times)

    def _keep(self, digest: bytes, token: ExchangedToken, until: float) -> None:
        if until <= time.time():
            return
        with self._lock:
            self._kept.pop(digest, None)
            self._kept[digest] = (token, until)
            while len(self._kept) > self._cache_size:
                del self._kept[next(iter(self._kept))]

    def _verified(self, access_token: Secret) -> AccessTokenClaims:
        """Return the claims of a JWT that is to be exchanged. Raise TokenError and ProviderError.

        Older versions of Logto also exchange ID tokens. The type is checked here for all versions.
        """
        try:
            claims = validate_access_token(
                access_token,
                keys=self._provider.keys,
                algorithms=self._provider.algorithms,
                # Logto does not exchange a token of a former issuer.
                issuer=self._provider.issuer,
                leeway_seconds=self._leeway_seconds,
                now=time.time(),
            )
        except TokenError as error:
            raise _refused(_ACCESS_TOKEN, str(error)) from error
        if claims.is_machine:
            raise _refused(_ACCESS_TOKEN, "It belongs to a machine-to-machine application, not to a user.")
        return claims

    # The exchange

    def _exchanged(self, kind: _Kind, subject_token: Secret, purpose: _Purpose, *, sub: str | None) -> ExchangedToken:
        """Send the request and return the checked result. Raise ProviderError, and TokenError for a wrong result."""
        answer = token_request(
            self._provider,
            {
                "grant_type": _GRANT_TYPE,
                "subject_token": subject_token,
                "subject_token_type": kind.token_type,
                **purpose.parameters(),
            },
            auth=self._auth,
            may_repeat=not kind.works_once,
            meanings=_MEANINGS,
        )
        access_token: Secret = answer["access_token"]
        claims = self._checked(access_token, purpose, sub=sub)
        expires_at = time.time() + expires_in(answer)
        token = ExchangedToken(
            access_token=access_token,
            expires_at=min(expires_at, claims.expires_at) if claims else expires_at,
            scopes=claims.scopes if claims else scopes_of(answer),
            resource=purpose.resource,
            organization_id=purpose.organization_id,
            claims=claims,
        )
        _check_granted(token, purpose)
        return token

    def _checked(self, access_token: Secret, purpose: _Purpose, *, sub: str | None) -> AccessTokenClaims | None:
        """Return the claims of a new JWT that passed every check, or None for an opaque token. Raise TokenError."""
        if purpose.audience is None:
            if not is_opaque(access_token):
                raise TokenError("Logto has issued a JWT, expected an opaque access token.", claim="aud")
            return None
        claims = validate_issued_access_token(
            access_token,
            keys=self._provider.keys.trusted,
            algorithms=self._provider.algorithms,
            issuer=self._provider.issuer,
            audience=purpose.audience,
            client_id=self.client_id,
            sub=sub,
            leeway_seconds=self._leeway_seconds,
            now=time.time(),
        )
        if claims.organization_id != purpose.organization_id:
            raise TokenError(
                f"The access token is for the organization {claims.organization_id!r:.200}, expected "
                f"{purpose.organization_id!r}.",
                claim="organization_id",
            )
        return claims


def _purpose(
    resource: str | None, organization_id: str | None, scopes: Iterable[str], actor_token: str | Secret | None
) -> _Purpose:
    """Return the checked purpose. Raise TokenError for an actor token that Logto would refuse, and ValueError."""
    actor_token = None if actor_token is None else as_secret(actor_token)
    names = {name for scope in scopes for name in scope.split()}
    purpose = _Purpose(resource or None, organization_id or None, tuple(sorted(names)), actor_token)
    if actor_token is not None:
        if not _is_sendable(actor_token, _MAX_LENGTH) or not is_opaque(actor_token):
            raise TokenError(
                "Logto does not accept this actor token. It must be an opaque access token with the scope openid: the "
                "one that Logto issues when no resource is requested.",
                claim="actor_token",
            )
        if purpose.audience is None:
            raise ValueError("An opaque access token does not name the actor. Pass resource or organization_id.")
    return purpose


def _parts(purpose: _Purpose) -> tuple[str | Secret | None, ...]:
    return purpose.resource, purpose.organization_id, purpose.actor_token, *purpose.scopes


@hide_frames
def _digest(*parts: str | Secret | None) -> bytes:
    """Return the SHA-256 of the parts, so that no token is stored. JSON keeps the parts apart."""
    revealed = (part.reveal() if isinstance(part, Secret) else part for part in parts)
    return hashlib.sha256(json.dumps([*revealed]).encode()).digest()


def _is_sendable(token: Secret, max_length: int) -> bool:
    return is_token(token) and len(token.reveal()) <= max_length


def _check_prefixed(kind: _Kind, token: Secret, prefix: str) -> None:
    """Raise TokenError for a text that is no such token. It is not sent to Logto."""
    if not _is_sendable(token, _MAX_LENGTH) or not token.reveal().startswith(prefix):
        raise _refused(kind, f"A {kind.name} begins with {prefix} and has at most {_MAX_LENGTH} characters.")


def _check_access_token(token: Secret) -> None:
    """Raise TokenError for a text that is no access token."""
    # Logto would use up a subject token that is sent as an access token.
    for prefix, kind in ((_SUBJECT_PREFIX, _SUBJECT_TOKEN), (_PERSONAL_PREFIX, _PERSONAL_ACCESS_TOKEN)):
        if token.reveal().startswith(prefix):
            raise _refused(_ACCESS_TOKEN, f"It is a {kind.name}, which has a method of its own.")
    max_length = _MAX_LENGTH if is_opaque(token) else _MAX_JWT_LENGTH
    if not _is_sendable(token, max_length):
        raise _refused(_ACCESS_TOKEN, f"Expected at most {max_length} printable ASCII characters.")


def _check_granted(token: ExchangedToken, purpose: _Purpose) -> None:
    """Raise TokenError for a token that can do more than was requested, or hides who acts."""
    more = token.scopes - set(purpose.scopes)
    if more:
        raise TokenError(f"Logto has granted scopes that were not requested: {sorted(more)!r:.200}.", claim="scope")
    if purpose.actor_token is not None and token.actor_sub is None:
        raise TokenError("The access token does not name the actor, although an actor token was sent.", claim="act")


def _refused(kind: _Kind, reason: str) -> TokenError:
    return TokenError(f"This {kind.name} cannot be exchanged. {reason}", claim="subject_token")


def _explain(error: ProviderError, kind: _Kind, purpose: _Purpose) -> None:
    """Raise TokenError if Logto has refused a token. Its answer is `invalid_grant`, and never says why."""
    if error.error != "invalid_grant":
        return
    causes = kind.causes
    if purpose.actor_token is not None:
        causes += " Or the actor token has expired, was revoked, or has no scope openid."
    raise _refused(kind, f"Logto answered invalid_grant. {causes}") from error
