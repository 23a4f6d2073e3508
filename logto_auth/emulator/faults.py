"""Faults for tests: wrong tokens and responses, broken connections, slow answers.

Hooks change a response before it is sent. `http` breaks an endpoint at the HTTP level, for example
`faults.http["token"] = HttpFault(status=503)`. `Faults.clear` removes all faults.
"""

from __future__ import annotations

import re
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
    "account_api",
    "openapi",
)


@dataclass
class HttpFault:
    """A fault of one endpoint.

    `status` or `body`: the endpoint does nothing and answers with these and `headers`.
    `delay_seconds`: wait before the request is handled.
    `drop`: close the connection without an answer.
    `truncate_after`: close the connection after this number of bytes of the body.
    `drip_seconds`: send the body byte by byte with this pause between bytes.
    `times`: the number of requests that are affected; None is all.
    `only`: a regular expression for method and path of the requests that are affected; empty is all. So
    `POST .*/users` breaks the second step of what takes several requests.
    """

    status: int | None = None
    body: bytes | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    drop: bool = False
    truncate_after: int | None = None
    drip_seconds: float = 0
    times: int | None = None
    only: str = ""

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
            raise KeyError(f"Unknown endpoint {endpoint!r}. Expected one of: {', '.join(ENDPOINTS)}.")
        super().__setitem__(endpoint, fault)

    def take(self, endpoint: str, request: str = "") -> HttpFault | None:
        """Return the fault for this request, if any, and count the request. `request` is its method and path."""
        with self._lock:
            fault = self.get(endpoint)
            if fault is not None and fault.only and not re.fullmatch(fault.only, request):
                return None
            if fault is None or fault.times is None:
                return fault
            if fault.times <= 0:
                return None
            fault.times -= 1
            return fault


@dataclass
class Faults:
    """Hooks that change responses, each None unless a test sets it, and services that fail.

    - `id_token_claims`, `id_token_header`: take a copy of the claims or the header and return what to sign.
    - `id_token`: takes header and claims, and returns any text in place of the token.
    - `id_token_key`: a key to sign ID tokens with, which is not published.
    - `access_token_claims`, `access_token_key`: the same for access tokens that are JWTs.
    - `userinfo`, `discovery`, `jwks`, `token_response`: take the correct response and return another. Text and bytes
      are sent unchanged.
    - `callback`: takes the parameters of an authorization response and returns others.
    - `breach_list_unreachable`: Logto cannot reach the list of known passwords, and answers changes of passwords with
      500, if the password policy of the tenant asks that list, as the default policy does.
    - `messages_fail`: the servers for e-mails and text messages refuse all of them.
    """

    id_token_claims: Callable[[Claims], Claims] | None = None
    id_token_header: Callable[[Claims], Claims] | None = None
    id_token: Callable[[Claims, Claims], str] | None = None
    id_token_key: Key | None = None
    access_token_claims: Callable[[Claims], Claims] | None = None
    access_token_key: Key | None = None
    userinfo: Callable[[Claims], Any] | None = None
    discovery: Callable[[Claims], Any] | None = None
    jwks: Callable[[Claims], Any] | None = None
    token_response: Callable[[Claims], Any] | None = None
    callback: Callable[[Parameters], Parameters] | None = None
    breach_list_unreachable: bool = False
    messages_fail: bool = False
    http: HttpFaults = field(default_factory=HttpFaults)

    def clear(self) -> None:
        """Remove all faults."""
        self.http.clear()
        for each in fields(self):
            if each.name != "http":
                setattr(self, each.name, each.default)
