"""The site's cache, used to save work and to count: a failing cache must never fail a request."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.cache import DEFAULT_CACHE_ALIAS, cache, caches
from django.core.cache.backends.base import BaseCache

__all__ = ["ReplayMemory", "cache_failures_ignored", "cached", "count", "forget", "known"]

T = TypeVar("T")

logger = logging.getLogger("logto_auth")


@contextmanager
def cache_failures_ignored() -> Iterator[None]:
    """Log an error of the cache as a warning and leave the block."""
    try:
        yield
    except Exception:  # each cache backend raises errors of its own
        logger.warning("The cache cannot be reached. Requests are slower, and nothing else changes.", exc_info=True)


def cached(kind: str, name: str, fetch: Callable[[], T], *, timeout_seconds: int) -> T:
    """Return what the cache has for `name`, else what `fetch` returns, which is then kept for `timeout_seconds`."""
    key = _cache_key(kind, name)
    value: T | None = None
    with cache_failures_ignored():
        value = cache.get(key)
    if value is None:
        value = fetch()
        with cache_failures_ignored():
            cache.set(key, value, timeout=timeout_seconds)
    return value


def known(kind: str, name: str) -> Any:
    """Return what `cached` has stored for `name`; None if there is nothing, or the cache cannot be reached."""
    with cache_failures_ignored():
        return cache.get(_cache_key(kind, name))
    return None


def count(kind: str, name: str = "", *, period_seconds: int) -> int:
    """Count an event, and return how many there were in the period, which the first one begins.

    Raise what the cache raises, for callers that refuse what they cannot count.
    """
    key = _cache_key(kind, name)
    begins = cache.add(key, 0, timeout=period_seconds)
    number = cache.incr(key)
    if type(caches[DEFAULT_CACHE_ALIAS]).incr is BaseCache.incr:
        _keep_end(key, period_seconds, begins=begins)
    return number


def _keep_end(key: str, period_seconds: int, *, begins: bool) -> None:
    """Let the counter end with its period. Django's own `incr`, for databases and files, begins another timeout."""
    now, key_of_end = time.time(), f"{key}:end"
    end = None if begins else cache.get(key_of_end)
    if end is None:
        end = now + period_seconds
        cache.set(key_of_end, end, timeout=period_seconds)
    cache.touch(key, timeout=max(0, end - now))


def forget(kind: str, name: str) -> None:
    """Delete what `cached` or `count` has stored for `name`."""
    with cache_failures_ignored():
        cache.delete(_cache_key(kind, name))


class ReplayMemory:
    """The messages of one kind that this site has handled, kept in the cache, so that a repeated one is skipped.

    It saves work only. Handling a message twice must be harmless, because the cache can be unreachable or emptied.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __contains__(self, message_id: str) -> bool:
        """Return whether the message has been handled; False if the cache cannot be reached."""
        with cache_failures_ignored():
            return cache.get(self._key(message_id)) is not None
        return False

    def add(self, message_id: str, *, timeout_seconds: int) -> None:
        """Remember the message for `timeout_seconds`: the time for which a repeated one would be accepted."""
        with cache_failures_ignored():
            cache.set(self._key(message_id), True, timeout=timeout_seconds)

    def _key(self, message_id: str) -> str:
        return _cache_key(self._kind, message_id)


def _cache_key(kind: str, name: str) -> str:
    # A JSON string can contain half of a surrogate pair, which plain UTF-8 cannot encode.
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"logto_auth:{kind}:{digest}"
