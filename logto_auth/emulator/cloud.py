"""What is different in a tenant of Logto Cloud: its domains, and the limit of requests.

Source: https://docs.logto.io/logto-cloud/custom-domain and https://docs.logto.io/logto-cloud/system-limit. The body of
an answer with status 429 is not documented.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Response, request

__all__ = ["RateLimit", "check_cloud_request", "check_tenant_id"]

_REQUESTS = 200
_SECONDS = 10


def check_tenant_id(tenant_id: str) -> None:
    """Raise ValueError unless `tenant_id` can be one of Logto Cloud. `default` is that of an open-source Logto."""
    if tenant_id == "default" or not re.fullmatch(r"[a-z0-9]{1,21}", tenant_id):
        raise ValueError(f"{tenant_id!r} is not a tenant ID of Logto Cloud, such as abc123.")


class RateLimit:
    """A token bucket: 200 requests at once, and 20 more each second of `clock`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Fill the bucket."""
        self._left: float = _REQUESTS
        self._at = self._clock()

    def accepts(self) -> bool:
        """Return whether one more request is accepted, and count it."""
        with self._lock:
            now = self._clock()
            self._left = min(_REQUESTS, self._left + (now - self._at) * _REQUESTS / _SECONDS)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True


def check_cloud_request(endpoint: str, rate_limit: RateLimit) -> Response | None:
    """Return the answer to a request that a cloud tenant at `endpoint` refuses, or None."""
    if request.host != urlsplit(endpoint).netloc:
        # No tenant has this domain.
        return Response(status=404)
    if not rate_limit.accepts():
        return Response("Too Many Requests", 429, content_type="text/plain; charset=utf-8")
    return None
