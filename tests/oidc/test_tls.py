"""Logto must have a trusted certificate for its host name. No token is sent to any other server."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from logto_auth.oidc.errors import ProviderError, ProviderUnreachable
from logto_auth.oidc.http import BearerAuth, HTTPClient
from logto_auth.oidc.secrets import Secret
from tests.raw_server import RawServer

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def certificate(folder: Path, name: x509.GeneralName) -> Path:
    """Return a file with a self-signed certificate for `name` and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Logto")])
    now = datetime.datetime.now(datetime.timezone.utc)
    built = x509.CertificateBuilder(
        issuer_name=subject,
        subject_name=subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - datetime.timedelta(minutes=1),
        not_valid_after=now + datetime.timedelta(minutes=5),
    ).add_extension(x509.SubjectAlternativeName([name]), critical=False)
    encoding = serialization.Encoding.PEM
    key_format, encryption = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(encoding, key_format, encryption) + built.sign(key, hashes.SHA256()).public_bytes(encoding)
    )
    return path


class TLSServer(RawServer):
    """Answer each request over TLS."""

    def __init__(self, path: Path) -> None:
        super().__init__(lambda connection: connection.sendall(ANSWER))
        self.url = self.url.replace("http:", "https:")
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(path)

    def _serve(self, connection: socket.socket) -> None:
        try:
            super()._serve(self._context.wrap_socket(connection, server_side=True))
        except OSError:
            connection.close()


@pytest.fixture
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return certificate(tmp_path, request.param)


@pytest.fixture
def server(path: Path) -> Iterator[TLSServer]:
    with TLSServer(path) as server:
        yield server


def get(server: RawServer) -> object:
    http = HTTPClient(connect_seconds=2, total_seconds=2)
    return [http.get(server.url, auth=BearerAuth(Secret("token"))).json() for _ in range(2)]


THIS_HOST = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
OTHER_HOST = x509.DNSName("other.example")


@pytest.mark.parametrize("path", [THIS_HOST], indirect=True)
def test_trusted_certificate_is_accepted(server: TLSServer, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    assert get(server) == [{}, {}]
    assert server.connections == 1


@pytest.mark.parametrize("path", [OTHER_HOST], indirect=True)
def test_certificate_of_another_host_is_refused(server: TLSServer, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    with pytest.raises(ProviderUnreachable, match="SSL"):
        get(server)
    assert server.requests == []


@pytest.mark.parametrize("path", [THIS_HOST], indirect=True)
def test_unknown_certificate_is_refused(server: TLSServer, path: Path) -> None:
    with pytest.raises(ProviderUnreachable, match="certificate verify failed") as caught:
        get(server)
    assert "http://" not in str(caught.value)
    assert server.requests == []


# http where the server speaks https, and the reverse


@pytest.mark.parametrize("answer", [ANSWER, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_https_url_of_http_server_gives_hint(answer: bytes) -> None:
    with RawServer(lambda connection: connection.sendall(answer), reads_request=False) as server:
        server.url = server.url.replace("http:", "https:")
        with pytest.raises(ProviderUnreachable, match=r"speak http there.* must begin with http://\."):
            get(server)


@pytest.mark.parametrize("path", [THIS_HOST], indirect=True)
def test_http_url_of_https_server_gives_hint(server: TLSServer, path: Path) -> None:
    server.url = server.url.replace("https:", "http:")
    with pytest.raises(ProviderUnreachable, match=r"If it speaks https, the URL must begin with https://\."):
        get(server)


def test_http_url_of_nginx_with_https_gives_hint() -> None:
    page = b"<center>The plain HTTP request was sent to HTTPS port</center>"
    answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%b" % (len(page), page)
    with (
        RawServer(lambda connection: connection.sendall(answer)) as server,
        pytest.raises(ProviderError, match="The server speaks https"),
    ):
        get(server)


def test_closed_port_gives_no_hint() -> None:
    with RawServer(lambda connection: None) as server:
        pass
    with pytest.raises(ProviderUnreachable) as caught:
        get(server)
    assert "must begin" not in str(caught.value)
