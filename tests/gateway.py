"""A NAT gateway or firewall between the site and Logto: it forgets connections that are idle for some seconds."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from typing import Literal

__all__ = ["Gateway"]


class Gateway:
    """Forward connections to `port`. What comes on a forgotten connection is dropped silently, or answered by a reset.

    `connections` counts the connections, `forgotten` those that were used after they were forgotten.
    """

    def __init__(self, port: int, *, idle_seconds: float, then: Literal["silence", "reset"]) -> None:
        self._port = port
        self._idle_seconds = idle_seconds
        self._resets = then == "reset"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.connections = self.forgotten = 0

    def __enter__(self) -> Gateway:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                inside, _ = self._listener.accept()
                self.connections += 1
                outside = socket.create_connection(("127.0.0.1", self._port))
                threading.Thread(target=self._forward, args=(inside, outside, True), daemon=True).start()
                threading.Thread(target=self._forward, args=(outside, inside, False), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, watches: bool) -> None:
        used_at = time.monotonic()
        with contextlib.suppress(OSError), source:
            while data := source.recv(65536):
                if watches and time.monotonic() - used_at > self._idle_seconds:
                    self.forgotten += 1
                    if self._resets:
                        source.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    continue
                used_at = time.monotonic()
                target.sendall(data)
            # What the server closes stays open for the client: a gateway that has forgotten it does not tell.
            if watches:
                target.close()
