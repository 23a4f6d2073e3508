"""Delay the requests of all threads, for a rate that the caller has set and for pauses that Logto asks for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

__all__ = ["RateLimiter"]


class RateLimiter:
    """Space out the requests of all threads, so that at most `requests_per_second` are sent. None means no limit.

    `sleep` waits for a number of seconds.
    """

    def __init__(self, sleep: Callable[[float], None]) -> None:
        self.requests_per_second: float | None = None
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next_at = float("-inf")
        self._paused_until = float("-inf")

    def wait(self, *, ignores_pause: bool = False) -> None:
        """Block until the next request may be sent. A thread that has waited itself ignores the pause."""
        with self._lock:
            now = time.monotonic()
            at = now if ignores_pause else max(now, self._paused_until)
            if self.requests_per_second:
                at = max(at, self._next_at)
                self._next_at = at + 1 / self.requests_per_second
        if at > now or self.requests_per_second:
            self._sleep(at - now)

    def pause(self, seconds: float) -> None:
        """Let threads send no other requests for this time, because Logto is too busy."""
        with self._lock:
            self._paused_until = max(self._paused_until, time.monotonic() + seconds)
