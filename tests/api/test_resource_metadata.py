"""What clients can find out by themselves: OAuth 2.0 Protected Resource Metadata (RFC 9728), and where a 401 leads."""

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

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@access_token_required()
def books(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.user))


urlpatterns = [path("", include("logto_auth.urls")), path("books/", books)]


@pytest.mark.parametrize("place", [WELL_KNOWN, f"{WELL_KNOWN}/api", f"{WELL_KNOWN}/api/"])
def test_the_metadata_is_what_the_settings_say(client: Client, logto: Emulator, settings, place: str) -> None:
    settings.LOGTO_API_SCOPES = ("read:books", "write:books")
    answer = client.get(place)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer.json() == {
        "resource": API,
        "authorization_servers": [logto.issuer],
        "scopes_supported": ["read:books", "write:books"],
        "bearer_methods_supported": ["header"],
    }


def test_everybody_may_read_it_and_keep_it_for_a_while(client: Client, settings) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    answer = client.get(WELL_KNOWN, headers={"Origin": "https://app.example"})
    assert answer.status_code == 200
    assert answer["Access-Control-Allow-Origin"] == "*"
    assert answer["Cache-Control"] == "public, max-age=3600"
    assert not answer.cookies
    assert client.head(WELL_KNOWN).status_code == 200
    assert client.post(WELL_KNOWN).status_code == 405


@pytest.mark.parametrize("place", [f"{WELL_KNOWN}/other", f"{WELL_KNOWN}/api/books", f"{WELL_KNOWN}/API"])
def test_of_another_resource_there_is_none(client: Client, place: str) -> None:
    assert client.get(place).status_code == 404


def test_a_site_that_is_no_api_has_none(client: Client, settings) -> None:
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
def test_a_401_leads_to_the_metadata_of_this_very_resource(client: Client, settings, resource: str, place: str) -> None:
    settings.LOGTO_API_RESOURCE = resource
    url = parameters_of(client.get("/books/")["WWW-Authenticate"])["resource_metadata"]
    assert url == f"http://testserver{place}"
    assert client.get(place).json()["resource"] == resource


def test_behind_a_proxy_the_address_is_that_of_the_setting(client: Client, settings) -> None:
    settings.LOGTO_BASE_URL = "https://shop.example"
    url = parameters_of(client.get("/books/")["WWW-Authenticate"])["resource_metadata"]
    assert url == f"https://shop.example{WELL_KNOWN}/api"


def test_a_client_that_knows_nothing_but_the_address_finds_its_way(
    client: Client, logto: Emulator, app: App, robot: Robot
) -> None:
    """From the 401 to the metadata, from there to Logto's own, to its token endpoint, and back with a token."""
    has_been_here(logto, "editor")
    challenge = parameters_of(client.get("/books/")["WWW-Authenticate"])
    metadata: dict[str, Any] = client.get(challenge["resource_metadata"].removeprefix("http://testserver")).json()
    (issuer,) = metadata["authorization_servers"]
    discovery = requests.get(f"{issuer}/.well-known/openid-configuration", timeout=5).json()
    assert discovery["issuer"] == issuer
    assert discovery["token_endpoint"] == f"{logto.endpoint}/oidc/token"
    assert call("/books/", app.token("editor", resource=metadata["resource"])).content == b"editor"
    assert call("/books/", robot.token(resource=metadata["resource"])).content == robot.id.encode()
