"""Compare each exchange of the emulators with the OpenAPI document, in every test.

Flask reports each answer of an emulator in this process. A test fails if the package sent a request that the document
does not have, or if an emulator sent an answer that the document does not have.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import pytest
from flask import Flask, Response, g, request, request_finished

from logto_auth.emulator.provider import current

from .contract import Contract, Exchange
from .deviations import ERRORS_FROM_SOURCE
from .document import document

__all__ = ["Recorder", "contract_recorder", "management_api_contract"]

APPLICATION = "logto_auth.emulator"
# The API with and without a token, and unknown paths.
BLUEPRINTS = {"management_api", "public_management_api", None}
# These tests send wrong requests with a client of their own.
OTHER_CLIENTS = ("tests/contract/", "tests/emulator/")
# Versions that send keys which the document no longer has.
OLDER_VERSIONS = {"1.41"}
# A body that is too large to be read, the limit of Logto Cloud, and failures of the server.
OUTSIDE_THE_DOCUMENT = {413, 429, 500, 501, 502, 503, 504}
# One function makes all rows of a list. This keeps the comparison of long lists short.
MAX_ROWS = 20


class Recorder:
    """The differences of the exchanges since the last test."""

    def __init__(self) -> None:
        self.is_package_calling = True
        self._differences: list[str] = []

    @cached_property
    def contract(self) -> Contract:
        return Contract(document())

    def take(self) -> list[str]:
        """Return the differences, each once, and forget them."""
        found, self._differences = list(dict.fromkeys(self._differences)), []
        return found

    def receive(self, sender: Flask, response: Response, **_: Any) -> None:
        """Compare the exchange that Flask has just finished."""
        is_api = request.path.startswith("/api/") and request.blueprint in BLUEPRINTS
        if sender.name != APPLICATION or not is_api or response.status_code in OUTSIDE_THE_DOCUMENT:
            return
        exchange = _exchange(response)
        if self.is_package_calling and exchange.status != 400:
            # With this status, Logto has reported a difference itself, and the test is about that.
            self._differences += self.contract.request_differences(exchange)
        if g.get("fault") is None:
            is_older = current().tenant.version.name in OLDER_VERSIONS
            found = self.contract.answer_differences(exchange, allow_unknown_keys=is_older)
            self._differences += [each for each in found if each not in ERRORS_FROM_SOURCE]


def _exchange(response: Response) -> Exchange:
    answer = _decoded(response.get_data(), response.mimetype)
    return Exchange(
        method=request.method,
        # The path as it was sent: an id may contain an encoded slash.
        url=request.environ["REQUEST_URI"],
        payload=_decoded(request.get_data(), request.mimetype),
        status=response.status_code,
        answer=answer[:MAX_ROWS] if isinstance(answer, list) else answer,
        answer_type=response.mimetype or "",
    )


def _decoded(body: bytes, kind: str | None) -> Any:
    if not body:
        return None
    try:
        return json.loads(body) if kind == "application/json" else body.decode()
    except ValueError:
        # A test sends or answers what is not JSON, or not text.
        return body


@pytest.fixture(scope="session")
def contract_recorder() -> Iterator[Recorder]:
    """Return the recorder, which receives all exchanges of the run."""
    recorder = Recorder()
    with request_finished.connected_to(recorder.receive):
        yield recorder


@pytest.fixture(autouse=True)
def management_api_contract(contract_recorder: Recorder, request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test if one of its exchanges differs from the document."""
    contract_recorder.is_package_calling = not request.node.nodeid.startswith(OTHER_CLIENTS)
    contract_recorder.take()
    yield
    found = contract_recorder.take()
    assert not found, "\n".join(["An exchange with the Management API differs from the OpenAPI document:", *found])
