"""HTTP/1.1 with connections that stay open, as a real Logto has. Werkzeug's own handler closes each connection."""

from __future__ import annotations

import contextlib
import io
import socket
from typing import Any, ClassVar

from werkzeug.serving import WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from .state.clock import Clock

# Node.js, on which Logto runs, closes a connection after this time.
_IDLE_SECONDS = 5
# Larger bodies are not read, and the connection is closed. Logto refuses them, too.
_MAX_BODY_BYTES = 1024 * 1024


class RequestHandler(WSGIRequestHandler):
    """Answer the requests of one connection. There is no log output: `Emulator.requests` has the requests."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    # Otherwise the body waits for the client to acknowledge the headers: 40 ms.
    disable_nagle_algorithm = True
    clock: ClassVar[Clock]
    connections: ClassVar[set[socket.socket]]

    @classmethod
    def close_connections(cls) -> None:
        """Close the connections that are still open."""
        for connection in list(cls.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def setup(self) -> None:
        super().setup()
        self.connections.add(self.connection)

    def finish(self) -> None:
        self.connections.discard(self.connection)
        super().finish()

    def log(self, type: str, message: str, *args: Any) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(self.clock.precise() if timestamp is None else timestamp)

    def run_wsgi(self) -> None:
        """Answer one request. The whole body is read first, for the next request follows it on the connection."""
        environ = self.make_environ()
        length = int(self.headers.get("Content-Length") or 0)
        if length > _MAX_BODY_BYTES or "Transfer-Encoding" in self.headers:
            self.close_connection = True
        else:
            environ["wsgi.input"] = io.BytesIO(self.rfile.read(length))
        body, status, headers = run_wsgi_app(self.server.app, environ)
        try:
            code, _, reason = status.partition(" ")
            self.send_response(int(code), reason)
            if "Content-Length" not in headers and int(code) not in (204, 304):
                self.close_connection = True
            if self.close_connection:
                headers["Connection"] = "close"
            # `send_response` has sent the date. Werkzeug adds another one where an answer can be cached.
            headers.remove("Date")
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            for data in body:
                self.wfile.write(data)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
        finally:
            if hasattr(body, "close"):
                body.close()


def handler_with(clock: Clock) -> type[RequestHandler]:
    """Return a handler with its own connections, which takes the `Date` header from `clock`."""
    return type("RequestHandler", (RequestHandler,), {"clock": clock, "connections": set()})
