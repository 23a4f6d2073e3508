"""Connections to Logto stay open between requests, and one that may be dead is not used."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest

from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator
from logto_auth.oidc.errors import ProviderUnreachable
from logto_auth.oidc.http import HTTPClient
from logto_auth.testing import Browser
from tests.ageing import age
from tests.gateway import Gateway
from tests.raw_server import RawServer

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def client(**options: float) -> HTTPClient:
    return HTTPClient(connect_seconds=1, total_seconds=1, **options)  # type: ignore[arg-type]


@pytest.fixture(params=["silence", "reset"])
def gateway(request: Any, logto: Emulator, settings: Any) -> Iterator[Gateway]:
    """Return a gateway between the site and the emulator, which has the address of the gateway."""
    endpoint = logto.endpoint
    then: Literal["silence", "reset"] = request.param
    # Longer than the limit of the client, and shorter than that of the server.
    with Gateway(int(endpoint.rpartition(":")[2]), idle_seconds=4.2, then=then) as gateway:
        logto._provider.endpoint = settings.LOGTO_ENDPOINT = f"http://localhost:{gateway.port}"
        reset_clients()
        yield gateway
        logto._provider.endpoint = endpoint


def test_connection_is_used_again() -> None:
    with RawServer(lambda connection: connection.sendall(ANSWER)) as server:
        http = client()
        for _ in range(3):
            assert http.get(server.url).json() == {}
        assert http.post_form(server.url, {"a": "b"}).json() == {}
        assert (server.connections, len(server.requests)) == (1, 4)


def test_idle_connection_is_replaced() -> None:
    with RawServer(lambda connection: connection.sendall(ANSWER)) as server:
        http = client(max_idle_seconds=0.2)
        http.get(server.url)
        time.sleep(0.3)
        http.get(server.url)
        http.get(server.url)
        assert server.connections == 2


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_process_opens_its_own_connection() -> None:
    with RawServer(lambda connection: connection.sendall(ANSWER)) as server:
        http = client()
        http.get(server.url)
        child = os.fork()
        if child == 0:
            try:
                http.get(server.url)
            finally:
                os._exit(0)
        os.waitpid(child, 0)
        assert server.connections == 2
        http.get(server.url)
        assert server.connections == 2, "the parent keeps its connection"


def test_connection_that_the_server_closed_is_replaced() -> None:
    def answer(connection: Any) -> None:
        connection.sendall(ANSWER)
        connection.close()

    with RawServer(answer) as server:
        http = client()
        for _ in range(3):
            assert http.post_form(server.url, {"grant_type": "authorization_code"}).json() == {}
            time.sleep(0.05)
        assert (server.connections, len(server.requests)) == (3, 3)


@pytest.mark.parametrize(("may_repeat", "requests"), [(True, 3), (False, 2)], ids=["repeatable", "code"])
def test_broken_used_connection_repeats_only_what_may_be_repeated(may_repeat: bool, requests: int) -> None:
    with RawServer(lambda connection: None) as server:

        def answer(connection: Any) -> None:
            if len(server.requests) == 2:
                connection.close()
            else:
                connection.sendall(ANSWER)

        server.answer = answer
        http = client()
        http.get(server.url)
        if may_repeat:
            assert http.post_form(server.url, {"token": "t"}, may_repeat=True).json() == {}
        else:
            with pytest.raises(ProviderUnreachable):
                http.post_form(server.url, {"code": "c"})
        assert len(server.requests) == requests


def test_repeated_request_keeps_the_first_deadline() -> None:
    def answer(connection: Any) -> None:
        time.sleep(0.6)
        connection.close()

    with RawServer(answer) as server:
        began = time.monotonic()
        with pytest.raises(ProviderUnreachable):
            client().get(server.url)
        assert time.monotonic() - began < 1.3


@pytest.mark.django_db
def test_gateway_that_forgets_connections_delays_no_sign_in(
    gateway: Gateway, browser: Browser, logto: Emulator, reader: Any
) -> None:
    assert browser.sign_in("reader").status_code == 302
    time.sleep(4.3)
    began = time.monotonic()
    assert browser.client.get("/account/claims").status_code == 200
    age(browser)
    assert browser.client.get("/account/claims").status_code == 200
    # A new browser, for the former one has an idle connection to Logto of its own.
    assert Browser(logto).sign_in("reader").status_code == 302
    assert time.monotonic() - began < 3
    assert gateway.forgotten == 0
