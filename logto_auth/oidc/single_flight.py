"""A value that is fetched from Logto once for all threads, and kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Generic, TypeVar

from .errors import ProviderError, ProviderUnreachable

__all__ = ["SingleFlight"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Outcome(Generic[T]):
    """The result of the last call of `fetch`. It is replaced as a whole, so that readers need no lock.

    After a failure, `value` is the former one, if it may still be used. `as_of` is when a fetch began that returned the
    value, or when it failed: who has asked until then need not ask again.
    """

    value: T | None = None
    error: ProviderError | None = None
    fresh_until: float = float("-inf")
    as_of: float = float("-inf")

    @property
    def is_empty(self) -> bool:
        return self.value is None and self.error is None

    def result(self) -> T:
        return self.latest() if self.value is None else self.value

    def latest(self) -> T:
        """Return the value unless the last call failed."""
        if self.error is not None:
            # Each caller raises an error of its own: a raised error keeps the frames that it has passed through.
            raise copy(self.error) from self.error
        assert self.value is not None
        return self.value


class SingleFlight(Generic[T]):
    """Keep what `fetch` returns, and call it once when several threads need a value at the same time.

    The threads that wait share the result, also when it is an error. `fetch` raises ProviderError when it fails.

    `seconds_fresh` is how long a value is used before it is fetched again: a number, or a function of the value.
    With `keep_stale` an old value remains in use while another thread fetches a new one, and when the fetch fails;
    the next attempt then waits for `cool_down_seconds`. Without it an old value is never returned. While there is no
    value, a failure is shared for `retry_seconds`. All of these are seconds of `clock`.
    """

    def __init__(
        self,
        fetch: Callable[[], T],
        *,
        seconds_fresh: float | Callable[[T], float],
        keep_stale: bool = True,
        cool_down_seconds: float = 0,
        retry_seconds: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._seconds_fresh = seconds_fresh
        self._keep_stale = keep_stale
        self._cool_down_seconds = cool_down_seconds
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._fetch_lock = threading.Lock()
        # None while no fetch is under way.
        self._fetching_since: float | None = None
        self._outcome: _Outcome[T] = _Outcome()
        self._no_attempt_before = float("-inf")

    def get(self) -> T:
        """Return the value, fetched if it is missing or too old. Raise ProviderError if there is none."""
        outcome = self._outcome
        if self._clock() < outcome.fresh_until:
            return outcome.result()
        # An old value may be returned at once while another thread fetches.
        return self._fetch_once(outcome, wait=outcome.value is None or not self._keep_stale)

    def renew(self, *, seconds_between: float) -> T:
        """Return a value whose fetch began after this call. Raise ProviderError when the fetch fails.

        Fetches begin at least `seconds_between` apart. Wait for that, and for a fetch that is under way.
        """
        asked_at = self._clock()
        with self._fetch_lock:
            outcome = self._outcome
            if outcome.as_of < asked_at:
                time.sleep(max(0, outcome.as_of + seconds_between - self._clock()))
                outcome = self._outcome = self._fetched(outcome)
        return outcome.latest()

    def try_to_renew(self, *, seconds_between: float) -> T:
        """Return a new value, at most once in `seconds_between` for all callers, and the present one in between.

        Wait for a fetch that is under way. Raise ProviderError when it takes longer than `seconds_between`, and until
        the end of the cool-down when the last fetch failed.
        """
        fetching_since = self._fetching_since
        fetching_seconds = 0 if fetching_since is None else self._clock() - fetching_since
        if not self._fetch_lock.acquire(timeout=max(0, seconds_between - fetching_seconds)):
            raise ProviderUnreachable("Logto has not answered yet. Another request is waiting for it.")
        try:
            outcome, now = self._outcome, self._clock()
            if now >= max(self._no_attempt_before, outcome.fresh_until if outcome.error else 0):
                self._no_attempt_before = now + seconds_between
                outcome = self._outcome = self._fetched(outcome)
        finally:
            self._fetch_lock.release()
        return outcome.latest()

    def forget(self, value: T) -> None:
        """Stop using `value`, unless another value has already replaced it."""
        if self._outcome.value == value:
            self._outcome = _Outcome()

    def _fetch_once(self, seen: _Outcome[T], *, wait: bool) -> T:
        """Fetch, unless another thread has done so since the caller has `seen` the outcome."""
        if not self._fetch_lock.acquire(blocking=wait):
            return seen.result()
        try:
            outcome = self._outcome
            if outcome is seen or outcome.is_empty:
                outcome = self._outcome = self._fetched(outcome)
        finally:
            self._fetch_lock.release()
        return outcome.result()

    def _fetched(self, previous: _Outcome[T]) -> _Outcome[T]:
        began_at = self._fetching_since = self._clock()
        try:
            value = self._fetch()
        except ProviderError as error:
            failed_at = self._clock()
            if self._keep_stale and previous.value is not None:
                return _Outcome(previous.value, error, failed_at + self._cool_down_seconds, failed_at)
            # Without `retry_seconds` no later call gets the error, even if the clock is set back.
            fresh_until = failed_at + self._retry_seconds if self._retry_seconds else float("-inf")
            return _Outcome(None, error, fresh_until, failed_at)
        finally:
            self._fetching_since = None
        seconds = self._seconds_fresh(value) if callable(self._seconds_fresh) else self._seconds_fresh
        return _Outcome(value, None, self._clock() + seconds, began_at)
