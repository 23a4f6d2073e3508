"""The OpenAPI document: the security schemes, and the scopes that each operation requires."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import include, path
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerView
from ninja import NinjaAPI
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from logto_auth.contrib.ninja import LogtoAuth
from logto_auth.contrib.rest_framework import (
    READING,
    WRITING,
    HasOrganizationScope,
    HasRole,
    HasScope,
    LogtoAuthentication,
    LogtoOrganizationAuthentication,
)
from logto_auth.emulator import Emulator
from tests.rights import API, OTHER_API

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site"), pytest.mark.urls(__name__)]


class BookSerializer(Serializer):
    """Without fields: these tests are not about the bodies."""


class Documented(APIView):
    schema = AutoSchema()
    authentication_classes: list[Any] = [LogtoAuthentication]
    serializer_class = BookSerializer

    def get(self, request: Request, **kwargs: Any) -> Response:
        """Return the list."""
        return Response({})


class Books(Documented):
    permission_classes = [HasScope("read:books", methods=READING), HasScope("write:books", methods=WRITING)]

    def post(self, request: Request) -> Response:
        return Response({})


class Editors(Documented):
    permission_classes = [HasRole("editor"), ~HasScope("write:shelves")]


class Everybody(Documented):
    permission_classes = [AllowAny]


class Stock(Documented):
    authentication_classes = [LogtoOrganizationAuthentication]
    permission_classes = [HasOrganizationScope("manage:stock"), HasOrganizationScope("view:stock")]


class LibraryAuthentication(LogtoAuthentication):
    resource = OTHER_API


class Library(Documented):
    authentication_classes = [LibraryAuthentication]
    permission_classes = [HasScope("read:books")]


ninja_api = NinjaAPI(urls_namespace="tests-openapi", title="Books")


@ninja_api.get("/books", auth=LogtoAuth("read:books"))
def list_books(request: HttpRequest) -> dict[str, str]:
    return {}


documented = [
    path("books/", Books.as_view()),
    path("editors/", Editors.as_view()),
    path("everybody/", Everybody.as_view()),
    path("branches/<slug:organization_id>/stock/", Stock.as_view()),
    path("library/", Library.as_view()),
]
urlpatterns = [
    path("", include("logto_auth.urls")),
    *documented,
    path("schema/", SpectacularJSONAPIView.as_view(patterns=documented), name="schema"),
    path(
        "schema-3.1/",
        SpectacularJSONAPIView.as_view(patterns=documented, custom_settings={"OAS_VERSION": "3.1.1"}),
    ),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema")),
    path("ninja/", ninja_api.urls),
]


@pytest.fixture(autouse=True)
def with_spectacular(site: None, settings: Any) -> None:
    """A site with drf-spectacular installed."""
    settings.INSTALLED_APPS = list(dict.fromkeys([*settings.INSTALLED_APPS, "drf_spectacular"]))


def document(version: str = "") -> dict[str, Any]:
    return Client().get(f"/schema{version}/").json()


def security(version: str = "") -> dict[str, Any]:
    """Return the security requirement of each operation, by method and path."""
    paths = document(version)["paths"]
    return {
        f"{method} {place}": operation.get("security")
        for place, operations in paths.items()
        for method, operation in operations.items()
    }


def test_document_describes_the_security_schemes(logto: Emulator, capfd: Any) -> None:
    schemes = document()["components"]["securitySchemes"]
    assert set(schemes) == {"Logto", "LogtoOrganization", "LibraryAuthentication"}
    assert schemes["Logto"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": f"An access token of {logto.issuer} for the resource {API}.",
    }
    assert schemes["LibraryAuthentication"]["description"].endswith(f"for the resource {OTHER_API}.")
    assert "organization_id and without resource" in schemes["LogtoOrganization"]["description"]
    assert "Warning" not in capfd.readouterr().err, "drf-spectacular printed a warning"


def test_operation_lists_scheme_and_scopes() -> None:
    assert security() == {
        "get /books/": [{"Logto": []}],
        "post /books/": [{"Logto": []}],
        "get /editors/": [{"Logto": []}],
        "get /everybody/": [{"Logto": []}, {}],
        "get /branches/{organization_id}/stock/": [{"LogtoOrganization": []}],
        "get /library/": [{"LibraryAuthentication": []}],
    }
    assert security("-3.1") == {
        "get /books/": [{"Logto": ["read:books"]}],
        "post /books/": [{"Logto": ["write:books"]}],
        "get /editors/": [{"Logto": []}],
        "get /everybody/": [{"Logto": []}, {}],
        "get /branches/{organization_id}/stock/": [{"LogtoOrganization": ["manage:stock", "view:stock"]}],
        "get /library/": [{"LibraryAuthentication": ["read:books"]}],
    }


def test_document_offers_sign_in_in_browser(logto: Emulator, settings: Any, capfd: Any) -> None:
    settings.LOGTO_API_DOCS_APP_ID = "docs00000000000000001"
    settings.LOGTO_API_SCOPES = ["delete:books"]
    schemes = document()["components"]["securitySchemes"]
    assert list(schemes) == [
        "LibraryAuthentication",
        "LibraryAuthenticationSignIn",
        "Logto",
        "LogtoOrganization",
        "LogtoSignIn",
    ]
    flows = schemes["LogtoSignIn"]["flows"]
    assert flows == {
        "authorizationCode": {
            "authorizationUrl": f"{logto.issuer}/auth",
            "tokenUrl": f"{logto.issuer}/token",
            "scopes": {"delete:books": "", "read:books": "", "write:books": ""},
        }
    }
    assert schemes["LogtoSignIn"]["x-logto-resource"] == API
    assert schemes["LibraryAuthenticationSignIn"]["x-logto-resource"] == OTHER_API
    assert security() == {
        "get /books/": [{"LogtoSignIn": ["read:books"]}, {"Logto": []}],
        "post /books/": [{"LogtoSignIn": ["write:books"]}, {"Logto": []}],
        "get /editors/": [{"LogtoSignIn": []}, {"Logto": []}],
        "get /everybody/": [{"LogtoSignIn": []}, {"Logto": []}, {}],
        "get /branches/{organization_id}/stock/": [{"LogtoOrganization": []}],
        "get /library/": [{"LibraryAuthenticationSignIn": ["read:books"]}, {"LibraryAuthentication": []}],
    }
    assert "Warning" not in capfd.readouterr().err, "drf-spectacular printed a warning"


def test_page_shows_this_document() -> None:
    page = Client().get("/docs/").content.decode()
    assert "/schema/" in page
    assert "swagger" in page.lower()


def test_ninja_document_has_its_scheme() -> None:
    answer = Client().get("/ninja/openapi.json").json()
    assert answer["components"]["securitySchemes"] == {
        "LogtoAuth": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    assert answer["paths"]["/ninja/books"]["get"]["security"] == [{"LogtoAuth": []}]
