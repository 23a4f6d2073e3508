"""Opaque access tokens: Logto is asked about each of them, within limits that made-up tokens cannot exceed.

Source: RFC 7662.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from copy import copy

from django.views.decorators.debug import sensitive_variables

from logto_auth.clients import oidc_client
from logto_auth.exceptions import ProviderError, TokenError
from logto_auth.models import make_digest
from logto_auth.oidc.client import OIDCClient
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.types import AccessTokenClaims

__all__ = ["Introspections", "introspect"]

REFUSED_SECONDS = 10
MAX_REMEMBERED = 1000
MAX_CALLS = 8
MAX_WAIT_SECONDS = 1


class _Answer:
    """The answer of Logto about one token, which threads wait for while the call is running."""

    def __init__(self) -> None:
        self.future: Future[AccessTokenClaims | tuple[str, str]] = Future()
        self.valid_until = float("inf")

    def claims(self) -> AccessTokenClaims:
        """Return the claims. Raise TokenError, ProviderError."""
        error = self.future.exception()
        if error is not None:
            # Each caller raises an error of its own: a raised error keeps the frames that it has passed through.
            raise copy(error) from error
        answer = self.future.result()
        if isinstance(answer, AccessTokenClaims):
            return answer
        message, claim = answer
        raise TokenError(message, claim=claim)


class Introspections:
    """Ask Logto about opaque tokens. Safe to share between threads.

    Requests that bring the same token at the same time share one call. A token that Logto refuses is refused again for
    `REFUSED_SECONDS` without a call. An accepted token is not remembered, because Logto may revoke it. No more than
    `MAX_CALLS` calls run at a time. The key is a digest, so no token is stored.
    """

    def __init__(self) -> None:
        self._answers: dict[str, _Answer] = {}
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(MAX_CALLS)

    @sensitive_variables()
    def claims_of(self, token: Secret) -> AccessTokenClaims:
        """Return the claims of an active access token. Raise TokenError for every other token, and ProviderError."""
        client = oidc_client()
        digest = make_digest(client.issuer, token.reveal())
        with self._lock:
            answer = self._answers.get(digest)
            is_new = answer is None or answer.valid_until < time.monotonic()
            if is_new:
                self._answers.pop(digest, None)
                answer = self._answers[digest] = _Answer()
                while len(self._answers) > MAX_REMEMBERED:
                    del self._answers[next(iter(self._answers))]
        assert answer is not None
        if is_new:
            try:
                self._call(client, token, answer)
            finally:
                with self._lock:
                    if answer.valid_until == float("inf") and self._answers.get(digest) is answer:
                        del self._answers[digest]
        return answer.claims()

    @sensitive_variables()
    def _call(self, client: OIDCClient, token: Secret, answer: _Answer) -> None:
        try:
            answer.future.set_result(self._introspected(client, token))
        except TokenError as error:
            answer.valid_until = time.monotonic() + REFUSED_SECONDS
            answer.future.set_result((str(error), error.claim))
        except ProviderError as error:
            answer.future.set_exception(error)
        except BaseException:
            # Such as SystemExit, which is only for this thread.
            answer.future.set_exception(ProviderError("The introspection of the access token was interrupted."))
            raise

    @sensitive_variables()
    def _introspected(self, client: OIDCClient, token: Secret) -> AccessTokenClaims:
        if not self._slots.acquire(timeout=MAX_WAIT_SECONDS):
            raise ProviderError("Too many opaque access tokens are being introspected.", retry_after_seconds=1)
        try:
            return client.introspect(token)
        finally:
            self._slots.release()


introspect = Introspections().claims_of
