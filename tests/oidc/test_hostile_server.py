"""Every failure of a call to Logto is a ProviderError, in time and without a secret, whatever the server sends."""

from __future__ import annotations

import itertools
import random
import socket
import struct
import time
import traceback
from collections.abc import Iterable

import pytest

from logto_auth.oidc.errors import ProviderError, ProviderUnreachable
from logto_auth.oidc.http import BearerAuth, HTTPClient
from logto_auth.oidc.secrets import Secret
from tests.raw_server import Answer, RawServer

TOTAL_SECONDS = 0.5
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: /x\r\n"
TOKEN = "SECRET-token-of-the-user"


def client(**options: float) -> HTTPClient:
    return HTTPClient(**{"connect_seconds": 0.3, "total_seconds": TOTAL_SECONDS, **options})  # type: ignore[arg-type]


def sending(*parts: bytes) -> Answer:
    """Return an answer that sends `parts` and closes the connection."""

    def answer(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        connection.shutdown(socket.SHUT_RDWR)

    return answer


def dripping(start: bytes, parts: Iterable[bytes], seconds: float = 0.05) -> Answer:
    """Return an answer that sends `start`, then one part after the other with a pause."""

    def answer(connection: socket.socket) -> None:
        connection.sendall(start)
        for part in parts:
            connection.sendall(part)
            time.sleep(seconds)

    return answer


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def failure(server: RawServer, http: HTTPClient | None = None) -> ProviderError:
    """Return the error of a request with a token to `server`, after checking that it shows no secret."""
    with pytest.raises(ProviderError) as caught:
        (http or client()).get(server.url + "/userinfo?token=" + TOKEN, auth=BearerAuth(Secret(TOKEN)))
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is None
    modules = {frame.f_globals["__name__"].partition(".")[0] for frame, _ in traceback.walk_tb(caught.tb)}
    assert modules <= {"logto_auth", "tests"}, "The frames of libraries hold secrets as plain text."
    return caught.value


SLOW = {
    "no-answer": dripping(b"", ()),
    "status-line": dripping(b"HTTP/1.1 2", itertools.repeat(b"0")),
    "one-header": dripping(OK + b"A: ", itertools.repeat(b"x")),
    "headers": dripping(OK, itertools.repeat(b"A: b\r\n")),
    "continue": dripping(b"", itertools.repeat(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "headers-of-continue": dripping(b"HTTP/1.1 100 Continue\r\n", itertools.repeat(b"A: b\r\n")),
    "body": dripping(OK + b"Content-Length: 1000\r\n\r\n", itertools.repeat(b"x")),
    "body-without-length": dripping(OK + b"\r\n", itertools.repeat(b"x")),
    "chunks": dripping(CHUNKED, itertools.repeat(b"1\r\nx\r\n")),
    "chunk-size": dripping(CHUNKED, itertools.repeat(b"0")),
    "chunk-extension": dripping(CHUNKED + b"1;", itertools.repeat(b"x")),
    "trailers": dripping(CHUNKED + b"0\r\n", itertools.repeat(b"A: b\r\n")),
    "redirect-body": dripping(REDIRECT + b"Content-Length: 99\r\n\r\n", itertools.repeat(b"x")),
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW)
def test_slow_answer_ends_at_the_deadline(answer: Answer) -> None:
    with RawServer(answer) as server:
        began = time.monotonic()
        error = failure(server)
        assert time.monotonic() - began < TOTAL_SECONDS + 0.4
    assert (error.code, error.status) == ("provider_timeout", 504)


@pytest.mark.parametrize(
    ("start", "parts"),
    [(b"", [b""]), (b"\x16\x03\x03\x40\x00", itertools.repeat(b"\x02"))],
    ids=["nothing", "record-in-single-bytes"],
)
def test_slow_tls_handshake_ends_at_the_deadline(start: bytes, parts: Iterable[bytes]) -> None:
    with RawServer(dripping(start, parts, seconds=0.1), reads_request=False) as server:
        server.url = server.url.replace("http:", "https:")
        began = time.monotonic()
        failure(server)
        assert time.monotonic() - began < TOTAL_SECONDS + 0.4


def test_slow_proxy_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(dripping(b"HTTP/1.1 200 OK\r\n", itertools.repeat(b"A: b\r\n"))) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        began = time.monotonic()
        with pytest.raises(ProviderUnreachable):
            client().get("https://logto.example/oidc/jwks")
        assert time.monotonic() - began < 2 * TOTAL_SECONDS
        assert proxy.requests[0].startswith(b"CONNECT logto.example:443")


FLOODS = {
    "continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "chunk-extensions": (CHUNKED, b"1;" + b"x" * 60_000 + b"\r\nx\r\n"),
    "trailers": (CHUNKED + b"0\r\n", b"A: b\r\n" * 1000),
    "body": (OK + b"\r\n", b"x" * 100_000),
    "chunks": (CHUNKED, b"1\r\nx\r\n" * 1000),
}


# Old versions of urllib3 leave the socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("start", "part"), FLOODS.values(), ids=FLOODS)
def test_endless_answer_is_refused_before_the_deadline(start: bytes, part: bytes) -> None:
    with RawServer(dripping(start, itertools.repeat(part), seconds=0)) as server:
        error = failure(server, client(total_seconds=30, max_body_bytes=10_000))
    assert (error.code, error.status) == ("provider_error", 502)
    assert "more than 10000 bytes" in str(error)


LOCATIONS = [
    b"",
    b"//",
    b"\x00",
    b"data:,x",
    b"http://*",
    b"http://[::1",
    b"http://a:b:c/",
    b"http://\xff\xfe/",
    b"http://\xc3\xa9\xcc\x81/",
    b"http://a/" + b"%" * 50,
    b"http://" + b"a" * 64 + b".example/",
]


@pytest.mark.parametrize("location", LOCATIONS, ids=[str(number) for number in range(len(LOCATIONS))])
@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308, 399])
def test_redirect_to_any_location_is_a_provider_error(status: int, location: bytes) -> None:
    answer = b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (status, location)
    with RawServer(sending(answer)) as server:
        assert failure(server).code == "provider_error"


WRONG = {
    "closed": sending(),
    "reset": reset,
    "garbage": sending(b"\x00\xff" * 100),
    "http-0.9": sending(b"hello\n"),
    "status-word": sending(b"HTTP/1.1 OK\r\n\r\n"),
    "status-99999": sending(b"HTTP/1.1 99999 OK\r\n\r\n"),
    "http-2": sending(b"HTTP/2.0 200 OK\r\n\r\n"),
    "long-status-line": sending(b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n\r\n"),
    "long-header": sending(OK + b"A: " + b"x" * 100_000 + b"\r\n\r\n"),
    "many-headers": sending(OK + b"A: b\r\n" * 101 + b"\r\n"),
    "chunk-size": sending(CHUNKED + b"xyz\r\n"),
    "negative-chunk": sending(CHUNKED + b"-5\r\nxxxxx\r\n0\r\n\r\n"),
    "huge-chunk": sending(CHUNKED + b"f" * 40 + b"\r\nx"),
    "broken-chunks": sending(CHUNKED + b"5\r\nxx"),
    "short-body": sending(OK + b"Content-Length: 10\r\n\r\nx"),
    "two-lengths": sending(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
    "length-word": sending(OK + b"Content-Length: 1, x\r\n\r\nxx"),
}


@pytest.mark.parametrize("answer", WRONG.values(), ids=WRONG)
def test_answer_that_is_not_http_is_a_provider_error(answer: Answer) -> None:
    with RawServer(answer) as server, pytest.raises(ProviderError):
        client().get(server.url, auth=BearerAuth(Secret(TOKEN))).json()


def test_compressed_answer_is_not_unpacked() -> None:
    bomb = b"\x1f\x8b" + b"\x00" * 500
    answer = OK + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(bomb) + bomb
    with RawServer(sending(answer)) as server:
        response = client().get(server.url)
    assert response.body == bomb
    with pytest.raises(ProviderError, match="not JSON"):
        response.json()


@pytest.mark.parametrize(
    "url",
    [
        "nothing",
        "http://",
        "http://[::1",
        "http://a..b/",
        "http://*\x00/",
        "http://x:99999/",
        "http://\ud800/",
        "http://" + "a" * 64 + ".example/",
    ],
)
def test_invalid_url_is_a_provider_error(url: str) -> None:
    with pytest.raises(ProviderError):
        client().get(url)


def test_token_with_a_line_break_is_a_provider_error() -> None:
    with RawServer(sending(OK)) as server, pytest.raises(ProviderError) as caught:
        client().get(server.url, auth=BearerAuth(Secret(TOKEN + "\r\nX: y")))
    assert TOKEN not in "".join(traceback.format_exception(caught.value))
    assert server.requests == []


def test_random_changes_of_an_answer_only_raise_provider_errors() -> None:
    chance = random.Random(7)
    answer = OK + b"Content-Type: application/json\r\nSet-Cookie: a=b; expires=1\r\n" + CHUNKED.partition(b"\r\n")[2]
    answer += b'5\r\n{"a":\r\n3\r\n 1}\r\n0\r\n\r\n'
    alphabet = b"\x00\t\r\n :;,=/\\0f\x80\xff"

    def send_changed(connection: socket.socket) -> None:
        changed = bytearray(answer)
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(changed))
            changed[place : place + chance.randint(0, 3)] = bytes(chance.choices(alphabet, k=chance.randint(0, 3)))
        sending(bytes(changed))(connection)

    errors = []
    with RawServer(send_changed) as server:
        http = client(total_seconds=5)
        for _ in range(200):
            try:
                http.post_form(server.url, {"code": TOKEN}).json()
            except ProviderError as error:
                errors.append("".join(traceback.format_exception(error)))
    assert 20 < len(errors) < 200
    assert TOKEN not in "".join(errors)
