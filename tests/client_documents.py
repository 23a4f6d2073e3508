"""A server for the document of a dynamic client (CIMD), at an https URL of this machine, with its own certificate."""

from __future__ import annotations

import datetime
import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PATH = "/client.json"


@dataclass
class ClientDocument:
    """The document at `url`. A test changes what the server answers; `fetches` counts the requests."""

    url: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    body: bytes | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay_seconds: float = 0
    fetches: list[dict[str, str]] = field(default_factory=list)

    def content(self) -> bytes:
        return json.dumps({"client_id": self.url, **self.metadata}).encode() if self.body is None else self.body


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing about a client that did not wait for the answer."""


@contextmanager
def served_document(**metadata: Any) -> Iterator[ClientDocument]:
    """Serve the document of a public client with this metadata, until the end of the block."""
    document = ClientDocument(
        metadata={
            "client_name": "Agent",
            "redirect_uris": ["http://localhost/callback"],
            "token_endpoint_auth_method": "none",
            "application_type": "native",
            **metadata,
        }
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            document.fetches.append({name.lower(): value for name, value in self.headers.items()})
            time.sleep(document.delay_seconds)
            self.send_response(document.status)
            for name, value in document.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(document.content())

        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    server = QuietServer(("127.0.0.1", 0), Handler)
    server.socket = _server_context().wrap_socket(server.socket, server_side=True)
    document.url = f"https://localhost:{server.server_port}{PATH}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield document
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@cache
def _server_context() -> ssl.SSLContext:
    """Return a context with a certificate that no authority has signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "certificate.pem"
        path.write_bytes(pem)
        context.load_cert_chain(path)
    return context
