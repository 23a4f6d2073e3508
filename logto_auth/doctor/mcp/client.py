"""The official MCP client, and a record of what it and the servers say. Needs the extra `mcp`.

Discovery, sign-in and protocol are those of the client. Only the browser is that of the operator.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx2
from anyio import to_thread
from anyio.from_thread import start_blocking_portal
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from mcp_types import CallToolResult
from pydantic import AnyUrl

from logto_auth.oidc.errors import single_line

from .transcript import Exchange, Run, ToolResult, parse_document

__all__ = ["Call", "SignIn", "run_client"]

HTTP_SECONDS = 30.0
# After the error of HTTP, which says more.
MESSAGE_SECONDS = HTTP_SECONDS + 5
MAX_PAGES = 20
MAX_TEXT = 200

SignIn = Callable[[str], Mapping[str, str]]
"""Gets the URL of an authorization request, and returns the parameters of the answer. Raises SignInFailed."""


@dataclass(frozen=True)
class Call:
    """A call of a tool."""

    tool: str
    arguments: Mapping[str, Any]


class _Stopped(Exception):
    """The run ends before the sign-in, as it should."""


def run_client(
    url: str, *, client_id: str, redirect_uri: str, sign_in: SignIn | None = None, call: Call | None = None
) -> Run:
    """Let the official client connect to the MCP server at `url`, and return the run.

    Without `sign_in`, the run ends before it. `client_id` is that of an application without a secret.
    """
    run = Run(str(httpx2.URL(url)))
    try:
        with _silent(), start_blocking_portal() as portal:
            portal.call(partial(_connect, run, _provider(run, url, client_id, redirect_uri, sign_in), call))
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # errors of the client and of its libraries, alone or in a group
        root = _root_of(error)
        run.error = None if isinstance(root, _Stopped) else root
    return run


def _provider(run: Run, url: str, client_id: str, redirect_uri: str, sign_in: SignIn | None) -> OAuthClientProvider:
    shared: dict[str, Any] = {"redirect_uris": [AnyUrl(redirect_uri)], "token_endpoint_auth_method": "none"}
    registered = OAuthClientInformationFull(client_id=client_id, **shared)
    metadata = OAuthClientMetadata(client_name="logto_doctor", **shared)
    answers: list[Mapping[str, str]] = []

    async def open_browser(authorization_url: str) -> None:
        run.authorization_urls.append(authorization_url)
        if sign_in is None:
            raise _Stopped
        answers.append(await to_thread.run_sync(sign_in, authorization_url, abandon_on_cancel=True))

    async def take_answer() -> AuthorizationCodeResult:
        answer = answers.pop()
        return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))

    return OAuthClientProvider(
        url, metadata, _Storage(run, registered), redirect_handler=open_browser, callback_handler=take_answer
    )


async def _connect(run: Run, auth: OAuthClientProvider, call: Call | None) -> None:
    hooks: dict[str, list[Callable[..., Any]]] = {"response": [partial(_record, run)]}
    async with (
        httpx2.AsyncClient(auth=auth, timeout=HTTP_SECONDS, event_hooks=hooks) as http,
        Client(streamable_http_client(run.url, http_client=http), read_timeout_seconds=MESSAGE_SECONDS) as client,
    ):
        run.protocol_version = client.protocol_version
        run.tools = await _tools(client)
        if call is not None and call.tool in run.tools:
            run.result = _result(await client.call_tool(call.tool, dict(call.arguments)))


async def _tools(client: Client) -> list[str]:
    names: list[str] = []
    cursor = None
    for _ in range(MAX_PAGES):
        page = await client.list_tools(cursor=cursor)
        names += [tool.name for tool in page.tools]
        cursor = page.next_cursor
        if cursor is None:
            break
    return names


def _result(answer: CallToolResult) -> ToolResult:
    texts = [single_line(getattr(block, "text", "")) for block in answer.content] if answer.is_error else []
    return ToolResult(bool(answer.is_error), len(answer.content), " ".join(filter(None, texts))[:MAX_TEXT])


async def _record(run: Run, response: httpx2.Response) -> None:
    url = str(response.request.url)
    # A stream of events may never end. What tools answer is no concern of the doctor.
    is_read = url.rstrip("/") != run.url.rstrip("/") and "event-stream" not in response.headers.get("Content-Type", "")
    exchange = Exchange(
        method=response.request.method,
        url=url,
        status=response.status_code,
        challenge=", ".join(response.headers.get_list("WWW-Authenticate")),
        location=response.headers.get("Location", ""),
        document=parse_document(await response.aread()) if is_read else None,
    )
    run.exchanges.append(exchange)


class _Storage:
    """Keeps the tokens of one run in memory. See `mcp.client.auth.TokenStorage`."""

    def __init__(self, run: Run, registered: OAuthClientInformationFull) -> None:
        self._run = run
        self._registered = registered

    async def get_tokens(self) -> OAuthToken | None:
        return None

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self._run.access_token = tokens.access_token
        self._run.granted_scopes = frozenset((tokens.scope or "").split())
        if tokens.refresh_token:
            self._run.refresh_tokens.append(tokens.refresh_token)

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self._registered

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep nothing: the application is registered already."""


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the log of the client from the terminal: its errors are findings, and its texts may hold tokens."""
    loggers = [logging.getLogger(name) for name in ("mcp", "client", "httpx2", "httpcore2")]
    before = [logger.propagate for logger in loggers]
    handler = logging.NullHandler()
    for logger in loggers:
        logger.addHandler(handler)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, propagates in zip(loggers, before, strict=True):
            logger.removeHandler(handler)
            logger.propagate = propagates


def _root_of(error: BaseException) -> BaseException:
    """Return the error itself, or the first one within groups."""
    # Python 3.10 has no class for groups.
    while inner := getattr(error, "exceptions", None):
        error = inner[0]
    return error
