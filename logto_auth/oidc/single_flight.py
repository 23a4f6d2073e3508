"""A value fetched from Logto once and kept: single flight, stale rather than none, and a cool-down."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from copy import copy
from typing import Generic, TypeVar

from logto_auth.exceptions import ProviderError

T = TypeVar("T")


class Refreshed(Generic[T]):
    """Keeps what `fetch` returned for `max_age_seconds`. Safe to share between threads.

    However many threads want a value that is missing, one fetches it and all get its result, an error included. When
    the value has aged and Logto fails, the old value goes on being used, and the next try waits for the cool-down.
    While there has never been a value, whoever asks within `retry_seconds` of a failure gets that failure.
    """

    def __init__(
        self,
        fetch: Callable[[], T],
        *,
        max_age_seconds: float,
        cool_down_seconds: float,
        retry_seconds: float = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._max_age_seconds = max_age_seconds
        self._cool_down_seconds = cool_down_seconds
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._demand_lock = threading.Lock()
        self._flights = 0
        self._value: T | None = None
        self._error: ProviderError | None = None
        self._fresh_until = float("-inf")
        self._no_demand_before = float("-inf")

    def get(self) -> T:
        """The value, fetched when missing or aged. Raises ProviderError when there is none to fall back on."""
        if self._clock() < self._fresh_until:
            return self._latest()
        # With an old value at hand, nobody waits for the thread that is fetching a new one.
        return self._fly(self._flights, wait=self._value is None)

    def demand(self) -> T:
        """The value, fetched anew unless the last demand was within the cool-down."""
        if self._value is None:
            return self.get()
        flights_seen = self._flights
        with self._demand_lock:
            if self._clock() < self._no_demand_before:
                return self._value
            self._no_demand_before = self._clock() + self._cool_down_seconds
        return self._fly(flights_seen, wait=True)

    def _fly(self, flights_seen: int, *, wait: bool) -> T:
        if self._lock.acquire(blocking=wait):
            try:
                # Whoever waited for another thread's flight shares what it brought.
                if self._flights == flights_seen:
                    self._fetch_once()
                    self._flights += 1
            finally:
                self._lock.release()
        return self._latest()

    def _latest(self) -> T:
        if self._value is not None:
            return self._value
        assert self._error is not None
        # Each gets an error of its own: one that is raised holds on to what it has passed through.
        raise copy(self._error) from self._error

    def _fetch_once(self) -> None:
        try:
            self._value = self._fetch()
        except ProviderError as error:
            self._error = error
            seconds = self._retry_seconds if self._value is None else self._cool_down_seconds
            self._fresh_until = self._clock() + seconds
        else:
            self._fresh_until = self._clock() + self._max_age_seconds
