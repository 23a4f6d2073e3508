"""The MCP server of the site under test."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest
from django_mcpz.server import MCPServer

from logto_auth.contrib.mcp import logto_mcp

from .declaration import MCP

auth = logto_mcp("mcp:tools", resource=MCP)
server = MCPServer(name="live", version="1", auth=auth)


class Caller(msgspec.Struct):
    sub: str
    user: str
    client_id: str


def _caller(request: HttpRequest) -> Caller:
    logto = request.logto
    return Caller(sub=logto.sub, user=str(request.user), client_id=logto.client_id)


@server.tool(description="Say who calls.", read_only=True)
def who(request: HttpRequest) -> Caller:
    return _caller(request)


@server.tool(description="Count the stock.")
@auth.scope_required("write:stock")
def count_stock(request: HttpRequest) -> Caller:
    return _caller(request)
