"""API keys: personal access tokens of Logto (`pat_...`) in place of an access token.

Logto exchanges a key for an access token, whose claims are remembered. Keys that it refuses are remembered too, and
limited by the client address, so that guessing them costs Logto little.

Sources: RFC 6750; RFC 8693; the answers of Logto to `urn:logto:token-type:personal_access_token`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from copy import copy
from dataclasses import dataclass
from enum import Enum

from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from logto_auth.clients import management_api, token_exchange
from logto_auth.conf import conf
from logto_auth.exceptions import (
    LogtoError,
    ManagementAPIError,
    OrganizationRequired,
    ProviderError,
    TokenError,
    TooManyRequests,
)
from logto_auth.management_api.answers import is_suspended
from logto_auth.navigation import client_network
from logto_auth.oidc.secrets import Secret, hide_frames
from logto_auth.oidc.types import AccessTokenClaims
from logto_auth.signals import api_keys_limited
from logto_auth.site_cache import cache_failures_ignored, count, known

__all__ = ["ApiKeys", "KeyPurpose", "claims_of_key", "forget", "is_api_key"]

logger = logging.getLogger("logto_auth")

PREFIX = "pat_"
REFUSED_SECONDS = 30
MAX_REFUSED = 1000
MAX_CALLS = 8
# Keys that this process has accepted before keep the other half of the calls.
MAX_CALLS_FOR_NEW_KEYS = 4
MAX_WAIT_SECONDS = 1
# By one client address: an IPv4 address, or a network of IPv6.
MAX_REFUSALS = 30
PERIOD_SECONDS = 60
# Their kind in the cache.
REFUSALS = "refused-api-keys"


@dataclass(frozen=True)
class KeyPurpose:
    """What a key is exchanged for: an API resource, an organization, or a resource in an organization."""

    resource: str | None
    organization_id: str | None
    scopes: tuple[str, ...]
    """The permissions that are requested, sorted. Logto grants those of them that the user has."""


class _Refusal(Enum):
    """Why a key is not accepted."""

    UNKNOWN = "unknown"
    SUSPENDED = "suspended"
    ACCESS_DENIED = "access_denied"

    def error(self) -> LogtoError:
        """Return a new error: a raised one keeps the frames that it has passed through."""
        if self is _Refusal.ACCESS_DENIED:
            return OrganizationRequired(
                "Logto denied access in the exchange of an API key: its user is not a member of the organization, or "
                "a rule of the tenant refuses the user."
            )
        if self is _Refusal.SUSPENDED:
            return TokenError("The user of this API key is suspended or deleted at Logto.", claim="sub")
        return TokenError(
            "This API key is not accepted. It is unknown, revoked or expired, or its user is suspended or deleted. "
            "Create another key.",
            claim="token",
        )


@dataclass(frozen=True)
class _Accepted:
    claims: AccessTokenClaims
    seconds_usable: float


@dataclass(frozen=True)
class _Kept:
    claims: AccessTokenClaims
    valid_until: float
    """By `time.monotonic`. After it, Logto is asked again."""


class _AddressLimited(Exception):
    """The address of the thread that was to ask Logto is limited. The threads that wait may be at other addresses."""


class ApiKeys:
    """Exchange API keys at Logto and remember the results. Safe to share between threads.

    Requests that bring the same key for the same purpose at the same time share one exchange. What is remembered
    belongs to the process: the claims of up to `LOGTO_API_TOKEN_CACHE_SIZE` keys, each for `LOGTO_API_KEY_SECONDS`, and
    up to `MAX_REFUSED` refusals, each for `REFUSED_SECONDS`. They are found by a digest, so no key is stored.

    After `MAX_REFUSALS` refusals in `PERIOD_SECONDS`, keys from the same address are refused without a call to Logto,
    unless this process has accepted the key before. No more than `MAX_CALLS` exchanges run at a time.
    """

    def __init__(self) -> None:
        self._kept: dict[bytes, _Kept] = {}
        self._refused: dict[bytes, tuple[_Refusal, float]] = {}
        self._running: dict[bytes, Future[AccessTokenClaims | _Refusal]] = {}
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(MAX_CALLS)
        self._slots_for_new_keys = threading.BoundedSemaphore(MAX_CALLS_FOR_NEW_KEYS)
        # How often `forget` was called: what was asked before may no longer be true.
        self._forgotten = 0

    @sensitive_variables()
    def claims_of(self, request: HttpRequest, key: Secret, purpose: KeyPurpose) -> AccessTokenClaims:
        """Return the claims of the access token for which Logto exchanges `key`. They have no other scopes than asked.

        Raise TokenError for a key that is not accepted: answer 401. Raise OrganizationRequired if Logto denies its user
        the organization: answer 403. Raise TooManyRequests for an address with too many refusals: answer 429. Raise
        ProviderError if Logto cannot be asked: answer 503.
        """
        digest = _digest(key, purpose)
        kept = self._kept.get(digest)
        if kept is not None and time.monotonic() < kept.valid_until:
            return kept.claims
        while True:
            refused = self._refused.get(digest)
            if refused is not None and time.monotonic() < refused[1]:
                raise refused[0].error()
            # A key that was accepted before is no guess.
            is_new = digest not in self._kept
            if is_new and _is_limited(request):
                raise TooManyRequests(
                    "Too many API keys from this address were refused. Try again later.",
                    retry_after_seconds=PERIOD_SECONDS,
                )
            try:
                outcome = self._shared(digest, request, key, purpose, is_new)
            except _AddressLimited:
                continue
            if isinstance(outcome, _Refusal):
                raise outcome.error()
            return outcome

    def forget(self, sub: str) -> None:
        """Ask Logto again about all keys of the user `sub` at their next use, because one of them was revoked.

        This concerns this process only. The others remember their results for `LOGTO_API_KEY_SECONDS`.
        """
        with self._lock:
            self._forgotten += 1
            for digest in [digest for digest, kept in self._kept.items() if kept.claims.sub == sub]:
                del self._kept[digest]

    @sensitive_variables()
    def _shared(
        self, digest: bytes, request: HttpRequest, key: Secret, purpose: KeyPurpose, is_new: bool
    ) -> AccessTokenClaims | _Refusal:
        """Return what Logto answers to this thread, or to another one with the same key and purpose."""
        with self._lock:
            # Another thread may have finished since this one has looked.
            remembered = self._remembered(digest)
            if remembered is not None:
                return remembered
            running = self._running.get(digest)
            future = running or Future()
            self._running[digest] = future
        if running is None:
            self._call(digest, future, request, key, purpose, is_new)
        error = future.exception()
        if error is not None:
            # Each caller raises an error of its own: a raised error keeps the frames that it has passed through.
            raise copy(error) from error
        return future.result()

    def _remembered(self, digest: bytes) -> AccessTokenClaims | _Refusal | None:
        kept, refused, now = self._kept.get(digest), self._refused.get(digest), time.monotonic()
        if kept is not None and now < kept.valid_until:
            return kept.claims
        return refused[0] if refused is not None and now < refused[1] else None

    @sensitive_variables()
    def _call(
        self,
        digest: bytes,
        future: Future[AccessTokenClaims | _Refusal],
        request: HttpRequest,
        key: Secret,
        purpose: KeyPurpose,
        is_new: bool,
    ) -> None:
        forgotten = self._forgotten
        try:
            with self._slot(is_new=is_new):
                # The requests that were running have been counted by now.
                if is_new and _is_limited(request):
                    raise _AddressLimited
                # A slow answer says what was true when Logto was asked.
                asked_at = time.monotonic()
                outcome = _outcome(key, purpose)
            self._remember(digest, outcome, forgotten, asked_at)
            if is_new and isinstance(outcome, _Refusal):
                _count_refusal(request)
            future.set_result(outcome.claims if isinstance(outcome, _Accepted) else outcome)
        except (ProviderError, _AddressLimited) as error:
            future.set_exception(error)
        except BaseException:
            # Such as SystemExit, or a missing setting, which is only for this thread.
            future.set_exception(ProviderError("The exchange of the API key was interrupted."))
            raise
        finally:
            with self._lock:
                del self._running[digest]

    @contextmanager
    def _slot(self, *, is_new: bool) -> Iterator[None]:
        """Wait for a place among the running exchanges. Raise ProviderError if there is none soon."""
        with ExitStack() as stack:
            for slots in (self._slots_for_new_keys, self._slots) if is_new else (self._slots,):
                if not slots.acquire(timeout=MAX_WAIT_SECONDS):
                    raise ProviderError("Too many API keys are being exchanged.", retry_after_seconds=1)
                stack.callback(slots.release)
            yield

    def _remember(self, digest: bytes, outcome: _Accepted | _Refusal, forgotten: int, asked_at: float) -> None:
        now = time.monotonic()
        with self._lock:
            self._kept.pop(digest, None)
            self._refused.pop(digest, None)
            if isinstance(outcome, _Refusal):
                self._refused[digest] = (outcome, now + REFUSED_SECONDS)
            elif self._forgotten == forgotten:
                valid_until = min(asked_at + conf.api_key_seconds, now + outcome.seconds_usable)
                self._kept[digest] = _Kept(outcome.claims, valid_until)
            for remembered, size in ((self._kept, conf.api_token_cache_size), (self._refused, MAX_REFUSED)):
                while len(remembered) > max(0, size):
                    del remembered[next(iter(remembered))]


_api_keys = ApiKeys()
claims_of_key = _api_keys.claims_of
forget = _api_keys.forget


def is_api_key(token: Secret) -> bool:
    """Return whether a bearer token is an API key. One of 16 million opaque access tokens begins in the same way."""
    return token.reveal().startswith(PREFIX)


@hide_frames
def _digest(key: Secret, purpose: KeyPurpose) -> bytes:
    """Return the SHA-256 of a key, of what it is exchanged for, and of the Logto that is asked."""
    parts = (conf.issuer, key.reveal(), purpose.resource, purpose.organization_id, *purpose.scopes)
    # JSON keeps the parts apart.
    return hashlib.sha256(json.dumps(parts).encode()).digest()


# What Logto answers


@sensitive_variables()
def _outcome(key: Secret, purpose: KeyPurpose) -> _Accepted | _Refusal:
    """Ask Logto for a token, and whether its user is suspended. Raise ProviderError."""
    try:
        # What is remembered is kept here, without the access token.
        token = token_exchange(revocation_seconds=0).exchange_personal_access_token(
            key, resource=purpose.resource, organization_id=purpose.organization_id, scopes=purpose.scopes
        )
    except TokenError as error:
        if error.claim == "subject_token":
            return _Refusal.UNKNOWN
        raise ProviderError(f"The token for which Logto exchanged an API key failed a check. {error}") from error
    except ProviderError as error:
        if error.error == "access_denied":
            return _Refusal.ACCESS_DENIED
        raise
    claims = token.claims
    if claims is None or claims.is_machine:
        raise ProviderError("Logto exchanged an API key for a token that is not a user's.")
    if _is_suspended_at_logto(claims.sub):
        return _Refusal.SUSPENDED
    return _Accepted(claims, token.seconds_usable())


def _is_suspended_at_logto(sub: str) -> bool:
    """Return whether the user is suspended or deleted at Logto; False if the site has no access to the Management API.

    Logto 1.42 exchanges the personal access tokens of suspended users. Raise ProviderError if it does not answer.
    """
    if not (conf.m2m_app_id and conf.m2m_app_secret):
        return False
    try:
        return is_suspended(management_api(max_tries=1).users.get(sub))
    except ManagementAPIError as error:
        # The 404 of a proxy says nothing of the user.
        if error.is_not_found:
            return True
        if error.code == "no_permission":
            # The application may be meant for other APIs only.
            logger.warning("Logto cannot be asked whether the user of an API key is suspended: %s", error)
            return False
        raise ProviderError(
            f"Logto cannot be asked whether the user of an API key is suspended: {error}",
            retry_after_seconds=error.retry_after_seconds,
        ) from error


# The limit by address


def _is_limited(request: HttpRequest) -> bool:
    """Return whether so many keys from the address of `request` were refused that no other one is tried."""
    refusals = known(REFUSALS, client_network(request))
    return isinstance(refusals, int) and refusals >= MAX_REFUSALS


def _count_refusal(request: HttpRequest) -> None:
    network, refusals = client_network(request), 0
    # A cache that fails must not refuse good keys. Their number at a time is limited in any case.
    with cache_failures_ignored():
        refusals = count(REFUSALS, network, period_seconds=PERIOD_SECONDS)
    if refusals == MAX_REFUSALS:
        # Without the address, which is personal data. The receivers of the signal get it.
        logger.error(
            "%d API keys from one address were refused within %d seconds. Others from there are refused for that time.",
            MAX_REFUSALS,
            PERIOD_SECONDS,
        )
        api_keys_limited.send_robust(sender=ApiKeys, request=request, network=network)
