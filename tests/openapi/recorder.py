"""Compare each exchange of the emulators with the OpenAPI document, in every test.

Flask reports each answer of an emulator in this process. A test fails if the package sent a request that the document
does not have, and if an emulator sent an answer that the document does not have.
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
from .document import VERSION, document

__all__ = ["management_api_contract"]

APPLICATION = "logto_auth.emulator"
# Tests of the emulator send wrong requests with a client of their own.
OTHER_CLIENTS = ("tests/contract/", "tests/emulator/")


class Recorder:
    """The differences of the exchanges since the last test."""

    def __init__(self) -> None:
        self.is_package_calling = True
        self.differences: list[str] = []

    @cached_property
    def contract(self) -> Contract:
        return Contract(document())

    def receive(self, sender: Flask, response: Response, **_: Any) -> None:
        """Compare the exchange that Flask has just finished."""
        import time
        t = time.perf_counter()
        if sender.name == APPLICATION and request.blueprint == "management_api":
            exchange = _exchange(response)
            if self.is_package_calling:
                self.differences += self.contract.request_differences(exchange)
            if g.get("fault") is None:
                is_older = current().tenant.version.name < VERSION
                self.differences += self.contract.answer_differences(exchange, allow_unknown_keys=is_older)
            STATS[0] += 1
            STATS[1] += time.perf_counter() - t

STATS = [0, 0.0]
import atexit
atexit.register(lambda: print(STATS, file=open("/tmp/typed/stats", "a")))


def _exchange(response: Response) -> Exchange:
    return Exchange(
        method=request.method,
        # The path as it was sent: an id may contain an encoded slash.
        url=request.environ["REQUEST_URI"],
        payload=_decoded(request.get_data(), request.mimetype),
        status=response.status_code,
        answer=_decoded(response.get_data(), response.mimetype or ""),
        answer_type=response.mimetype or "",
    )


def _decoded(body: bytes, kind: str) -> Any:
    if not body:
        return None
    return json.loads(body) if kind == "application/json" else body.decode()


RECORDER = Recorder()
request_finished.connect(RECORDER.receive)


@pytest.fixture(autouse=True)
def management_api_contract(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test if an exchange of it differs from the document."""
    RECORDER.is_package_calling = not request.node.nodeid.startswith(OTHER_CLIENTS)
    RECORDER.differences.clear()
    yield
    found, RECORDER.differences = RECORDER.differences, []
    import os
    if found and os.environ.get("SOFT"):
        print(request.node.nodeid, *sorted(set(found)), sep="\n    ", file=open("/tmp/typed/found", "a"))
        return
    assert not found, "\n".join(["An exchange with the Management API differs from the document:", *found])
