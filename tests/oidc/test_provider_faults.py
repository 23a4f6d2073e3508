"""Logto sends wrong documents, fails or is slow: discovery, keys, token endpoint and userinfo."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.oidc.addresses import Addresses
from logto_auth.oidc.discovery import parse_metadata
from logto_auth.oidc.errors import ProviderError
from logto_auth.testing import Browser
from tests.raw_server import RawServer
from tests.recorded import recording
from tests.support import BROKEN, SOME_BROKEN, Witness, pending_cookies

pytestmark = pytest.mark.django_db

ENDPOINTS = (
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "end_session_endpoint",
    "revocation_endpoint",
)

FIELDS_OF_A_TOKEN_ANSWER = ("access_token", "token_type", "id_token", "expires_in", "scope", "refresh_token")


# Discovery


@pytest.mark.parametrize(("fault", "code", "status"), BROKEN)
def test_broken_discovery_shows_an_error_page(
    browser: Browser,
    logto: Emulator,
    witness: Witness,
    fault: HttpFault,
    spoil: Callable[[str, HttpFault], None],
    code: str,
    status: int,
) -> None:
    spoil("discovery", fault)
    began = time.monotonic()
    witness.sees_refused(lambda: browser.client.get("/sign-in"), code, status)
    assert time.monotonic() - began < 2
    assert pending_cookies(browser.client) == {}


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"issuer": "https://evil.example/oidc"}, id="oidcc-client-test-discovery-issuer-mismatch"),
        pytest.param({"issuer": "{issuer}/"}, id="issuer-trailing-slash"),
        pytest.param({"issuer": ["{issuer}"]}, id="issuer-list"),
        pytest.param({"issuer": None}, id="issuer-null"),
        *(pytest.param({name: None}, id=f"{name}-null") for name in ENDPOINTS),
        *(
            pytest.param({name: url}, id=f"{name}-{url[:24]}")
            for name in (*ENDPOINTS, "introspection_endpoint")
            for url in (
                "http://evil.example/oidc/x",
                "https://{host}/oidc/x",
                "http://localhost/oidc/x",
                "http://localhost:3002/oidc/x",
                "http://localhost.evil.example:3001/oidc/x",
                "http://127.0.0.1:3001/oidc/x",
            )
        ),
        *(
            pytest.param({"token_endpoint": url}, id=f"token_endpoint-{url[:24]}")
            for url in (
                "",
                "/oidc/token",
                "//evil.example/token",
                "file:///etc/passwd",
                "ftp://evil.example/token",
                "data:application/json,{}",
                "javascript:alert(1)",
                "gopher://evil.example/",
                "http:///token",
                "http://[::1",
                "http://localhost:99999/token",
                "http://169.254.169.254/latest/meta-data/",
                "http://[fe80::1]/token",
                "http://[::ffff:169.254.169.254]/latest/",
                "http://2852039166/latest/",
                "http://0xa9.0xfe.43518/latest/",
                "http://{host}/\ud800",
                "http://{host}/\x00",
                "http://lögto.example/token",
            )
        ),
        *(
            pytest.param({"jwks_uri": url}, id=f"jwks_uri-{url[:24]}")
            for url in (
                "http://{host}@evil.example/jwks",
                "http://{host}:pass@evil.example/jwks",
                "http://evil.example\\@{host}/jwks",
                "http://{host}\t.evil.example/jwks",
                "http://{host}\n/jwks",
                " http://{host}/jwks",
            )
        ),
        pytest.param({"authorization_endpoint": "javascript:alert(1)"}, id="authorization-javascript"),
        pytest.param({"end_session_endpoint": "javascript:alert(1)"}, id="end-session-javascript"),
        pytest.param({"token_endpoint": ["http://{host}/token"]}, id="list"),
    ],
)
def test_discovery_with_a_wrong_field_is_refused(change: dict[str, Any]) -> None:
    issuer, host = "http://localhost:3001/oidc", "localhost:3001"
    text = json.dumps(change).replace("{issuer}", issuer).replace("{host}", host)
    document = recording("discovery")["body"]
    assert parse_metadata(document, Addresses(issuer))
    with pytest.raises(ProviderError, match=next(iter(change))):
        parse_metadata({**document, **json.loads(text)}, Addresses(issuer))


@pytest.mark.parametrize("name", ["issuer", *ENDPOINTS])
def test_discovery_with_a_missing_field_is_refused(name: str) -> None:
    document = {key: value for key, value in recording("discovery")["body"].items() if key != name}
    with pytest.raises(ProviderError, match=name):
        parse_metadata(document, Addresses("http://localhost:3001/oidc"))


@pytest.mark.parametrize("change", [{"issuer": "https://evil.example/oidc"}, {"jwks_uri": None}], ids=["issuer", "url"])
def test_wrong_discovery_shows_an_error_page(
    browser: Browser, logto: Emulator, witness: Witness, change: dict[str, Any]
) -> None:
    logto.faults.discovery = lambda document: {**document, **change}
    witness.sees_refused(lambda: browser.client.get("/sign-in"), "provider_error", 502)
    assert {request.endpoint for request in logto.requests} == {"discovery"}


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize("url", ["http://{host}/x", "http://localhost/x", "HTTP://{host}/x"])
def test_https_issuer_requires_https_endpoints(name: str, url: str) -> None:
    document = {
        key: value.replace("http://localhost:3001", "https://tenant.logto.app") if isinstance(value, str) else value
        for key, value in recording("discovery")["body"].items()
    }
    issuer = "https://tenant.logto.app/oidc"
    assert parse_metadata(document, Addresses(issuer)).token_endpoint == f"{issuer}/token"
    with pytest.raises(ProviderError, match=name):
        parse_metadata({**document, name: url.replace("{host}", "tenant.logto.app")}, Addresses(issuer))


@pytest.mark.parametrize("name", ["token_endpoint", "revocation_endpoint", "userinfo_endpoint", "jwks_uri"])
def test_foreign_endpoint_receives_no_request(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, name: str
) -> None:
    with RawServer(lambda connection: connection.close()) as foreign:
        logto.faults.discovery = lambda document: {**document, name: foreign.url + "/oidc/x"}
        witness.sees_refused(lambda: browser.client.get("/sign-in"), "provider_error", 502)
    assert foreign.connections == 0


def test_endpoint_may_name_the_default_port() -> None:
    document = {
        key: value.replace("http://localhost:3001", "https://tenant.logto.app:443") if isinstance(value, str) else value
        for key, value in recording("discovery")["body"].items()
    }
    issuer = "https://tenant.logto.app/oidc"
    metadata = parse_metadata({**document, "issuer": issuer}, Addresses(issuer))
    assert metadata.token_endpoint == "https://tenant.logto.app:443/oidc/token"


def test_unknown_discovery_fields_are_ignored(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    logto.faults.discovery = lambda document: {**document, "unknown": {"a": [1, None]}, "claims_supported": None}
    witness.sees_signed_in(browser.sign_in("reader"))


def test_keys_are_fetched_from_jwks_uri(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    logto.faults.discovery = lambda document: {**document, "jwks_uri": document["jwks_uri"] + "?run=7"}
    witness.sees_signed_in(browser.sign_in("reader"))
    assert logto.requests.to("jwks")[0].query == {"run": ["7"]}


def test_cached_discovery_survives_an_outage(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    browser.sign_in("reader")
    logto.faults.http["discovery"] = HttpFault(status=500)
    logto.faults.http["jwks"] = HttpFault(status=500)
    witness.sees_signed_in(browser.sign_in(ui_locales="en"))


# The key set


@pytest.mark.parametrize(("fault", "code", "status"), SOME_BROKEN)
def test_broken_key_set_refuses_the_sign_in(
    browser: Browser,
    logto: Emulator,
    witness: Witness,
    reader: Any,
    fault: HttpFault,
    spoil: Callable[[str, HttpFault], None],
    code: str,
    status: int,
) -> None:
    spoil("jwks", fault)
    witness.sees_refused(lambda: browser.sign_in("reader"), code, status)


@pytest.mark.parametrize("keys", [None, {}, "keys", 5], ids=["null", "object", "text", "number"])
def test_key_set_without_a_list_is_refused(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, keys: Any
) -> None:
    logto.faults.jwks = lambda document: {"keys": keys}
    witness.sees_refused(lambda: browser.sign_in("reader"), "provider_error", 502)


def test_empty_key_set_refuses_the_token(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    logto.faults.jwks = lambda document: {"keys": []}
    witness.sees_refused(lambda: browser.sign_in("reader"), "provider_error", 503)


# The token endpoint


@pytest.mark.parametrize(("fault", "code", "status"), SOME_BROKEN)
def test_broken_token_endpoint_is_asked_once(
    browser: Browser,
    logto: Emulator,
    witness: Witness,
    reader: Any,
    fault: HttpFault,
    spoil: Callable[[str, HttpFault], None],
    code: str,
    status: int,
) -> None:
    spoil("token", fault)
    witness.sees_refused(lambda: browser.sign_in("reader"), code, status)
    # A code is sent once, because the first request may have had an effect.
    assert len(logto.requests.to("token")) == 1


@pytest.mark.parametrize(
    ("http_status", "body", "code", "status"),
    [
        pytest.param(400, {"error": "invalid_grant"}, "code_rejected", 400, id="invalid_grant"),
        pytest.param(400, {"error": "invalid_client"}, "client_rejected", 503, id="400-invalid_client"),
        pytest.param(401, {"error": "invalid_client"}, "client_rejected", 503, id="401-invalid_client"),
        pytest.param(401, {}, "client_rejected", 503, id="401"),
        pytest.param(400, {"error": "invalid_request"}, "client_rejected", 503, id="invalid_request"),
        pytest.param(400, {"error": "invalid_target"}, "client_rejected", 503, id="invalid_target"),
        pytest.param(400, {"error": "server_error"}, "provider_error", 502, id="server_error"),
        pytest.param(400, {"error": ["x"], "error_description": 5}, "provider_error", 502, id="wrong-types"),
        pytest.param(400, {"error": "a\r\nERROR b\x1b", "error_description": "c\n"}, "provider_error", 502, id="crlf"),
        pytest.param(403, {"error": "access_denied"}, "access_denied", 403, id="403"),
        pytest.param(201, {}, "provider_error", 502, id="201"),
        pytest.param(429, {}, "provider_busy", 503, id="429"),
        pytest.param(503, {}, "provider_busy", 503, id="503"),
    ],
)
def test_error_of_the_token_endpoint_is_mapped(
    browser: Browser,
    logto: Emulator,
    witness: Witness,
    reader: Any,
    http_status: int,
    body: dict[str, Any],
    code: str,
    status: int,
) -> None:
    logto.faults.http["token"] = HttpFault(status=http_status, body=json.dumps(body))
    response = witness.sees_refused(lambda: browser.sign_in("reader"), code, status)
    assert response.line.isprintable()


@pytest.mark.parametrize(
    ("value", "expected"),
    [("7", "7"), ("999999", "3600"), ("-1", None), ("soon", None), ("9" * 400, None), ("٣", None), ("", None)],
)
def test_retry_after_is_passed_on_if_valid(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, value: str, expected: str | None
) -> None:
    fault = HttpFault(status=429, body="{}", headers={"Retry-After": value} if value.isascii() else {})
    logto.faults.http["token"] = fault
    response = witness.sees_refused(lambda: browser.sign_in("reader"), "provider_busy", 503)
    assert response.headers.get("Retry-After") == expected


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        pytest.param({"id_token": ...}, "token_invalid", 400, id="no-id_token"),
        pytest.param({"id_token": None}, "token_invalid", 400, id="id_token-null"),
        pytest.param({"access_token": ...}, "provider_error", 502, id="no-access_token"),
        pytest.param({"access_token": ""}, "provider_error", 502, id="access_token-empty"),
        pytest.param({"access_token": ["x"]}, "provider_error", 502, id="access_token-list"),
        pytest.param({"access_token": "\ud800"}, "provider_error", 502, id="access_token-half-a-surrogate-pair"),
        pytest.param({"access_token": "a\r\nX-Evil: 1"}, "provider_error", 502, id="access_token-crlf"),
        pytest.param({"token_type": ...}, "provider_error", 502, id="no-token_type"),
        pytest.param({"token_type": "DPoP"}, "provider_error", 502, id="token_type-DPoP"),
        pytest.param({"token_type": None}, "provider_error", 502, id="token_type-null"),
        pytest.param({"token_type": ["Bearer"]}, "provider_error", 502, id="token_type-list"),
    ],
)
def test_token_response_without_a_required_field_is_refused(
    browser: Browser,
    logto: Emulator,
    witness: Witness,
    reader: Any,
    change: dict[str, Any],
    code: str,
    status: int,
) -> None:
    logto.faults.token_response = lambda answer: json.dumps(
        {name: value for name, value in {**answer, **change}.items() if value is not ...}
    )
    witness.sees_refused(lambda: browser.sign_in("reader"), code, status)


def test_another_access_token_is_refused_by_at_hash(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    logto.like = "1.41"
    logto.faults.token_response = lambda answer: {**answer, "access_token": "x" * 43}
    witness.sees_refused(lambda: browser.sign_in("reader"), "token_invalid", 400)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"token_type": "bearer"}, id="token_type-lower-case"),
        pytest.param({"refresh_token": ...}, id="no-refresh_token"),
        pytest.param({"refresh_token": None}, id="refresh_token-null"),
        pytest.param({"refresh_token": 5}, id="refresh_token-number"),
        pytest.param({"refresh_token": "\ud800"}, id="refresh_token-half-a-surrogate-pair"),
        pytest.param({"expires_in": ...}, id="no-expires_in"),
        pytest.param({"expires_in": "3600"}, id="expires_in-text"),
        pytest.param({"expires_in": -1}, id="expires_in-negative"),
        pytest.param({"expires_in": 1e300}, id="expires_in-huge"),
        pytest.param({"expires_in": float("nan")}, id="expires_in-nan"),
        pytest.param({"expires_in": True}, id="expires_in-true"),
        pytest.param({"scope": ...}, id="no-scope"),
        pytest.param({"scope": ["openid"]}, id="scope-list"),
        pytest.param({"scope": "\ud800 \x00"}, id="scope-garbage"),
        pytest.param({"unknown": {"a": [None] * 1000}}, id="unknown-members"),
    ],
)
def test_optional_token_response_fields_may_be_invalid(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, change: dict[str, Any]
) -> None:
    logto.faults.token_response = lambda answer: json.dumps(
        {name: value for name, value in {**answer, **change}.items() if value is not ...}
    )
    response = browser.sign_in("reader")
    witness.sees_signed_in(response)
    assert isinstance(response.wsgi_request.logto.scopes, frozenset)
    assert response.wsgi_request.logto.access_token()
    assert browser.client.post("/sign-out").status_code == 302


def test_missing_tls_is_unreachable(browser: Browser, logto: Emulator, witness: Witness, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = logto.endpoint.replace("http:", "https:")
    witness.sees_refused(lambda: browser.client.get("/sign-in"), "provider_unreachable", 503)


def test_closed_port_is_unreachable(browser: Browser, logto: Emulator, witness: Witness, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://localhost:9"
    witness.sees_refused(lambda: browser.client.get("/sign-in"), "provider_unreachable", 503)


def test_unknown_host_name_is_unreachable(browser: Browser, witness: Witness, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://no-such-host.invalid"
    witness.sees_refused(lambda: browser.client.get("/sign-in"), "provider_unreachable", 503)


@pytest.mark.parametrize("cookie", ["session=evil; Path=/", "x" * 5000])
def test_cookies_of_logto_are_not_kept(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, cookie: str
) -> None:
    logto.faults.http["discovery"] = HttpFault(headers={"Set-Cookie": cookie})
    witness.sees_signed_in(browser.sign_in("reader"))
    assert "Cookie" not in logto.requests.to("token")[0].headers


def test_credentials_in_netrc_are_not_sent(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, tmp_path: Any, monkeypatch: Any, settings: Any
) -> None:
    (tmp_path / "netrc").write_text("default login evil password evil\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    witness.sees_signed_in(browser.sign_in("reader"))
    assert "Authorization" not in logto.requests.to("discovery")[0].headers
    assert "Authorization" not in logto.requests.to("jwks")[0].headers
    assert logto.requests.to("me")[0].headers["Authorization"] == "Bearer [hidden]"


# Userinfo


@pytest.mark.parametrize(("fault", "code", "status"), SOME_BROKEN)
def test_broken_userinfo_refuses_the_sign_in(
    browser: Browser,
    logto: Emulator,
    witness: Witness,
    reader: Any,
    settings: Any,
    fault: HttpFault,
    spoil: Callable[[str, HttpFault], None],
    code: str,
    status: int,
) -> None:
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    spoil("me", fault)
    witness.sees_refused(lambda: browser.sign_in("reader"), code, status)


def test_userinfo_refusing_the_token_refuses_the_sign_in(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, settings: Any
) -> None:
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    logto.faults.http["me"] = HttpFault(status=401, body='{"error": "invalid_token"}')
    witness.sees_refused(lambda: browser.sign_in("reader"), "provider_error", 502)


# Recovery


@pytest.mark.parametrize("endpoint", ["token", "jwks", "me"])
@pytest.mark.parametrize("fault", [HttpFault(drop=True), HttpFault(status=500)], ids=["reset", "500"])
def test_sign_in_succeeds_after_the_fault(
    browser: Browser,
    logto: Emulator,
    witness: Witness,
    reader: Any,
    settings: Any,
    endpoint: str,
    fault: HttpFault,
    spoil: Callable[[str, HttpFault], None],
) -> None:
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    spoil(endpoint, fault)
    response = browser.sign_in("reader")
    assert response.status_code in (502, 503)
    logto.faults.clear()
    if endpoint == "jwks":
        reset_clients()  # it would be asked again after the cool-down
    assert browser.sign_in("reader").status_code == 302
    assert get_user_model().objects.count() == 1


def test_damaged_token_response_never_gives_500(browser: Browser, logto: Emulator, reader: Any) -> None:
    values: list[Any] = [None, True, -1, "", "\x00", {"a": []}]
    odd: list[Callable[[dict[str, Any]], Any]] = [
        lambda answer, name=name, value=value: json.dumps({**answer, name: value})
        for name in FIELDS_OF_A_TOKEN_ANSWER
        for value in values
    ]
    for damage in odd:
        logto.faults.token_response = damage
        response = browser.sign_in("reader", ui_locales="en")
        assert response.status_code in (302, 400, 502)
