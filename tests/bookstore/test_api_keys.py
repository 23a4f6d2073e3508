"""What a key can do in the shop: what its user and the view allow, in one view of the API and at the MCP endpoint."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache

from bookstore import settings as bookstore_settings
from bookstore.core.demo import seed_agents

from .programs import Program

NEW = {
    "title": "Persuasion",
    "author": "Jane Austen",
    "year": 1817,
    "category": "novels",
    "price_cents": 1100,
    "stock": 1,
}


@pytest.fixture(autouse=True)
def agents(tenant: Any, settings: Any) -> None:
    settings.LOGTO_API_RESOURCES = bookstore_settings.LOGTO_API_RESOURCES
    seed_agents(tenant)
    cache.clear()


def key_of(tenant: Any, sub: str) -> str:
    return tenant.add_personal_access_token(sub, "script").value


def test_key_of_an_editor_adds_a_book(tenant, novels):
    response = Program(key_of(tenant, "editor000001")).post("/api/books/", NEW)
    assert (response.status_code, response.json()["slug"]) == (201, "persuasion-jane-austen")


def test_key_of_a_customer_adds_none(tenant, novels):
    response = Program(key_of(tenant, "customer0001")).post("/api/books/", NEW)
    assert (response.status_code, response.json()["code"]) == (403, "insufficient_scope")


def test_key_is_refused_where_the_shop_does_not_accept_keys(tenant, emma):
    program = Program(key_of(tenant, "admin0000001"))
    for path in ("/api/orders/", "/api/branches/harbourbr001/stock/"):
        response = program.get(path)
        assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


def test_key_replaces_the_sign_in_of_an_agent(tenant, emma):
    pytest.importorskip("django_mcpz")

    def call(key: str, tool: str, **arguments: Any) -> Any:
        params = {"name": tool, "arguments": arguments}
        return Program(key).post("/mcp", {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})

    editor, customer = key_of(tenant, "editor000001"), key_of(tenant, "customer0001")
    assert call(editor, "add_stock", book=emma.slug, copies=1).json()["result"]["structuredContent"]["stock"] == 6
    assert call(customer, "search_books").json()["result"]["structuredContent"]["count"] == 1
    assert call(customer, "add_stock", book=emma.slug, copies=1).status_code == 403
    assert call("pat_unknown", "search_books").status_code == 401
