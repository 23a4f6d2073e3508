"""A proxy between the site and the emulator: what a broken Logto, or something in front of it, answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

__all__ = ["Proxy", "proxy_to"]

HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "server", "date"}


@dataclass
class Proxy:
    """Answers the paths in `answers` itself: with a status and JSON or text. All else goes to the emulator."""

    url: str = ""
    answers: dict[str, tuple[int, Any]] = field(default_factory=dict)
    """By method and path, such as "GET /api/my-account"."""
    asked: list[str] = field(default_factory=list)


@contextmanager
def proxy_to(endpoint: str) -> Iterator[Proxy]:
    """Run the proxy: `settings.LOGTO_INTERNAL_ENDPOINT = proxy.url`."""
    proxy, session = Proxy(), requests.Session()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            name = f"{self.command} {self.path.partition('?')[0]}"
            proxy.asked.append(name)
            if name in proxy.answers:
                status, body = proxy.answers[name]
                text = body if isinstance(body, str) else json.dumps(body)
                self.answer(status, {"Content-Type": "application/json"}, text.encode())
                return
            headers = {key: value for key, value in self.headers.items() if key.lower() not in HOP_BY_HOP}
            response = session.request(
                self.command, endpoint.rstrip("/") + self.path, data=content, headers=headers, allow_redirects=False
            )
            kept = {key: value for key, value in response.headers.items() if key.lower() not in HOP_BY_HOP}
            self.answer(response.status_code, kept, response.content)

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

        def log_message(self, *args: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        session.close()
