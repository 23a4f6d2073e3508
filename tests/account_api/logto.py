"""A server that answers as Logto did in a recording, or as a test says, and keeps what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from logto_auth.account_api import AccountAPI
from logto_auth.account_api.client import SESSIONS_SCOPE
from logto_auth.oidc.http import HTTPClient
from logto_auth.oidc.secrets import Secret

__all__ = ["ALL_SCOPES", "Asked", "FakeLogto", "fake_logto"]

ALL_SCOPES = ("openid", "profile", "email", "phone", "address", "custom_data", "identities", SESSIONS_SCOPE)


@dataclass(frozen=True)
class Asked:
    """A request that the server received."""

    method: str
    path: str
    headers: Message
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body) if self.body else None


@dataclass
class FakeLogto:
    """Answers each request with the next of `answers`; with the last one when no other is left."""

    url: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, status: int, body: Any = None, **headers: str) -> None:
        """Add an answer: JSON, or text as it is."""
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        kind = "text/plain" if isinstance(body, str) else "application/json"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.append((status, {"Content-Type": kind, **named}, text.encode()))

    def api(self, *, scopes: Any = ALL_SCOPES, verification_id: str | None = None) -> AccountAPI:
        return AccountAPI(
            endpoint=self.url,
            http=HTTPClient(connect_seconds=2, total_seconds=5),
            access_token=Secret("the-access-token"),
            scopes=scopes,
            verification_id=Secret(verification_id) if verification_id else None,
        )


@contextmanager
def fake_logto() -> Iterator[FakeLogto]:
    """Run the server."""
    fake = FakeLogto()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fake.asked.append(Asked(self.command, self.path, self.headers, body))
            status, headers, content = fake.answers.pop(0) if len(fake.answers) > 1 else fake.answers[0]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if status != 204:
                self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
