"""A site with an MCP server, whose API resource is LOGTO_API_RESOURCE. Needs django-mcpz."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest
from django.urls import include, path
from django_mcpz.server import MCPServer, ToolError

from logto_auth.contrib.mcp import logto_mcp

auth = logto_mcp("mcp:tools")
server = MCPServer(name="shop", version="1", auth=auth)


class Order(msgspec.Struct):
    number: int


@server.tool(description="Search the books.")
def search_books(request: HttpRequest) -> str:
    return "Emma"


@server.tool(description="Read an order.")
@auth.scope_required("read:orders")
def read_order(request: HttpRequest, params: Order) -> str:
    if params.number < 0:
        raise ToolError("There is no such order.")
    return f"Order {params.number}"


@server.tool(description="Fail.")
def fail(request: HttpRequest) -> str:
    raise RuntimeError("a secret")


urlpatterns = [path("mcp", server), path("", include("logto_auth.urls"))]
