"""A server of django-mcpz in the URLs of a site, called by the official client."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.handlers.asgi import ASGIHandler
from django.db import transaction
from django.http import HttpRequest
from django.test import Client
from django.urls import include, path
from mcp.shared.exceptions import MCPError

from logto_auth.contrib.mcp import LogtoMCP, logto_mcp
from logto_auth.emulator import Emulator, HttpFault, Visitor
from logto_auth.exceptions import ConfigurationError
from tests.api.attackers import TokenMaker
from tests.api.callers import parameters_of
from tests.mcp_client import McpClient, signs_in

from .shops import ORDERS, SCOPES, TOOLS, asgi_server, described, set_up

# It needs Python 3.11.
mcpz = pytest.importorskip("django_mcpz.server")

pytestmark = pytest.mark.django_db(transaction=True)

URL = "http://testserver/mcp"


def server_of(auth: Callable[..., Any], tools: LogtoMCP) -> Any:
    """Return the shop as a server of django-mcpz, with the permissions of `tools`."""
    server = mcpz.MCPServer(name="shop", version="1", auth=auth)

    @server.tool(description="Say who calls.")
    def whoami(request: HttpRequest) -> str:
        return described(request)

    @server.tool(description="Read an order.")
    @tools.scope_required(ORDERS)
    def read_order(request: HttpRequest, params: dict[str, int]) -> str:
        return f"Order {params['number']}, {described(request)}"

    return server


@pytest.fixture
def serve(settings: Any) -> Callable[..., Any]:
    """Return a function that puts a server at /mcp."""

    def serve(auth: Callable[..., Any], tools: LogtoMCP | None = None) -> Any:
        server = server_of(auth, tools or auth)  # type: ignore[arg-type]
        settings.ROOT_URLCONF = (path("mcp", server), path("", include("logto_auth.urls")))
        return server

    return serve


@pytest.fixture
def visitor(logto: Emulator) -> Iterator[Visitor]:
    with Visitor(logto) as visitor:
        yield visitor


@pytest.fixture
def connected(
    logto: Emulator, settings: Any, live_server: Any, serve: Callable[..., Any], visitor: Visitor
) -> Callable[..., McpClient]:
    url = f"{live_server.url}/mcp"
    client_id = set_up(logto, settings, url)
    serve(logto_mcp(TOOLS, resource=url, accepts_api_keys=True))

    def connected(username: str = "", **options: Any) -> McpClient:
        if username:
            options |= {"sign_in": signs_in(visitor, username), "client_id": client_id}
        return McpClient(url, **options)

    return connected


@pytest.fixture
def token(logto: Emulator, settings: Any) -> TokenMaker:
    set_up(logto, settings, URL)
    return TokenMaker(logto, "buyer0000001")


def send(content: object, token: str, **options: Any) -> Any:
    data = content if isinstance(content, bytes) else json.dumps(content)
    headers = {"Authorization": f"Bearer {token}"}
    return Client(**options).post("/mcp", data, content_type="application/json", headers=headers)


def call_of(tool: str, **arguments: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_client_signs_in_and_steps_up_for_a_tool(connected: Callable[..., McpClient], mode: str) -> None:
    with connected("buyer", mode=mode) as client:
        assert client.tools() == ["whoami", "read_order"]
        assert client.text("whoami") == "buyer0000001 True False"
        assert client.text("read_order", number=7) == "Order 7, buyer0000001 True True"
        assert client.requested_scopes() == [{TOOLS, "offline_access"}, {TOOLS, ORDERS, "offline_access"}]
        assert len(client.answers(403)) == 1


def test_server_works_under_asgi(logto: Emulator, settings: Any, serve: Callable[..., Any], visitor: Visitor) -> None:
    with asgi_server(lambda url: ASGIHandler(), lifespan=False) as site:
        url = f"{site}/mcp"
        client_id = set_up(logto, settings, url)
        serve(logto_mcp(TOOLS, resource=url))
        with McpClient(url, sign_in=signs_in(visitor, "buyer"), client_id=client_id) as client:
            assert client.text("read_order", number=7) == "Order 7, buyer0000001 True True"
            assert len(client.answers(403)) == 1


def test_third_party_client_is_refused_without_step_up(
    token: TokenMaker, serve: Callable[..., Any], settings: Any, spoil: Any
) -> None:
    serve(logto_mcp(TOOLS, resource=URL, third_party=False))
    settings.LOGTO_FIRST_PARTY_APPS = ["own"]
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    assert send(call_of("whoami"), token(aud=URL, scope=TOOLS, client_id="own")).status_code == 200
    agent = token(aud=URL, scope="", client_id="https://agent.example/client.json")
    refused = send(call_of("whoami"), agent)
    assert refused.status_code == 403
    assert set(parameters_of(refused["WWW-Authenticate"])) == {"resource_metadata"}
    assert refused.json()["error"]["data"] == {"error": "client_refused"}
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = "machine", "secret"
    spoil("token", HttpFault(status=500))
    assert send(call_of("whoami"), token(aud=URL, scope=TOOLS, client_id="other")).status_code == 503


def test_user_without_permission_cannot_call_a_tool(connected: Callable[..., McpClient]) -> None:
    with connected("visitor") as client:
        with pytest.raises(MCPError, match=f"You need the permission {ORDERS}"):
            client.call("read_order", number=7)
        assert client.text("whoami") == "visitor00001 True False"


def test_api_key_calls_tools(connected: Callable[..., McpClient], logto: Emulator, settings: Any) -> None:
    logto.tenant.applications[settings.LOGTO_APP_ID].allow_token_exchange = True
    key = logto.tenant.add_personal_access_token("buyer0000001", "laptop").value
    with connected(headers={"Authorization": f"Bearer {key}"}) as client:
        assert client.text("read_order", number=7).startswith("Order 7")


def test_requests_without_token_and_with_a_foreign_one_get_401(serve: Callable[..., Any], token: TokenMaker) -> None:
    serve(logto_mcp(TOOLS, resource=URL))
    response = Client().post("/mcp", call_of("whoami"), content_type="application/json")
    assert response.status_code == 401
    assert parameters_of(response["WWW-Authenticate"]) == {
        "scope": TOOLS,
        "resource_metadata": "http://testserver/.well-known/oauth-protected-resource/mcp",
    }
    assert response.json()["error"]["data"] == {"error": "access_token_required"}
    assert send(call_of("whoami"), token(aud="http://testserver/other", scope=TOOLS)).status_code == 401


def test_default_resource_is_that_of_the_site(serve: Callable[..., Any], token: TokenMaker, settings: Any) -> None:
    settings.LOGTO_API_RESOURCE, settings.LOGTO_API_RESOURCES = URL, {}
    serve(logto_mcp(TOOLS))
    challenge = parameters_of(Client().post("/mcp", "{}", content_type="application/json")["WWW-Authenticate"])
    assert challenge["resource_metadata"] == "http://testserver/.well-known/oauth-protected-resource/mcp"
    assert send(call_of("whoami"), token(aud=URL, scope=TOOLS)).json()["result"]["isError"] is False


def test_api_key_is_refused_by_default(serve: Callable[..., Any], token: TokenMaker) -> None:
    serve(logto_mcp(TOOLS, resource=URL))
    response = send(call_of("whoami"), "pat_anything")
    assert (response.status_code, "does not accept API keys" in response.json()["error"]["message"]) == (401, True)


def test_message_that_is_too_large_gets_413(serve: Callable[..., Any], token: TokenMaker, settings: Any) -> None:
    serve(logto_mcp(TOOLS, resource=URL))
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    assert send(b" " * 101, token(aud=URL, scope=TOOLS)).status_code == 413


def test_hostile_messages_are_answered_by_the_server(serve: Callable[..., Any], token: TokenMaker) -> None:
    serve(logto_mcp(TOOLS, resource=URL))
    good = token(aud=URL, scope=TOOLS)
    for body in (b"", b"[]", b"\xff\xfe", b'{"a":' * 100_000, b'{"id": 1' + b"0" * 10_000 + b"}", b"\x00"):
        assert send(body, good).status_code == 400


def test_duplicate_names_do_not_pass_the_check(serve: Callable[..., Any], token: TokenMaker) -> None:
    serve(logto_mcp(TOOLS, resource=URL))
    good = token(aud=URL, scope=TOOLS)
    for first, second in (("whoami", "read_order"), ("read_order", "whoami")):
        body = json.dumps(call_of("name", number=7)).replace('"name": "name"', f'"name": "{first}", "name": "{second}"')
        response = send(body.encode(), good)
        assert "Order 7" not in response.content.decode()


def test_tool_of_a_server_without_protection_never_runs(
    serve: Callable[..., Any], token: TokenMaker, caplog: Any
) -> None:
    serve(mcpz.public, logto_mcp(TOOLS, resource=URL))
    response = send(call_of("read_order", number=7), token(aud=URL, scope=" ".join(SCOPES)))
    assert response.json()["result"]["isError"] is True
    assert "was not authenticated by the object whose scope_required it has" in caplog.text


def test_tool_that_the_server_renames_never_runs(serve: Callable[..., Any], token: TokenMaker, caplog: Any) -> None:
    auth = logto_mcp(TOOLS, resource=URL)
    server = serve(auth)

    @server.tool(description="Find.", name="find")
    @auth.scope_required(ORDERS)
    def search(request: HttpRequest) -> str:
        return "found"

    response = send(call_of("find"), token(aud=URL, scope=" ".join(SCOPES)))
    assert response.json()["result"]["isError"] is True
    assert "'find' was called, and scope_required knows it as 'search'" in caplog.text


def test_tool_error_is_shown_if_the_message_was_not_read(serve: Callable[..., Any], token: TokenMaker) -> None:
    auth = logto_mcp(TOOLS, resource=URL)
    server = serve(auth)
    request = HttpRequest()
    request.META["HTTP_AUTHORIZATION"] = f"Bearer {token(aud=URL, scope=TOOLS)}"
    assert auth.authentication_error(request) is None
    with pytest.raises(mcpz.ToolError, match=f"You need the permission {ORDERS}"):
        server._tools["read_order"].func(request, {"number": 7})


def test_failed_tool_leaves_no_rows_with_atomic_requests(serve: Callable[..., Any], token: TokenMaker) -> None:
    auth = logto_mcp(TOOLS, resource=URL)
    server = serve(auth)

    @server.tool(description="Add a group, and fail.")
    @auth.scope_required(ORDERS)
    def add_group(request: HttpRequest) -> str:
        Group.objects.create(name="agents")
        raise mcpz.ToolError("No.")

    with transaction.atomic():
        response = send(call_of("add_group"), token(aud=URL, scope=" ".join(SCOPES)))
    assert response.json()["result"]["isError"] is True
    assert not Group.objects.filter(name="agents").exists()


def test_two_tools_of_one_name_are_refused(serve: Callable[..., Any]) -> None:
    auth = logto_mcp(TOOLS, resource=URL)
    serve(auth)
    with pytest.raises(ConfigurationError, match="Two tools are called 'read_order'"):
        server_of(auth, auth)
