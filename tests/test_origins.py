"""Which URLs are origins, and which hosts are in a private network or public."""

from __future__ import annotations

import pytest

from logto_auth.origins import is_origin, is_private, is_public_host


@pytest.mark.parametrize(
    "url",
    ["https://logto.example", "https://logto.example/", "http://logto:3001", "http://127.0.0.2", "http://[::1]:3001"],
)
def test_scheme_and_host_are_an_origin(url: str) -> None:
    assert is_origin(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "null",
        "logto:3001",
        "//logto:3001",
        "ftp://logto",
        "file:///etc/passwd",
        "http://logto:3001/oidc",
        "http://logto:3001?a=b",
        "http://logto:3001#a",
        "http://user:hush@logto:3001",
        "http://logto:port",
        "http://logto :3001",
        "http://logto\\@evil.example",
        "http://logto:3001\n",
        "http://[logto",
        "https://müller.example",
    ],
)
def test_other_text_is_no_origin(url: str) -> None:
    assert not is_origin(url)


PRIVATE_HOSTS = [
    "localhost",
    "127.0.0.2",
    "[::1]",
    "10.0.0.5",
    "[fd00::5]",
    "logto",
    "logto.auth.svc",
    "logto.auth.svc.cluster.local",
    "logto.internal",
    "nas.home.arpa",
    "shop.localhost",
    "shop.test",
]


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_host_is_in_a_private_network(host: str) -> None:
    assert is_private(f"http://{host}:3001")
    assert not is_public_host(host.strip("[]"))


@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1111]", "logto.shop.example", "logto.svc.shop.example"])
def test_host_is_public(host: str) -> None:
    assert not is_private(f"http://{host}:3001")
    assert is_public_host(host.strip("[]"))


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "100.64.0.9"])
def test_special_address_is_neither_private_nor_public(host: str) -> None:
    assert not is_private(f"http://{host}:3001")
    assert not is_public_host(host.strip("[]"))
