"""Delivery of webhooks: signed, after the response, ten at a time, without retries."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from threading import Condition
from typing import Any
from urllib.parse import urlsplit

import requests
from flask import Response, after_this_request, has_request_context

from .state import ids
from .state.clock import Clock
from .state.records import Hook
from .state.tenant import Tenant

TIMEOUT_SECONDS = 10
_AT_A_TIME = 10
_REMEMBERED = 1000

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Delivery:
    """The result of a delivery. `status` is None if there was no answer. `created_at` is in milliseconds."""

    hook_id: str
    event: str
    body: bytes = field(repr=False)
    created_at: int
    status: int | None
    answer: str = ""
    error: str | None = None
    id: str = field(default_factory=ids.standard_id)

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


class Webhooks:
    """Sends events to the webhooks of a tenant. `deliveries` holds the last 1000, oldest first."""

    def __init__(self, tenant: Tenant, clock: Clock) -> None:
        self._tenant = tenant
        self._clock = clock
        self._pool: ThreadPoolExecutor | None = None
        self._changed = Condition()
        self._outstanding = 0
        self.deliveries: deque[Delivery] = deque(maxlen=_REMEMBERED)

    def announce(self, payload: Mapping[str, Any]) -> None:
        """Send the payload to all enabled webhooks for its `event`. During a request, send it after the response.

        The payload is serialized at once. `hookId` is added at its end.
        """
        event = payload["event"]
        for hook in list(self._tenant.hooks.values()):
            if hook.enabled and event in hook.events:
                body = encoded({**payload, "hookId": hook.id})
                with self._changed:
                    self._outstanding += 1
                self._after_response(partial(self._deliver, hook, event, body))

    def now(self) -> str:
        """Return the current time in the format of payloads."""
        return self._clock.now_iso()

    def wait(self, seconds: float = 15) -> None:
        """Wait until all announced events were delivered or failed. Raise TimeoutError after `seconds`."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._outstanding == 0, seconds):
                raise TimeoutError(f"{self._outstanding} webhooks were not delivered within {seconds} seconds.")

    def post(self, hook: Hook, event: str, body: bytes) -> Delivery:
        """Send a signed body to a webhook and return the result."""
        now = self._clock.now_ms()
        try:
            with requests.Session() as session:
                # Use no proxy and no credentials of the environment.
                session.trust_env = False
                session.headers.clear()
                headers = _headers(hook, body)
                response = session.post(hook.url, data=body, headers=headers, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            return Delivery(hook.id, event, body, now, None, error=type(error).__name__)
        return Delivery(hook.id, event, body, now, response.status_code, response.text)

    def stop(self) -> None:
        """Stop the threads after their current deliveries."""
        with self._changed:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def clear(self) -> None:
        """Wait for outstanding deliveries, then clear the list."""
        self.wait()
        self.deliveries.clear()

    def _after_response(self, deliver: Callable[[], None]) -> None:
        if not has_request_context():
            self._submit(deliver)
            return

        @after_this_request
        def submit_when_closed(response: Response) -> Response:
            response.call_on_close(lambda: self._submit(deliver))
            return response

    def _submit(self, deliver: Callable[[], None]) -> None:
        with self._changed:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(_AT_A_TIME, "logto-webhook")
            self._pool.submit(deliver)

    def _deliver(self, hook: Hook, event: str, body: bytes) -> None:
        try:
            delivery = self.post(hook, event, body)
            self.deliveries.append(delivery)
            if not delivery.succeeded:
                _logger.info("Webhook %s for %s failed: %s", hook.id, event, delivery.error or delivery.status)
        finally:
            with self._changed:
                self._outstanding -= 1
                self._changed.notify_all()


def _headers(hook: Hook, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery, with names in lower case and in the order of Logto's HTTP client."""
    return {
        "host": urlsplit(hook.url).netloc,
        "logto-signature-sha-256": signature(body, hook.signing_key),
        "user-agent": "Logto (https://logto.io/)",
        **{name.lower(): value for name, value in hook.config.get("headers", {}).items()},
        "content-type": "application/json",
        "accept": "*/*",
    }


def encoded(payload: Mapping[str, Any]) -> bytes:
    """Return the payload as bytes. These bytes are signed and sent."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()


def signature(body: bytes, signing_key: str) -> str:
    """Return the signature of a body in hex. It includes no timestamp."""
    return hmac.new(signing_key.encode(), body, hashlib.sha256).hexdigest()
