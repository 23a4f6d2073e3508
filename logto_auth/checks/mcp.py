"""Checks of the MCP servers of django-mcpz in the URLs of the site. Those beside Django are not known here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from logto_auth.api.resources import path_of
from logto_auth.contrib.mcp import LogtoMCP
from logto_auth.oidc.authorization import is_absolute_uri

from .lenient_conf import conf
from .problem import Problem

RESOURCE_UNDECLARED = Problem(
    "logto_auth.E049",
    "The MCP server at {path} has resource={resource}, which the settings do not declare.",
    "Add the URL of the server to LOGTO_API_RESOURCES with its permissions, and name it: logto_mcp(..., resource=...). "
    "Without resource, it is LOGTO_API_RESOURCE. MCP clients find Logto only by the metadata of a declared resource.",
)
OTHER_PATH = Problem(
    "logto_auth.W040",
    "The MCP server at {path} has the API resource {resource}, which is another URL.",
    "MCP clients refuse a resource that is not the URL of the server. Add an API resource with this URL at Logto, and "
    "use it in LOGTO_API_RESOURCES and logto_mcp(resource=...).",
)


def check_mcp_servers() -> Iterator[CheckMessage]:
    """Check that MCP clients find the metadata of each server, and accept it."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return
    declared = conf.declared_api_resources
    for path, auth in _servers(get_resolver().url_patterns, ""):
        resource = auth.resource or conf.api_resource
        if resource not in declared:
            yield RESOURCE_UNDECLARED(path=_shown(path), resource=repr(auth.resource))
        elif path is not None and is_absolute_uri(resource) and not _is_at(resource, path):
            yield OTHER_PATH(path=_shown(path), resource=resource)


def _servers(patterns: Iterable[URLPattern | URLResolver], prefix: str | None) -> Iterator[tuple[str | None, LogtoMCP]]:
    """Yield the path of each server, None if it varies, and its authentication."""
    for each in patterns:
        path = None if prefix is None else _joined(prefix, each.pattern)
        if isinstance(each, URLResolver):
            yield from _servers(each.url_patterns, path)
        elif auth := auth_of(each.callback):
            yield path, auth


def _joined(prefix: str, pattern: Any) -> str | None:
    is_fixed = isinstance(pattern, RoutePattern) and not pattern.converters
    return f"{prefix}{pattern}" if is_fixed else None


def auth_of(view: Any) -> LogtoMCP | None:
    """Return the authentication of a view that is an MCP server, decorated or not."""
    while view is not None:
        auth = getattr(view, "auth", None)
        if isinstance(auth, LogtoMCP):
            return auth
        view = getattr(view, "__wrapped__", None)
    return None


def _is_at(resource: str, path: str) -> bool:
    """Return whether the path of `resource` is `path`, after the prefix of the site."""
    found, path = path_of(resource), path.strip("/")
    prefix = settings.FORCE_SCRIPT_NAME
    if prefix is None:
        # The server may give the site a prefix, which is not known here.
        return f"/{found}".endswith(f"/{path}")
    return found == f"{prefix.strip('/')}/{path}".strip("/")


def _shown(path: str | None) -> str:
    return "a URL that varies" if path is None else f"/{path}"
