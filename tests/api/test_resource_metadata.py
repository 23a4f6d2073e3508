"""OAuth 2.0 Protected Resource Metadata (RFC 9728), and its URL in a 401."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from logto_auth.decorators import access_token_required
from logto_auth.emulator import Emulator
from tests.rights import API

from .callers import App, Robot, call, has_been_here, parameters_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site"), pytest.mark.urls(__name__)]

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@access_token_required()
def books(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user))


urlpatterns = [path("", include("logto_auth.urls")), path("books/", books)]


@pytest.mark.parametrize("place", [WELL_KNOWN, f"{WELL_KNOWN}/api", f"{WELL_KNOWN}/api/"])
def test_metadata_comes_from_the_settings(client: Client, logto: Emulator, settings, place: str) -> None:
    settings.LOGTO_API_SCOPES = ("read:books", "write:books")
    answer = client.get(place)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == {
        "resource": API,
        "authorization_servers": [logto.issuer],
        "scopes_supported": ["read:books", "write:books"],
        "bearer_methods_supported": ["header"],
    }


def test_metadata_is_public_and_cacheable(client: Client, settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    answer = client.get(WELL_KNOWN, headers={"Origin": "https://app.example"})
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert not answer.cookies
    assert client.head(WELL_KNOWN).status_code == 200
    assert client.post(WELL_KNOWN).status_code == 405


@pytest.mark.parametrize(
    "place", ["other", "api/books", "API", "..", "api%00", "api%2f..%2fother", "/evil.example", "%2e%2e/api", "api%3F"]
)
def test_another_resource_has_no_metadata(client: Client, place: str) -> None:
    assert client.get(f"{WELL_KNOWN}/{place}").status_code == 404


def test_site_without_api_has_no_metadata(client: Client, settings) -> None:
    settings.LOGTO_API_RESOURCE = ""
    assert client.get(WELL_KNOWN).status_code == 404


@pytest.mark.parametrize(
    ("resource", "place"),
    [
        ("https://bookstore.example", WELL_KNOWN),
        ("https://bookstore.example/", WELL_KNOWN),
        ("https://bookstore.example/shop/api/", f"{WELL_KNOWN}/shop/api"),
        ("https://bookstore.example/api?of=books", f"{WELL_KNOWN}/api"),
        ("urn:bookstore:api", f"{WELL_KNOWN}/bookstore:api"),
    ],
)
def test_401_contains_the_metadata_url(client: Client, settings, resource: str, place: str) -> None:
    settings.LOGTO_API_RESOURCE = resource
    url = parameters_of(client.get("/books/")["WWW-Authenticate"])["resource_metadata"]
    assert url == f"http://testserver{place}"
    assert client.get(place).json()["resource"] == resource


def test_metadata_url_uses_the_base_url(client: Client, settings) -> None:
    settings.LOGTO_BASE_URL = "https://shop.example"
    url = parameters_of(client.get("/books/")["WWW-Authenticate"])["resource_metadata"]
    assert url == f"https://shop.example{WELL_KNOWN}/api"


def test_client_discovers_the_issuer_from_the_url(client: Client, logto: Emulator, app: App, robot: Robot) -> None:
    """From the 401 to the metadata, to that of Logto, to its token endpoint, and back with a token."""
    has_been_here(logto, "editor")
    challenge = parameters_of(client.get("/books/")["WWW-Authenticate"])
    metadata: dict[str, Any] = client.get(challenge["resource_metadata"].removeprefix("http://testserver")).json()
    (issuer,) = metadata["authorization_servers"]
    discovery = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=5).json()
    assert discovery["issuer"] == issuer
    assert discovery["token_endpoint"] == f"{logto.endpoint}/oidc/token"
    assert call("/books/", app.token("editor", resource=metadata["resource"])).content == b"editor"
    assert call("/books/", robot.token(resource=metadata["resource"])).content == robot.id.encode()
