"""The emulator keeps connections open, as Logto does."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import requests

from logto_auth.emulator import Emulator, HttpFault, run_in_thread


@pytest.fixture
def connection(emulator: Emulator) -> Iterator[socket.socket]:
    port = int(emulator.endpoint.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        yield connection


def is_closed(connection: socket.socket) -> bool:
    """Read to the end of what the server sends, and return whether it closes the connection within a second."""
    connection.settimeout(1)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


@pytest.mark.parametrize(
    "first",
    [
        get("/oidc/jwks"),
        get("/oidc/nothing"),
        get("/api/status"),
        b"HEAD /oidc/jwks HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /oidc/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /oidc/jwks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello",
        b"POST /oidc/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90_000,
    ],
    ids=["200", "404", "204", "head", "post", "unread-body", "too-large-body"],
)
def test_connection_answers_a_second_request(connection: socket.socket, emulator: Emulator, first: bytes) -> None:
    connection.sendall(first)
    connection.recv(65536)
    connection.sendall(get("/oidc/.well-known/openid-configuration", "Connection: close"))
    assert is_closed(connection)
    assert len(emulator.requests.to("discovery")) == 1


@pytest.mark.parametrize("fault", [HttpFault(drop=True), HttpFault(truncate_after=20)], ids=["dropped", "truncated"])
def test_fault_closes_the_connection(connection: socket.socket, emulator: Emulator, fault: HttpFault) -> None:
    emulator.faults.http["jwks"] = fault
    connection.sendall(get("/oidc/jwks"))
    assert is_closed(connection)


def test_connection_of_an_older_client_is_closed(connection: socket.socket) -> None:
    connection.sendall(b"GET /oidc/jwks HTTP/1.0\r\n\r\n")
    assert is_closed(connection)


def test_stopped_emulator_answers_on_no_connection() -> None:
    with requests.Session() as session:
        with run_in_thread() as emulator:
            url = f"{emulator.issuer}/jwks"
            assert session.get(url, timeout=5).status_code == 200
        with pytest.raises(requests.ConnectionError):
            session.get(url, timeout=5)


@pytest.mark.parametrize("path", ["/oidc/.well-known/openid-configuration", "/oidc/jwks", "/oidc/nothing"])
def test_answer_has_one_date(connection: socket.socket, path: str) -> None:
    connection.sendall(get(path))
    head = connection.recv(65536).partition(b"\r\n\r\n")[0]
    assert head.count(b"\r\nDate: ") == 1
