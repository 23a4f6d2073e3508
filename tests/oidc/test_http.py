"""The HTTP client against a local server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from logto_auth.oidc.errors import ProviderError, ProviderUnreachable
from logto_auth.oidc.http import HTTPClient
from logto_auth.oidc.secrets import Secret


class Handler(BaseHTTPRequestHandler):
    """Close the first connections without a response, then answer with JSON."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.seen.append((self.command, self.path, dict(self.headers)))
        if self.server.drops > 0:
            self.server.drops -= 1
            self.close_connection = True
            return
        body = b'{"ok": true}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Set-Cookie", "a=b")
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:4], body[4:], b"")))
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen, server.drops = [], 0
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def client() -> HTTPClient:
    return HTTPClient(connect_seconds=2, total_seconds=2)


@pytest.mark.parametrize("path", ["/plain", "/chunked"])
def test_chunked_json_is_read(server: Any, client: HTTPClient, path: str) -> None:
    assert client.get(server.url + path).json_object() == {"ok": True}


def test_get_is_repeated_after_a_closed_connection(server: Any, client: HTTPClient) -> None:
    server.drops = 1
    assert client.get(server.url + "/").status == 200
    server.drops = 2
    with pytest.raises(ProviderUnreachable):
        client.get(server.url + "/")
    assert len(server.seen) == 4


def test_post_is_never_repeated(server: Any, client: HTTPClient) -> None:
    server.drops = 1
    with pytest.raises(ProviderUnreachable):
        client.post_form(server.url + "/token", {"code": "secret"})
    assert len(server.seen) == 1


def test_cookies_and_netrc_are_ignored(
    server: Any, client: HTTPClient, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login reader password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for _ in range(2):
        client.get(server.url + "/")
    headers = server.seen[-1][2]
    assert "Cookie" not in headers
    assert "Authorization" not in headers


def test_secrets_in_json_and_headers_are_sent(server: Any, client: HTTPClient) -> None:
    payload = {"a": Secret("x"), "b": [Secret("y"), 1, None], "c": ({"d": Secret("z")},)}
    client.send_json("POST", server.url + "/", payload, headers={"X-Record": Secret("r"), "X-Plain": "p"})
    headers = server.seen[-1][2]
    assert (headers["X-Record"], headers["X-Plain"]) == ("r", "p")
    assert int(headers["Content-Length"]) == len('{"a": "x", "b": ["y", 1, null], "c": [{"d": "z"}]}')
    client.get(server.url + "/", headers={"X-Record": Secret("r")})
    assert server.seen[-1][2]["X-Record"] == "r"


def test_secret_that_is_no_header_is_not_shown(server: Any, client: HTTPClient) -> None:
    with pytest.raises(ProviderError) as caught:
        client.get(server.url + "/", headers={"X-Record": Secret("line\nbreak")})
    assert "break" not in f"{caught.value} {caught.value.__cause__}"
    assert caught.value.__suppress_context__
    assert server.seen == []


def test_error_message_has_url_without_query(server: Any, client: HTTPClient) -> None:
    server.drops = 2
    with pytest.raises(ProviderError) as caught:
        client.get(server.url + "/userinfo?token=secret")
    assert "/userinfo" in str(caught.value)
    assert "secret" not in str(caught.value)
