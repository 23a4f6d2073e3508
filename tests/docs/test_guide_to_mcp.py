"""What the guide to MCP servers says: both servers run, and are called by the official client."""

from __future__ import annotations

from typing import Any

import pytest
from mcp.shared.exceptions import MCPError

from logto_auth.emulator import Emulator
from tests.mcp.shops import asgi_server
from tests.mcp_client import McpClient

from .callers import access_token

# It needs Python 3.11.
pytest.importorskip("django_mcpz")

pytestmark = pytest.mark.django_db(transaction=True)

GUIDE = "docs/how-to/mcp.md"
RESOURCE = "https://shop.example/mcp"


@pytest.fixture(autouse=True)
def shop(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_API_RESOURCES = {RESOURCE: ["mcp:tools", "read:orders"]}
    settings.LOGTO_API_CREATE_USERS = True
    settings.ALLOWED_HOSTS = ["shop.example"]


def client(url: str, token: str) -> McpClient:
    return McpClient(url, headers={"Host": "shop.example", "Authorization": f"Bearer {token}"})


def test_server_of_django_mcpz_works(logto: Emulator, settings: Any, live_server: Any, modules: Any) -> None:
    tools = modules(GUIDE, "shop.tools")
    settings.ROOT_URLCONF = tuple(tools.urlpatterns)
    token = access_token(logto, aud=RESOURCE, scope="mcp:tools read:orders")
    with client(f"{live_server.url}/mcp", token) as caller:
        assert caller.text("whoami") == "reader"
        assert caller.text("read_order", number=1) == "You have no such order."
    token = access_token(logto, aud=RESOURCE, scope="mcp:tools")
    with client(f"{live_server.url}/mcp", token) as caller, pytest.raises(MCPError, match="read:orders"):
        caller.call("read_order", number=1)


def test_server_of_the_official_sdk_works(logto: Emulator, settings: Any, modules: Any) -> None:
    app = modules(GUIDE, "shop.asgi").application
    with asgi_server(lambda url: app) as site:
        token = access_token(logto, aud=RESOURCE, scope="mcp:tools read:orders")
        with client(f"{site}/mcp", token) as caller:
            assert caller.text("whoami") == "reader"
            assert caller.text("count_users") == "1"
        token = access_token(logto, aud=RESOURCE, scope="mcp:tools")
        with client(f"{site}/mcp", token) as caller, pytest.raises(MCPError, match="read:orders"):
            caller.call("count_users")
