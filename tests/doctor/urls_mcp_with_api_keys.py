"""A site with an MCP server that accepts API keys, and nothing else that does. Needs django-mcpz."""

from django.urls import path
from django_mcpz.server import MCPServer

from logto_auth.contrib.mcp import logto_mcp

server = MCPServer(name="shop", version="1", auth=logto_mcp("mcp:tools", accepts_api_keys=True))

urlpatterns = [path("mcp", server)]
