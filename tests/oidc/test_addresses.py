"""Two addresses of one Logto: which URLs of the discovery document are accepted, and what they become."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.discovery import BROWSER_ENDPOINTS, ENDPOINTS, SERVER_ENDPOINTS, fetch_metadata, parse_metadata
from logto_auth.oidc.errors import ProviderError
from logto_auth.oidc.http import HTTPClient
from tests.recorded import recording

PUBLIC, INTERNAL = "https://logto.example", "http://logto:3001"
ISSUER = f"{PUBLIC}/oidc"


def document(origin: str, **changes: Any) -> dict[str, Any]:
    """Return Logto's document for a request to `origin`. The issuer is configured."""
    recorded = recording("discovery")["body"]
    moved = {
        name: value.replace("http://localhost:3001", origin) if isinstance(value, str) else value
        for name, value in recorded.items()
    }
    return {**moved, "issuer": ISSUER, **changes}


@pytest.mark.parametrize("origin", [PUBLIC, INTERNAL])
def test_browsers_get_public_urls_and_the_server_internal_ones(origin: str) -> None:
    metadata = parse_metadata(document(origin), Addresses(ISSUER, INTERNAL))
    assert metadata.issuer == ISSUER
    urls = {name: getattr(metadata, name) for name in (*ENDPOINTS, "introspection_endpoint")}
    origins = {name: url.partition("/oidc/")[0] for name, url in urls.items()}
    assert origins == {
        **dict.fromkeys(BROWSER_ENDPOINTS, PUBLIC),
        **dict.fromkeys((*SERVER_ENDPOINTS, "introspection_endpoint"), INTERNAL),
    }
    assert urls["token_endpoint"] == f"{INTERNAL}/oidc/token"
    assert urls["authorization_endpoint"] == f"{PUBLIC}/oidc/auth"


@pytest.mark.parametrize("name", [*ENDPOINTS, "introspection_endpoint"])
@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/oidc/x",
        "http://logto:3002/oidc/x",
        "https://logto:3001/oidc/x",
        "http://logto/oidc/x",
        "http://logto.example/oidc/x",
        "https://logto.example:8443/oidc/x",
        "http://logto:3001@evil.example/oidc/x",
        "http://user:hush@logto:3001/oidc/x",
        "http://logto:3001\\@evil.example/",
        "http://logto:3001.evil.example/",
        "http://logto.evil.example:3001/",
        "//logto:3001/oidc/x",
        "javascript://logto:3001/%0aalert(1)",
        " http://logto:3001/oidc/x",
        "http://169.254.169.254/latest",
        "/oidc/x",
        "",
        None,
        ["http://logto:3001/oidc/x"],
    ],
    ids=repr,
)
def test_url_at_a_third_origin_is_refused(name: str, url: Any) -> None:
    with pytest.raises(ProviderError, match=f"as {name}, expected a plain URL at the origin of the issuer"):
        parse_metadata(document(INTERNAL, **{name: url}), Addresses(ISSUER, INTERNAL))


def test_internal_url_is_refused_without_the_setting() -> None:
    with pytest.raises(ProviderError, match="authorization_endpoint"):
        parse_metadata(document(INTERNAL), Addresses(ISSUER))


@pytest.mark.parametrize("issuer", [f"{INTERNAL}/oidc", "https://other.example/oidc", f"{PUBLIC}/oidc/"])
def test_internal_logto_must_name_the_public_issuer(issuer: str) -> None:
    with pytest.raises(ProviderError, match="names the issuer"):
        parse_metadata(document(INTERNAL, issuer=issuer), Addresses(ISSUER, INTERNAL))


@pytest.mark.parametrize("internal", ["", PUBLIC, f"{PUBLIC}/", f"{PUBLIC}:443"])
def test_equal_addresses_change_no_url(internal: str) -> None:
    addresses = Addresses(ISSUER, internal)
    url = f"{PUBLIC}/oidc/token"
    assert not addresses.is_split
    assert (addresses.for_browsers(url), addresses.for_server(url)) == (url, url)
    assert addresses.discovery_url == f"{ISSUER}/.well-known/openid-configuration"


@pytest.mark.parametrize(
    ("url", "moved"),
    [
        (f"{PUBLIC}/oidc/auth?a=http://x/", f"{INTERNAL}/oidc/auth?a=http://x/"),
        ("https://LOGTO.example:443/oidc/auth", f"{INTERNAL}/oidc/auth"),
        (PUBLIC, INTERNAL),
        (f"{PUBLIC}?a=b", f"{INTERNAL}?a=b"),
        (f"{INTERNAL}/oidc/auth", f"{INTERNAL}/oidc/auth"),
    ],
)
def test_only_the_origin_of_a_url_is_replaced(url: str, moved: str) -> None:
    assert Addresses(ISSUER, f"{INTERNAL}/").for_server(url) == moved


def test_url_at_a_third_origin_is_not_moved() -> None:
    for move in (Addresses(ISSUER, INTERNAL).for_server, Addresses(ISSUER, INTERNAL).for_browsers):
        with pytest.raises(ValueError, match="neither address"):
            move("https://evil.example/oidc/token")


@pytest.mark.parametrize("endpoint", ["logto.example", "https://müller.example", "https://user:hush@logto.example"])
def test_issuer_that_is_no_url_is_refused_before_a_request(endpoint: str) -> None:
    with pytest.raises(ProviderError, match=r"^the endpoint is not an http or https URL in ASCII") as caught:
        fetch_metadata(HTTPClient(connect_seconds=1, total_seconds=1), Addresses(f"{endpoint}/oidc"))
    assert "hush" not in str(caught.value)
