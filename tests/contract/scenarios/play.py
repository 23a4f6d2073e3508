"""Sending the recorded requests of a folder to an emulator, and comparing the answers with the recorded ones."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import requests

from logto_auth.emulator import Application, Emulator
from tests.contract.exchanges import Exchange, received
from tests.contract.recorded_on_head import recorded_for
from tests.emulator.management_api_client import ManagementAPI

from .comparing import Names, differences, keeping

_MANAGEMENT_TOKEN = "Bearer <Management API token>"
# Recorded on a copy of the server at another port.
_RECORDED_ORIGINS = ("http://localhost:3001", "http://localhost:3021")


@dataclass(frozen=True)
class Scenario:
    """The state of the recorded Logto, and its recorded calls in order.

    A step is the name of a recording, or a function that changes the state as an unrecorded call did. Answers of
    `recorded_at` is the time of the recordings, in seconds: times in their requests are near it.
    `in_any_order` are lists whose order Logto does not define. `auth` is the kind of token by name, where the recording
    does not say it. The recorded lists of `kept_only` have only some of their items.
    """

    folder: str
    seed: Callable[[Stage], None]
    steps: Sequence[str | Callable[[Stage], None]]
    recorded_at: int
    in_any_order: frozenset[str] = frozenset()
    kept_only: frozenset[str] = frozenset()
    auth: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """The names of the recordings, in order."""
        return [step for step in self.steps if isinstance(step, str)]


@dataclass
class Stage:
    """The emulator on which a scenario is played. `names` knows the own value for each recorded id and secret."""

    emulator: Emulator
    recorded_at: int
    names: Names = field(default_factory=Names)
    closing: ExitStack = field(default_factory=ExitStack)
    tokens: dict[str, Callable[[Mapping[str, Any]], str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.emulator.clock.advance(self.recorded_at - self.emulator.clock.precise())
        for origin in _RECORDED_ORIGINS:
            self.names.learn(origin, self.emulator.endpoint)
        self.api = ManagementAPI(self.emulator)
        self.closing.callback(self.api.http.close)

    def send(self, exchange: Mapping[str, Any], auth: str | None = None) -> Exchange:
        """Send the request of a recorded exchange, with own ids and an own token of the same kind.

        Some recordings do not say which token was sent: it was that of the Management API, or `auth`.
        """
        request = exchange["request"]
        url = self.names.own(request["url"])
        body = self.names.own(request["body"] or "")
        headers = {"Content-Type": _content_type(body)} if body else {}
        auth = auth or request.get("auth") or _MANAGEMENT_TOKEN
        token = self.tokens[auth](exchange) if auth in self.tokens else str(self.api.http.headers["Authorization"])
        headers |= {name: self.names.own(value) for name, value in request.get("headers", {}).items()}
        headers |= {"Authorization": token} if token else {}
        response = requests.request(request["method"], url, data=body.encode() or None, headers=headers, timeout=10)
        return received(response, self.emulator.issuer)


def play(scenario: Scenario, emulator: Emulator) -> dict[str, list[str]]:
    """Return the differences between the emulator's answers and the recorded ones, by name of the recording."""
    found: dict[str, list[str]] = {}
    stage = Stage(emulator, scenario.recorded_at)
    with stage.closing:
        scenario.seed(stage)
        for step in scenario.steps:
            if isinstance(step, str):
                found[step] = _differences_of(scenario, stage, step)
            else:
                step(stage)
    return found


def _differences_of(scenario: Scenario, stage: Stage, name: str) -> list[str]:
    theirs = recorded_for(f"{scenario.folder}/{name}", stage.emulator.like)
    ours = stage.send(theirs, scenario.auth.get(name))
    if name in scenario.kept_only:
        ours = keeping(stage.names, theirs, ours)
    return differences(stage.names, theirs, ours, sort=name in scenario.in_any_order)


def client_authentication(application: Application) -> Callable[[Mapping[str, Any]], str]:
    """Return a function that gives the header with which an application authenticates itself."""
    credentials = b64encode(f"{application.id}:{application.secret}".encode()).decode()
    return lambda exchange: f"Basic {credentials}"


def _content_type(body: str) -> str:
    return "application/json" if body[0] in "{[" else "application/x-www-form-urlencoded"
