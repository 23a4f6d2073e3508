"""A server that sends any bytes, slowly if need be: for HTTP that no library would produce."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

__all__ = ["Answer", "RawServer"]

Answer = Callable[[socket.socket], None]
"""Answers one request on a connection."""


class RawServer:
    """Answer each request by `answer`, which gets the connection and may do anything with it.

    `connections` counts the connections, `requests` holds what was received, one text for each request.
    """

    def __init__(self, answer: Answer, *, reads_request: bool = True) -> None:
        self.answer = answer
        self.reads_request = reads_request
        self.connections = 0
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> RawServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self.connections += 1
                self._open.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if not self.reads_request:
                self.answer(connection)
                return
            for request in _requests(connection):
                self.requests.append(request)
                self.answer(connection)


def _requests(connection: socket.socket) -> Iterator[bytes]:
    """Yield each request with a body of known length."""
    received = b""
    while data := connection.recv(65536):
        received += data
        while b"\r\n\r\n" in received:
            head, _, rest = received.partition(b"\r\n\r\n")
            lengths = [
                line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
            ]
            length = int(lengths[0]) if lengths else 0
            if len(rest) < length:
                break
            received = rest[length:]
            yield head + b"\r\n\r\n" + rest[:length]
