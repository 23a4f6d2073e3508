"""The tools of the MCP endpoint: what they answer, to whom, and with which permissions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bookstore import settings as bookstore_settings
from bookstore.core.demo import AGENT_ID, seed_agents
from bookstore.orders.basket import BasketLine
from bookstore.orders.checkout import place_order
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity
from tests.emulator.relying_party import RelyingParty

from .programs import API, Program, token_of_person

pytest.importorskip("django_mcpz")

MCP_URL = bookstore_settings.MCP_URL
CALLBACK = "http://127.0.0.1:8900/callback"
ALL_SCOPES = "mcp:tools read:orders write:stock"


@pytest.fixture(autouse=True)
def endpoint(tenant: Any, settings: Any) -> None:
    settings.LOGTO_API_RESOURCES = bookstore_settings.LOGTO_API_RESOURCES
    seed_agents(tenant)


def token_of_agent(logto: Emulator, username: str, scope: str = ALL_SCOPES) -> str:
    """Return what an agent has after `username` has signed in and agreed."""
    agent = RelyingParty(logto, logto.tenant.applications[AGENT_ID], CALLBACK)
    code = agent.code(username, scope=scope, resource=MCP_URL, nonce=None)
    response = agent.exchange(code, resource=MCP_URL)
    assert response.status_code == 200, response.text
    return response.json()["access_token"]


class Agent:
    """Speaks the protocol with a token that it has already."""

    def __init__(self, token: str) -> None:
        self.client = Client(headers={"authorization": f"Bearer {token}"})

    def post(self, method: str, **params: Any) -> Any:
        message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        return self.client.post("/mcp", message, content_type="application/json")

    def call(self, tool: str, **arguments: Any) -> Any:
        """Return the result of a call: its object, or the text of an error that the tool reports."""
        response = self.post("tools/call", name=tool, arguments=arguments)
        assert response.status_code == 200, response.text
        result = response.json()["result"]
        return result["content"][0]["text"] if result["isError"] else result["structuredContent"]


@pytest.fixture
def customer(logto: Emulator) -> Agent:
    return Agent(token_of_agent(logto, "customer"))


@pytest.fixture
def editor(logto: Emulator) -> Agent:
    return Agent(token_of_agent(logto, "editor"))


def user_of(sub: str) -> User:
    return LogtoIdentity.objects.get(sub=sub).user


# What the tools answer


def test_all_tools_are_listed(customer):
    tools = customer.post("tools/list").json()["result"]["tools"]
    assert {tool["name"]: tool["annotations"]["readOnlyHint"] for tool in tools} == {
        "search_books": True,
        "read_order": True,
        "add_stock": False,
    }


def test_books_are_searched_like_on_the_pages(customer, emma, kokoro, sold_out):
    assert customer.call("search_books", words="NATSUME") == {
        "count": 1,
        "books": [
            {
                "slug": kokoro.slug,
                "title": "Kokoro",
                "author": "Natsume Sōseki",
                "year": 1914,
                "price_cents": 990,
                "stock": 5,
            }
        ],
    }
    assert customer.call("search_books", words="こころ\0")["count"] == 1
    assert [book["title"] for book in customer.call("search_books")["books"]] == ["Emma", "Kokoro", "Persuasion"]


def test_a_book_without_a_year_is_found(customer, make_book):
    make_book("Sanditon", year=None)
    assert [book["year"] for book in customer.call("search_books")["books"]] == [None]


def test_search_returns_at_most_twenty_books(customer, make_book, django_assert_max_num_queries):
    for number in range(25):
        make_book(f"Book {number}")
    customer.call("search_books")
    with django_assert_max_num_queries(5):  # identity with user, count, books, and a savepoint of the server
        found = customer.call("search_books", words="book")
    assert (found["count"], len(found["books"])) == (25, 20)


def test_own_orders_are_read(customer, emma, kokoro):
    assert customer.call("read_order") == "You have no orders."
    user = user_of("customer0001")
    first = place_order(user, [BasketLine(emma, 2)], agreed_cents=None)
    newest = place_order(user, [BasketLine(kokoro, 1)], agreed_cents=None)
    assert customer.call("read_order")["number"] == newest.pk
    assert customer.call("read_order", number=first.pk) == {
        "number": first.pk,
        "placed_at": first.placed_at.isoformat(),
        "total_cents": 2500,
        "lines": [{"book": emma.slug, "title": "Emma", "quantity": 2, "price_cents": 1250}],
    }


def test_order_of_another_user_is_unknown(customer, reader, emma):
    theirs = place_order(reader, [BasketLine(emma, 1)], agreed_cents=None)
    assert customer.call("read_order", number=theirs.pk) == f"You have no order {theirs.pk}."
    assert customer.call("read_order") == "You have no orders."


def test_copies_are_added_to_the_stock(editor, emma):
    assert editor.call("add_stock", book=emma.slug, copies=3) == {"book": emma.slug, "title": "Emma", "stock": 8}
    emma.refresh_from_db()
    assert emma.stock == 8


def test_impossible_arguments_are_reported_by_the_tool(customer, editor, emma):
    assert customer.call("read_order", number=10**30).startswith("You have no order 1000")
    assert customer.call("read_order", number=-1) == "You have no order -1."
    for wrong in ({"number": "1"}, {"number": True}, {"number": 1.5}, {"order": 1}):
        assert customer.call("read_order", **wrong).startswith("Invalid arguments")
    assert customer.call("search_books", words="x" * 101).startswith("Invalid arguments")
    assert editor.call("add_stock", book="no-such-\0book", copies=1).startswith("There is no book")
    for copies in (0, -1, 1001, 10**30, None, "1"):
        assert editor.call("add_stock", book=emma.slug, copies=copies).startswith("Invalid arguments")
    emma.stock = 2**31 - 1
    emma.save()
    assert "would be too large" in editor.call("add_stock", book=emma.slug, copies=1)


# Who may


def challenge_of(response: Any) -> str:
    return response["WWW-Authenticate"]


def test_caller_without_token_learns_where_to_sign_in(client):
    response = client.post("/mcp", {}, content_type="application/json")
    assert response.status_code == 401
    assert 'scope="mcp:tools"' in challenge_of(response)
    assert "/.well-known/oauth-protected-resource/mcp" in challenge_of(response)
    metadata = client.get("/.well-known/oauth-protected-resource/mcp").json()
    assert metadata["resource"] == MCP_URL == "http://localhost:8000/mcp"
    assert metadata["scopes_supported"] == ALL_SCOPES.split()


@pytest.mark.parametrize(
    ("tool", "arguments", "scope"),
    [("read_order", {}, "read:orders"), ("add_stock", {"book": "emma-jane-austen", "copies": 1}, "write:stock")],
)
def test_missing_permission_of_a_tool_is_named(logto, emma, tool, arguments, scope):
    agent = Agent(token_of_agent(logto, "editor", "mcp:tools"))
    assert agent.call("search_books")["count"] == 1
    response = agent.post("tools/call", name=tool, arguments=arguments)
    assert response.status_code == 403
    assert 'error="insufficient_scope"' in challenge_of(response)
    assert scope in challenge_of(response)
    emma.refresh_from_db()
    assert emma.stock == 5


def test_agent_has_no_permission_that_its_user_lacks(customer, emma):
    response = customer.post("tools/call", name="add_stock", arguments={"book": emma.slug, "copies": 1})
    assert response.status_code == 403


def test_token_for_the_api_is_refused(logto, emma):
    response = Agent(token_of_person(logto, "editor")).post("tools/list")
    assert (response.status_code, 'error="invalid_token"' in challenge_of(response)) == (401, True)
    response = Program(token_of_agent(logto, "editor")).post("/api/books/", {})
    assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


def test_deactivated_user_is_refused_at_once(customer):
    customer.call("search_books")
    User.objects.update(is_active=False)
    assert customer.post("tools/list").status_code == 401


def test_robots_are_refused(logto, tenant):
    tenant.find_role("robot").scopes = {API: ["write:books"], MCP_URL: ALL_SCOPES.split()}
    robot = RelyingParty(logto, tenant.applications["stockrobotdemo0000001"])
    response = robot.post("token", grant_type="client_credentials", scope=ALL_SCOPES, resource=MCP_URL)
    assert Agent(response.json()["access_token"]).post("tools/list").status_code == 403


def test_wrong_requests_are_answered(customer):
    def status(body: Any, **more: Any) -> int:
        return customer.client.post("/mcp", body, content_type="application/json", **more).status_code

    assert customer.client.get("/mcp").status_code == 405
    assert status(b"{") == 400
    assert status(json.dumps([])) == 400
    assert status({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": ["read_order"]}}) == 200
    assert customer.post("tools/call", name="no_such_tool").json()["error"]["code"] == -32602
    assert status({}, headers={"origin": "https://evil.example"}) == 403
