"""The OpenAPI document and its page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from .programs import Program
from .test_pages import Elements

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def document() -> dict:
    """The document with the bookstore's own settings. A warning of the generator is a failure."""
    own = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, "manage.py", "spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json"]
    run = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_each_operation_documents_token_and_permission(document):
    security = {
        (method, path): operation["security"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation["tags"] != ["organizations"]
    }
    books, book = "/api/books/", "/api/books/{slug}/"
    stock = "/api/branches/{organization_id}/stock/"
    anybody, writer = [{"TokenOrKeyAuthentication": []}, {}], [{"TokenOrKeyAuthentication": ["write:books"]}]
    user, manager = [{"Logto": []}], [{"LogtoOrganization": ["manage:stock"]}]
    assert security == {
        ("get", books): anybody,
        ("get", book): anybody,
        ("post", books): writer,
        **{(method, book): writer for method in ("put", "patch", "delete")},
        ("get", "/api/orders/"): user,
        ("post", "/api/orders/"): user,
        ("get", "/api/orders/{id}/"): user,
        ("get", stock): manager,
        **{(method, stock + "{slug}/"): manager for method in ("get", "put", "patch")},
    }
    assert document["openapi"].startswith("3.1")
    named = {
        scheme
        for operations in document["paths"].values()
        for operation in operations.values()
        for choice in operation.get("security", [])
        for scheme in choice
    }
    assert named == set(document["components"]["securitySchemes"])
    assert named == {"Logto", "LogtoOrganization", "ConsoleAuthentication", "TokenOrKeyAuthentication"}
    descriptions = {name: scheme["description"] for name, scheme in document["components"]["securitySchemes"].items()}
    with_keys = {name for name, description in descriptions.items() if "An API key of a user" in description}
    assert with_keys == {"TokenOrKeyAuthentication"}


def test_openapi_document_has_the_console_of_branches(document):
    members = document["paths"]["/api/branches/{organization_id}/members/{user_id}/"]
    assert set(members) == {"get", "patch", "delete"}
    assert all(operation["security"] == [{"ConsoleAuthentication": []}] for operation in members.values())
    # The document is for callers with a token, who cannot create an organization.
    assert set(document["paths"]["/api/branches/"]) == {"get"}
    assert "/api/branches/{organization_id}/leave/" not in document["paths"]


def test_openapi_document_has_parameters_and_limits(document):
    parameters = {each["name"] for each in document["paths"]["/api/books/"]["get"]["parameters"]}
    assert parameters == {"q", "category", "page", "page_size"}
    year = document["components"]["schemas"]["Book"]["properties"]["year"]
    assert (year["minimum"], year["maximum"]) == (-3000, 1928)
    assert "year" not in document["components"]["schemas"]["Book"]["required"]
    assert set(document["paths"]["/api/orders/"]["post"]["responses"]) == {"201", "400", "401", "409"}


def test_openapi_document_says_which_operations_need_a_sign_in(document):
    books = document["paths"]["/api/books/"]
    assert "401" not in books["get"]["responses"]
    assert {} in books["get"]["security"]
    assert "401" in books["post"]["responses"]


def test_examples_of_the_openapi_document_can_be_sent(document):
    body = document["paths"]["/api/books/"]["post"]["requestBody"]["content"]["application/json"]
    [example] = [each["value"] for each in body["examples"].values()]
    assert example["title"] == "Lady Susan"


def test_docs_page_keeps_the_content_security_policy(client, db):
    response = client.get("/api/docs/")
    elements = Elements(response.text)
    addresses = [each.get("src") or each["href"] for each in elements.all("script", "link")]
    assert [address.rpartition("/")[2] for address in addresses] == [
        "icon.svg",
        "style.css",
        "swagger-ui.css",
        "swagger-ui-bundle.js",
        "docs.js",
    ]
    assert all(finders.find(address.removeprefix("/static/")) for address in addresses)
    assert not elements.all("style")
    assert response["Content-Security-Policy"] == client.get("/")["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]
    [page] = [each for each in elements.all("div") if each.get("id") == "swagger-ui"]
    assert page["data-csrf-token"]
    assert client.get(page["data-schema-url"]).status_code == 200


def test_the_page_is_linked_on_every_page(client, db):
    assert '<a href="/api/docs/">API</a>' in client.get("/").text


def test_resource_metadata_is_at_the_challenged_url(logto, tenant, client):
    challenge = Program().post("/api/orders/")["WWW-Authenticate"]
    url = challenge.partition('resource_metadata="')[2].rstrip('"')
    assert url == "http://testserver/.well-known/oauth-protected-resource/api"
    assert client.get(url).json() == {
        "resource": "https://bookstore.example/api",
        "authorization_servers": [logto.issuer],
        "scopes_supported": ["read:books", "write:books"],
        "bearer_methods_supported": ["header"],
    }
