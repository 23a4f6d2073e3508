"""Faults on demand: a Logto that lies, breaks or is slow.

Hooks change what an honest emulator was about to answer. `http` breaks an endpoint below that: `faults.http["token"] =
HttpFault(status=503)`. `Faults.clear` makes the emulator honest again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from threading import Lock
from typing import Any

from joserfc.jwk import Key

Claims = dict[str, Any]
Parameters = list[tuple[str, str]]

ENDPOINTS = (
    "discovery",
    "jwks",
    "auth",
    "token",
    "me",
    "revocation",
    "introspection",
    "session_end",
    "management_api",
)


@dataclass
class HttpFault:
    """How one endpoint misbehaves.

    With `status` or `body` set the endpoint does nothing and that is the answer; without, its own answer is mistreated:
    `delay_seconds` waits before anything happens, `drop` closes the connection without an answer,
    `truncate_after` sends so many bytes of the body and then closes, `drip_seconds` sends the body byte by byte
    with that pause between. `times` is how many requests are hit; None is all.
    """

    status: int | None = None
    body: bytes | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    drop: bool = False
    truncate_after: int | None = None
    drip_seconds: float = 0
    times: int | None = None

    @property
    def answers(self) -> bool:
        return self.status is not None or self.body is not None


class HttpFaults(dict[str, HttpFault]):
    """Faults by endpoint name."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = Lock()

    def __setitem__(self, endpoint: str, fault: HttpFault) -> None:
        if endpoint not in ENDPOINTS:
            raise KeyError(f"No endpoint is called {endpoint!r}; there are {', '.join(ENDPOINTS)}.")
        super().__setitem__(endpoint, fault)

    def take(self, endpoint: str) -> HttpFault | None:
        """Return the fault that hits this request, counting it."""
        with self._lock:
            fault = self.get(endpoint)
            if fault is None or fault.times is None:
                return fault
            if fault.times <= 0:
                return None
            fault.times -= 1
            return fault


@dataclass
class Faults:
    """Hooks, each None while the emulator is honest.

    - `id_token_claims`, `id_token_header`: change a copy and return it.
    - `id_token`: takes header and claims and returns any text at all.
    - `id_token_key`: signs ID tokens with this key, whose `kid` is not published.
    - `userinfo`, `discovery`, `jwks`, `token_response`: return what is to be sent; text and bytes go out as they are.
    - `callback`: takes the parameters of an authorization response and returns others.
    """

    id_token_claims: Callable[[Claims], Claims] | None = None
    id_token_header: Callable[[Claims], Claims] | None = None
    id_token: Callable[[Claims, Claims], str] | None = None
    id_token_key: Key | None = None
    userinfo: Callable[[Claims], Any] | None = None
    discovery: Callable[[Claims], Any] | None = None
    jwks: Callable[[Claims], Any] | None = None
    token_response: Callable[[Claims], Any] | None = None
    callback: Callable[[Parameters], Parameters] | None = None
    http: HttpFaults = field(default_factory=HttpFaults)

    def clear(self) -> None:
        """Drop every fault."""
        self.http.clear()
        for each in fields(self):
            if each.name != "http":
                setattr(self, each.name, None)
