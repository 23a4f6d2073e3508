"""Checks of MCP servers."""

from __future__ import annotations

from typing import Any

from django.urls import path

from logto_auth.contrib.mcp import logto_mcp

from .found import messages
from .urls_of_mcp_servers import Server

SERVERS = "tests.checks.urls_of_mcp_servers"
SCOPES = ["mcp:tools"]
DECLARED = {
    f"https://shop.example/{path}": SCOPES for path in ("mcp", "agents/mcp", "branches", "default", "default/mcp")
}


def found(**settings: Any) -> list[str]:
    """Return the messages about MCP servers."""
    known = {"ROOT_URLCONF": SERVERS, "LOGTO_API_RESOURCES": DECLARED}
    return [each.msg for each in messages({**known, **settings}) if each.id in ("logto_auth.E049", "logto_auth.W040")]


def test_declared_servers_have_no_messages() -> None:
    assert found(LOGTO_API_RESOURCE="https://shop.example/default") == []


def test_each_undeclared_server_is_found() -> None:
    servers = [
        ("/mcp", "'https://shop.example/mcp'"),
        ("/agents/mcp/", "'https://shop.example/agents/mcp'"),
        ("a URL that varies", "'https://shop.example/branches'"),
        ("a URL that varies", "'https://shop.example/branches'"),
        ("/default", None),
    ]
    assert found(LOGTO_API_RESOURCES={}) == [
        f"The MCP server at {path} has resource={resource}, which the settings do not declare."
        for path, resource in servers
    ]


def test_resource_with_another_path_is_found() -> None:
    assert found(LOGTO_API_RESOURCE="https://shop.example/api") == [
        "The MCP server at /default has the API resource https://shop.example/api, which is another URL."
    ]


def test_prefix_of_the_site_is_part_of_the_path() -> None:
    # The prefix may come from the server, so any could be right.
    assert found(LOGTO_API_RESOURCE="https://shop.example/prefix/default") == []
    assert found(LOGTO_API_RESOURCE="https://shop.example/notdefault") != []
    for resource, is_right in (("https://shop.example/default", False), ("https://shop.example/shop/default", True)):
        texts = found(LOGTO_API_RESOURCE=resource, FORCE_SCRIPT_NAME="/shop")
        assert any("/default has" in text for text in texts) is not is_right


def test_checks_of_views_see_mcp_servers() -> None:
    def ids_with(**settings: Any) -> list[str]:
        urls = (path("mcp", Server(logto_mcp(second_factor=True, third_party=False, accepts_api_keys=True))),)
        wrong = messages({"ROOT_URLCONF": urls, "LOGTO_API_RESOURCE": "https://shop.example/mcp", **settings})
        return [str(each.id) for each in wrong if "urls_of_mcp_servers.Server" in each.msg]

    assert ids_with() == ["logto_auth.E041", "logto_auth.W041"]
    without_application = {"LOGTO_APP_ID": "", "LOGTO_APP_SECRET": "", "LOGIN_URL": "/login/"}
    assert ids_with(**without_application) == ["logto_auth.E041", "logto_auth.W041", "logto_auth.E050"]
    solved = {"LOGTO_SECOND_FACTOR": True, "LOGTO_FIRST_PARTY_APPS": ["reading-app"]}
    assert ids_with(**solved) == []
