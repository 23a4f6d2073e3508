"""The OpenAPI document of the endpoints of the console."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

from logto_auth.organizations.console import api_schema, api_serializers, api_urls, errors
from logto_auth.tenant.organization_console import OrganizationConsole

documented = [path("organizations/", include("logto_auth.organizations.console.api_urls"))]
urlpatterns = [
    path("", include("logto_auth.urls")),
    *documented,
    path("schema/", SpectacularJSONAPIView.as_view(patterns=documented)),
]


@pytest.fixture
def document(settings: Any, capfd: Any) -> dict[str, Any]:
    settings.ROOT_URLCONF = __name__
    settings.LOGTO_API_RESOURCE = "https://bookstore.example/api"
    settings.LOGTO_ENDPOINT = "https://auth.example"
    answer = Client().get("/schema/").json()
    assert "Warning" not in capfd.readouterr().err, "drf-spectacular printed a warning"
    return answer


def test_document_describes_each_method_of_each_url(document: dict[str, Any]) -> None:
    known = {
        (str(each.pattern), method)
        for each in api_urls.urlpatterns
        for method in ("get", "post", "put", "patch", "delete")
        if hasattr(each.callback.cls, method)
    }
    described = {
        (place.removeprefix("/organizations/").replace("{", "<str:").replace("}", ">"), method): operation
        for place, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert described.keys() == known
    assert all(operation["operationId"].startswith("organizations_") for operation in described.values())
    assert len({operation["operationId"] for operation in described.values()}) == len(known)


def test_operation_has_body_statuses_and_codes(document: dict[str, Any]) -> None:
    operation = document["paths"]["/organizations/{organization_id}/members/{user_id}/"]["patch"]
    body = operation["requestBody"]["content"]
    assert list(body) == ["application/json"]
    assert body["application/json"]["schema"]["$ref"].endswith("/OrganizationConsoleChangedRoles")
    assert list(operation["responses"]) == ["200", "400", "401", "403", "404", "409", "502", "503"]
    assert "`last_owner` (409)" in operation["description"]
    assert operation["security"] == [{"ConsoleAuthentication": []}, {"cookieAuth": []}]


def test_names_in_the_document_have_a_prefix(document: dict[str, Any]) -> None:
    assert [name for name in document["components"]["schemas"] if not name.startswith("OrganizationConsole")] == []


def test_document_says_what_needs_a_session(document: dict[str, Any]) -> None:
    assert document["paths"]["/organizations/"]["post"]["security"] == [{"cookieAuth": []}]
    assert "security" not in document["paths"]["/organizations/invitation/"]["get"]
    scheme = document["components"]["securitySchemes"]["ConsoleAuthentication"]
    assert scheme["description"] == (
        "An organization token of https://auth.example/oidc, or an access token with organization_id for the resource "
        "https://bookstore.example/api."
    )


def test_rights_are_those_of_the_declaration() -> None:
    assert list(api_serializers.RightsSerializer().fields) == list(OrganizationConsole(owner_roles=["owner"]).guards)


def test_each_error_of_the_console_is_described() -> None:
    described = {error for each in api_schema.OPERATIONS.values() for item in each.values() for error in item.errors}
    assert described == {getattr(errors, name) for name in errors.__all__} - {errors.ConsoleError}
