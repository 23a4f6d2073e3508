"""Connections of urllib3 that keep one deadline and a size limit for a whole exchange, and are not idle for long.

The time-outs of requests and urllib3 limit each wait for data. A server that sends a byte now and then, in the headers,
in interim responses, or between chunks, could hold a worker for ever (decision 0025).
"""

from __future__ import annotations

import io
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from http.client import HTTPResponse
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter

__all__ = ["LimitExceeded", "Limits", "LimitsAdapter", "apply_limits"]


class LimitExceeded(Exception):
    """The server sends more bytes than `Limits.bytes_left`."""


@dataclass
class Limits:
    """The limits of one exchange."""

    deadline: float
    """When the response must be complete, by `time.monotonic`."""
    max_idle_seconds: float
    """How long a connection may be idle before this exchange."""
    bytes_left: int
    """How many bytes the server may still send: headers, interim responses, chunk extensions, body and trailers."""

    def seconds_left(self) -> float:
        """Return the time until the deadline. Raise TimeoutError after it."""
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError
        return seconds


_limits: ContextVar[Limits] = ContextVar("limits")


@contextmanager
def apply_limits(limits: Limits) -> Iterator[None]:
    """Apply `limits` to all connections of a `LimitsAdapter` that this thread or task uses."""
    token = _limits.set(limits)
    try:
        yield
    finally:
        _limits.reset(token)


class LimitsAdapter(HTTPAdapter):
    """An adapter of requests whose connections keep the limits, also those through a proxy."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _keep_limits(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        _keep_limits(manager)
        return manager


def _keep_limits(manager: urllib3.PoolManager) -> None:
    pools = manager.pool_classes_by_scheme
    manager.pool_classes_by_scheme = {scheme: _pool_with_limits(pool) for scheme, pool in pools.items()}


@cache
def _pool_with_limits(pool: Any) -> Any:
    if issubclass(pool.ConnectionCls, _ConnectionWithLimits):
        return pool
    connection = type(pool.ConnectionCls.__name__, (_ConnectionWithLimits, pool.ConnectionCls), {})
    return type(pool.__name__, (pool,), {"ConnectionCls": connection})


class _ConnectionWithLimits(urllib3.connection.HTTPConnection):
    """Mixed into the connection classes of urllib3."""

    _used_at = float("-inf")
    _used_by = 0

    @property
    def is_connected(self) -> bool:
        """Whether the pool may use the connection again.

        Servers and gateways drop idle connections silently. Processes that are forked from one another would read each
        other's responses.
        """
        is_idle = time.monotonic() - self._used_at >= _limits.get().max_idle_seconds
        return super().is_connected and not is_idle and self._used_by == os.getpid()

    def _new_conn(self) -> socket.socket:
        """Return a new socket, with its time-out set to what is left for a proxy and the TLS handshake."""
        self.timeout: float = min(self.timeout, _limits.get().seconds_left())
        deadline = time.monotonic() + self.timeout
        sock = super()._new_conn()
        sock.settimeout(max(deadline - time.monotonic(), 0.001))
        return sock

    def send(self, data: Any) -> None:
        if self.sock is not None:
            self.sock.settimeout(_limits.get().seconds_left())
        super().send(data)

    def response_class(self, sock: socket.socket, *args: Any, **options: Any) -> Any:  # type: ignore[override]
        """Return the object that reads the response. http.client calls it for each response, also of a proxy."""
        response: Any = HTTPResponse(sock, *args, **options)
        response.fp = io.BufferedReader(_LimitedReader(response.fp.detach(), sock, _limits.get()))
        self._used_at, self._used_by = time.monotonic(), os.getpid()
        return response


class _LimitedReader(io.RawIOBase):
    """Read from a socket until its limits are reached."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, limits: Limits) -> None:
        self._raw = raw
        self._sock = sock
        self._limits = limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._limits.seconds_left())
        count = self._raw.readinto(buffer)
        self._limits.bytes_left -= count or 0
        if self._limits.bytes_left < 0:
            raise LimitExceeded
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
