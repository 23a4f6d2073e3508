"""The loopback address to which Logto sends the operator's browser back (RFC 8252, section 7.3)."""

from __future__ import annotations

import hmac
import queue
import socket
import socketserver
import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from logto_auth.oidc.errors import single_line

from .transcript import SignInFailed

__all__ = ["DEFAULT_REDIRECT_URI", "CallbackListener", "any_port", "is_loopback_redirect"]

DEFAULT_REDIRECT_URI = "http://127.0.0.1/callback"
"""Native applications at Logto may use any port of a loopback address that is registered."""
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
# A browser opens connections that it never uses.
IDLE_SECONDS = 10
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>logto_doctor</title>
<style>body { margin: 20vh auto; max-width: 32em; padding: 0 1em; font: 1.2em/1.5 system-ui, sans-serif; }</style>
<p>%s</p>
</html>
"""


def is_loopback_redirect(uri: str) -> bool:
    """Return whether the doctor can listen at a redirect URI."""
    try:
        parts = urlsplit(uri)
        return parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS and (parts.port or 80) > 0
    except ValueError:
        return False


def any_port(uri: str) -> str:
    """Return a loopback redirect URI without its port; empty if it is empty."""
    parts = urlsplit(uri)
    host = parts.hostname or ""
    return urlunsplit(parts._replace(netloc=f"[{host}]" if ":" in host else host))


class CallbackListener:
    """Listens at a loopback redirect URI inside `with`. `uri` is the redirect URI with the port.

    A URI without a port gets a free one. Raise OSError if the port is in use.
    """

    def __init__(self, redirect_uri: str) -> None:
        parts = urlsplit(redirect_uri)
        host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
        self._path = parts.path or "/"
        self._answers: queue.Queue[Mapping[str, str]] = queue.Queue()
        self._state = ""
        self._server = _Server((host, parts.port or 0), self)
        self.port: int = self._server.server_address[1]
        shown_host = f"[{parts.hostname}]" if ":" in host else parts.hostname
        self.uri = urlunsplit(parts._replace(netloc=f"{shown_host}:{self.port}"))

    def __enter__(self) -> CallbackListener:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        # A thread that still waits would keep the process from ending.
        self._answers.put({})

    def expect(self, state: str) -> None:
        """Accept the answer with this state, and no other one."""
        self._state = state

    def wait(self, seconds: float) -> Mapping[str, str]:
        """Return the parameters of the answer, which has a `code`. Raise SignInFailed."""
        try:
            answer = self._answers.get(timeout=seconds)
        except queue.Empty:
            raise SignInFailed(f"No browser came back to {self.uri} within {seconds:.0f} s.") from None
        if error := single_line(answer.get("error")):
            text = f"{error} {single_line(answer.get('error_description'))}".rstrip()
            raise SignInFailed(text, error=error, scope=single_line(answer.get("scope")))
        if not answer.get("code"):
            raise SignInFailed("The browser came back without a code.")
        return answer

    def receive(self, target: str) -> bool:
        """Return whether the target of a request is the expected answer. It is accepted once."""
        path, _, query = target.partition("?")
        answer = dict(parse_qsl(query))
        state = self._state
        if path != self._path or not state or not hmac.compare_digest(answer.get("state", "").encode(), state.encode()):
            return False
        self._state = ""
        self._answers.put(answer)
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # On Windows, this would let two programs listen on one port.
    allow_reuse_address = sys.platform != "win32"

    def __init__(self, address: tuple[str, int], listener: CallbackListener) -> None:
        self.listener = listener
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        """Bind without the look-up of a host name, which may take seconds."""
        socketserver.TCPServer.server_bind(self)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore connections that break."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = IDLE_SECONDS

    def do_GET(self) -> None:
        if self.server.listener.receive(self.path):
            self._send(200, "logto_doctor has the answer of Logto. You can close this page.")
        else:
            self._send(404, "logto_doctor does not wait for this request.")

    def _send(self, status: int, text: str) -> None:
        body = (PAGE % text).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        # The URL has the code.
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Print nothing: the request line has the code."""
