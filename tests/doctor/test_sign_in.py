"""Findings about the application, its URIs and API resources."""

from __future__ import annotations

import time
from typing import Any

import pytest

from logto_auth.emulator import Application
from tests.management_commands import SITE

from .findings import Found, only

pytestmark = pytest.mark.django_db
DAY_MS = 24 * 3600 * 1000


def test_unknown_app_id_is_found(found: Found, settings: Any) -> None:
    settings.LOGTO_APP_ID = "ofanothertenant000001"
    lines = found()
    assert lines[0] == "failure application: The tenant has no application with the App ID ofanothertenant000001."
    assert lines[1] == f"skipped redirect-uri: {SITE}/callback was not tried, because the application does not exist."
    assert lines[2] == f"skipped post-sign-out-uri: {SITE}/ was not tried, because the application does not exist."
    assert lines[-1].startswith("failure declaration: LOGTO_APP_ID is 'ofanothertenant000001'")


def test_wrong_secret_is_found(found: Found, settings: Any) -> None:
    settings.LOGTO_APP_SECRET = "w" * 32
    assert only(found()).endswith("exists, but LOGTO_APP_SECRET is wrong.")


def test_expired_and_expiring_secrets_are_found(found: Found, application: Application) -> None:
    now = int(time.time() * 1000)
    application.secrets[0].expires_at = now - 1
    assert only(found()) == "failure application: LOGTO_APP_SECRET has expired."
    application.secrets[0].expires_at = now + 10 * DAY_MS
    assert only(found()) == (
        'warning secret: LOGTO_APP_SECRET expires in 10 days. Its name in Logto is "Default secret".'
    )
    application.secrets[0].expires_at = now + 100 * DAY_MS
    assert found() == []


@pytest.mark.parametrize(
    ("type", "shown"),
    [
        ("SPA", "Single page app or Native app"),
        ("Native", "Single page app or Native app"),
        ("MachineToMachine", "Machine-to-machine"),
    ],
)
@pytest.mark.parametrize("has_api", [True, False])
def test_application_of_wrong_type_is_found(
    found: Found, settings: Any, application: Application, type: str, shown: str, has_api: bool
) -> None:
    if not has_api:
        settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    application.type = type
    lines = found()
    assert lines[0].startswith("failure application: The application ")
    assert f"has the type {shown}, expected Traditional Web." in lines[0]
    assert any("failure declaration: LOGTO_APP_ID names the application" in line for line in lines) == has_api


def test_every_uri_is_tried(found: Found, application: Application) -> None:
    application.redirect_uris = [f"{SITE}/callback", "http://testserver:8001/callback"]
    application.post_logout_redirect_uris = ["http://testserver:8001/"]
    lines = found("--base-url", SITE, "--base-url", "http://testserver:8001", "--base-url", "http://testserver:8002")
    assert lines == [
        "failure redirect-uri: http://testserver:8002/callback is not registered. Every sign-in with it ends on an "
        "error page of Logto.",
        f"failure post-sign-out-uri: {SITE}/ is not registered. A user who signs out sees an error page of Logto.",
        "failure post-sign-out-uri: http://testserver:8002/ is not registered. A user who signs out sees an error page "
        "of Logto.",
        "warning declaration: The account center of all applications of the tenant differs from the declaration: "
        "WebAuthn related origins.",
    ]


def test_equivalent_base_url_is_accepted(found: Found) -> None:
    assert found("--base-url", "HTTP://TestServer:80") == []


def test_wildcard_is_tried_with_an_example(found: Found, settings: Any, application: Application) -> None:
    settings.ALLOWED_HOSTS = [".shop.example"]
    arguments = ["--base-url", "http://*.shop.example"]
    application.redirect_uris = ["http://shop.example/callback"]
    application.post_logout_redirect_uris = ["http://shop.example/"]
    failures = [line for line in found(*arguments) if line.startswith("failure")]
    assert [line.split()[2] for line in failures] == [
        "http://example.shop.example/callback",
        "http://example.shop.example/",
    ]
    application.redirect_uris = ["http://*.shop.example/callback"]
    application.post_logout_redirect_uris = ["http://*.shop.example/"]
    assert [line for line in found(*arguments) if line.startswith("failure")] == []


def test_unknown_api_resource_is_found(found: Found, settings: Any) -> None:
    settings.LOGTO_RESOURCES = ("https://nowhere.example/api",)
    settings.LOGTO_API_RESOURCE = "https://nothing.example/api"
    settings.LOGTO_API_RESOURCES = {"https://nothing.example/mcp": []}
    settings.LOGTO_SCOPES, settings.LOGTO_API_SCOPES = ("openid",), ()
    assert found() == [
        "failure resources: LOGTO_RESOURCES names https://nowhere.example/api, which is not an API resource of the "
        "tenant. Logto rejects every sign-in.",
        "failure resources: LOGTO_API_RESOURCE names https://nothing.example/api, which is not an API resource of the "
        "tenant. Logto issues no tokens for it.",
        "failure resources: LOGTO_API_RESOURCES names https://nothing.example/mcp, which is not an API resource of the "
        "tenant. Logto issues no tokens for it.",
    ]


def test_unregistered_redirect_uri_skips_api_resources(found: Found, application: Application) -> None:
    application.redirect_uris = []
    assert found()[1].startswith("skipped resources: Not tried, because no redirect URI is registered")


def test_third_party_application_cannot_request_all_scopes(found: Found, settings: Any, application: Any) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    application.is_third_party = True
    assert "Logto answered 303 invalid_scope" in found()[0]
