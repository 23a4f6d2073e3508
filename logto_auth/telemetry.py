"""Counters and timings, through the API of OpenTelemetry. Without the package `opentelemetry-api` they do nothing.

`docs/reference/telemetry.md` lists the names. No attribute contains a token, a URL, or an identifier of a user, a
client or an organization: the values of each attribute are few and known beforehand.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

try:
    from opentelemetry.metrics import Meter, get_meter
except ImportError:
    _meter: Meter | None = None
else:
    # Before the site has set a meter provider, the instruments are stand-ins, which OpenTelemetry connects later.
    _meter = get_meter("logto_auth")

__all__ = [
    "API_REFUSALS",
    "CACHE_LOOKUPS",
    "REFRESHES",
    "REQUEST_DURATION",
    "SIGN_INS",
    "Counter",
    "Histogram",
    "code_for_attribute",
]

# Error codes of this package, and those that a site gives its own refusals. Other text may contain anything.
_CODE = re.compile(r"[a-z][a-z_]{0,49}")
_OTHER = "other"
_MAX_CODES = 200
# From a request on the same machine to the time limit of an exchange, in seconds.
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

_known_codes: set[str] = set()


class Counter:
    """The number of events, by attributes."""

    def __init__(self, name: str, unit: str, description: str) -> None:
        self.name = name
        self._counter = _meter.create_counter(name, unit, description) if _meter is not None else None

    def add(self, **attributes: str | bool) -> None:
        """Count an event. The attributes get the prefix `logto_auth.`."""
        if self._counter is not None:
            self._counter.add(1, {f"logto_auth.{name}": value for name, value in attributes.items()})


class Histogram:
    """Durations in seconds, by attributes."""

    def __init__(self, name: str, description: str) -> None:
        self.name = name
        self._histogram = (
            _meter.create_histogram(name, "s", description, explicit_bucket_boundaries_advisory=_BUCKETS)
            if _meter is not None
            else None
        )

    @contextmanager
    def measured(self, **attributes: str) -> Iterator[dict[str, Any]]:
        """Measure the block. It may add attributes to the mapping, whose names are written as they are.

        If the block raises an exception, its code, or else its class, becomes the attribute `error.type`.
        """
        found: dict[str, Any] = dict(attributes)
        if self._histogram is None:
            yield found
            return
        began_at = time.perf_counter()
        try:
            yield found
        except BaseException as error:
            found["error.type"] = getattr(error, "code", "") or type(error).__name__
            raise
        finally:
            self._histogram.record(time.perf_counter() - began_at, found)


def code_for_attribute(code: str) -> str:
    """Return an error code as the value of an attribute; `other` if it is no short name, or the 201st different one."""
    if code in _known_codes:
        return code
    if not _CODE.fullmatch(code) or len(_known_codes) >= _MAX_CODES:
        return _OTHER
    _known_codes.add(code)
    return code


SIGN_INS = Counter("logto_auth.sign_ins", "{sign_in}", "Sign-ins that have ended, by their outcome")
REFRESHES = Counter("logto_auth.refreshes", "{refresh}", "Refreshes of the tokens of sessions, by their outcome")
API_REFUSALS = Counter("logto_auth.api.refusals", "{request}", "API requests that were refused, by error code")
CACHE_LOOKUPS = Counter("logto_auth.cache.lookups", "{lookup}", "Lookups in the caches of a process, hits and misses")
REQUEST_DURATION = Histogram("logto_auth.logto.request.duration", "Duration of requests to Logto")
