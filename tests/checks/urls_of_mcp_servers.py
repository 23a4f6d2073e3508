"""MCP servers in the URLs of a site. The checks look at `auth` only, so the servers need no package."""

from __future__ import annotations

from typing import Any

from django.urls import include, path, re_path
from django.views.decorators.cache import never_cache

from logto_auth.contrib.mcp import LogtoMCP, logto_mcp


class Server:
    """Like `django_mcpz.server.MCPServer`: an object that is the view."""

    def __init__(self, auth: Any) -> None:
        self.auth = auth

    def __call__(self, request: Any) -> Any:
        raise NotImplementedError


def server(resource: str | None) -> Server:
    auth: LogtoMCP = logto_mcp("mcp:tools", resource=resource)
    return Server(auth)


urlpatterns = [
    path("mcp", server("https://shop.example/mcp")),
    path("agents/", include([path("mcp/", never_cache(server("https://shop.example/agents/mcp")))])),
    path("of/<slug:branch>/mcp", server("https://shop.example/branches")),
    re_path("^tools$", server("https://shop.example/branches")),
    path("default", server(None)),
    path("public", Server(lambda request: None)),
]
