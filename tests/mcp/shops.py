"""A shop whose tools an MCP client calls, as a server of django-mcpz and as one of the official SDK.

Both have the same tools: `whoami` requires what the server requires, and `read_order` requires `read:orders` as well.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
from django.core.handlers.asgi import ASGIHandler
from django.db import connection
from django.http import HttpRequest
from mcp.server import MCPServer as SDKServer
from mcp.server.mcpserver import Context

from logto_auth.contrib.mcp import LogtoMCP, request_of
from logto_auth.emulator import Emulator
from tests.mcp_client import add_mcp_application

TOOLS, ORDERS = "mcp:tools", "read:orders"
# What the server requires, and the permissions of its resource.
SCOPES = [TOOLS, ORDERS]


def set_up(logto: Emulator, settings: Any, url: str) -> str:
    """Declare the resource `url`, with a buyer who may read orders and a visitor who may not; return a client's id."""
    settings.LOGTO_API_RESOURCES = {url: SCOPES}
    settings.LOGTO_API_CREATE_USERS = True
    logto.tenant.add_resource(url, scopes=SCOPES)
    logto.tenant.add_role("buyer", scopes={url: SCOPES})
    logto.tenant.add_role("visitor", scopes={url: [TOOLS]})
    logto.tenant.add_user(username="buyer", id="buyer0000001", roles=["buyer"])
    logto.tenant.add_user(username="visitor", id="visitor00001", roles=["visitor"])
    return add_mcp_application(logto, resource_scopes={url: SCOPES}).id


def described(request: HttpRequest) -> str:
    """Return who calls a tool, with what they may do, for the test."""
    principal: Any = request.logto  # type: ignore[attr-defined]
    may_read = request.user.has_perm(f"logto.{ORDERS}")
    return f"{principal.sub} {request.user.pk is not None} {may_read}"


def sdk_server(auth: LogtoMCP, /, **options: Any) -> SDKServer[Any]:
    """Return the shop as a server of the official SDK."""
    server: SDKServer[Any] = SDKServer("shop", **options)

    @server.tool()
    def whoami(context: Context) -> str:
        """Say who calls."""
        return described(request_of(context))

    @server.tool()
    @auth.scope_required(ORDERS)
    def read_order(number: int) -> str:
        """Read an order."""
        # Django refuses the database to code in the event loop.
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return f"Order {number}"

    @server.tool()
    @auth.scope_required(ORDERS)
    async def count_orders(context: Context, year: int = 2026) -> str:
        """Count the orders of a year."""
        return f"{year}: {described(request_of(context))}"

    return server


@contextlib.contextmanager
def asgi_server(make_app: Callable[[str], Any], *, lifespan: bool = True) -> Iterator[str]:
    """Serve an ASGI application with uvicorn in a thread, and yield its URL. `make_app` gets this URL."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://localhost:{listener.getsockname()[1]}"
        server = uvicorn.Server(
            uvicorn.Config(make_app(url), log_level="warning", ws="none", lifespan="on" if lifespan else "off")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            deadline = time.monotonic() + 10
            while not server.started:
                assert thread.is_alive(), "uvicorn did not start"
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield url
        finally:
            server.should_exit = True
            thread.join(timeout=10)


def beside_django(mcp_app: Any) -> Any:
    """Return the application of a site whose MCP server is at /mcp, beside Django, as the guide shows it."""
    django_app = ASGIHandler()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        is_mcp = scope["type"] == "lifespan" or scope["path"] == "/mcp"
        await (mcp_app if is_mcp else django_app)(scope, receive, send)

    return application
