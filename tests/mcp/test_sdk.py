"""A server of the official SDK beside Django, called by the official client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from logto_auth.contrib.mcp import LogtoMCP, logto_mcp
from logto_auth.emulator import Emulator, Visitor
from tests.mcp_client import McpClient, signs_in

from .shops import ORDERS, TOOLS, asgi_server, beside_django, sdk_server, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.mcp.urls")]


@pytest.fixture
def visitor(logto: Emulator) -> Iterator[Visitor]:
    with Visitor(logto) as visitor:
        yield visitor


@pytest.fixture
def url() -> Iterator[str]:
    auths: list[LogtoMCP] = []

    def app(url: str) -> Any:
        auth = logto_mcp(TOOLS, resource=f"{url}/mcp")
        auths.append(auth)
        return beside_django(auth.asgi(sdk_server(auth).streamable_http_app()))

    with asgi_server(app) as site:
        yield f"{site}/mcp"


@pytest.fixture
def connected(logto: Emulator, settings: Any, url: str, visitor: Visitor) -> Callable[..., McpClient]:
    client_id = set_up(logto, settings, url)

    def connected(username: str, **options: Any) -> McpClient:
        return McpClient(url, sign_in=signs_in(visitor, username), client_id=client_id, **options)

    return connected


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_client_signs_in_and_calls_a_tool(connected: Callable[..., McpClient], mode: str) -> None:
    with connected("visitor", mode=mode) as client:
        assert client.tools() == ["whoami", "read_order", "count_orders"]
        assert client.text("whoami") == "visitor00001 True False"
        assert client.requested_scopes() == [{TOOLS, "offline_access"}]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_client_steps_up_for_a_tool(connected: Callable[..., McpClient], mode: str) -> None:
    with connected("buyer", mode=mode) as client:
        assert client.text("whoami") == "buyer0000001 True False"
        assert client.text("read_order", number=7) == "Order 7"
        assert client.text("count_orders") == "2026: buyer0000001 True True"
        assert client.requested_scopes()[1:] == [{TOOLS, ORDERS, "offline_access"}]
        assert len(client.answers(403)) == 1


def test_user_without_permission_cannot_call_a_tool(connected: Callable[..., McpClient]) -> None:
    with connected("visitor") as client:
        with pytest.raises(MCPError, match=f"You need the permission {ORDERS}"):
            client.call("read_order", number=7)
        assert len(client.authorization_urls) == 2
