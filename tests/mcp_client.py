"""The official MCP client over HTTP, for tests of MCP servers, with a browser in which a test user signs in.

    with McpClient(f"{live_server.url}/mcp", sign_in=signs_in(visitor, "reader"), client_id=application.id) as client:
        assert client.tools() == ["search_books"]
        assert client.call("search_books", title="Emma").is_error is False

The client and its `OAuthClientProvider` are those of the package `mcp`, unchanged: they discover Logto, request tokens,
and request more permissions when the server requires them. Only the browser is a stand-in: it is a function that gets
the authorization URL, and returns the URL of the callback.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from anyio import to_thread
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from mcp_types import CallToolResult, Tool

from logto_auth.emulator import Emulator
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.visitors.browser import Visitor

if sys.version_info < (3, 11):
    from exceptiongroup import BaseExceptionGroup

__all__ = ["REDIRECT_URI", "Exchange", "McpClient", "SignIn", "Storage", "add_mcp_application", "root_of", "signs_in"]

# No server listens there: the browser of the tests returns this URL, and does not open it.
REDIRECT_URI = "http://127.0.0.1:8900/callback"
TIMEOUT_SECONDS = 20

# Gets an authorization URL, and returns the URL to which Logto sends the browser back.
SignIn = Callable[[str], str]


def signs_in(visitor: Visitor, username: str, password: str | None = None) -> SignIn:
    """Return a browser that signs this user in at Logto, and consents if Logto asks."""
    return lambda url: visitor.sign_in(url, username, password)


def add_mcp_application(
    logto: Emulator, *, is_third_party: bool = True, name: str = "An MCP client", **metadata: Any
) -> Application:
    """Add the public application that an MCP client is registered as, by default a third-party one.

    `resource_scopes={indicator: [scope]}` are the permissions that a third-party application may request.
    """
    return logto.tenant.add_application(
        name=name, type="Native", redirect_uris=[REDIRECT_URI], is_third_party=is_third_party, **metadata
    )


@dataclass(frozen=True)
class Exchange:
    """A request of the client, and the response to it. Tokens are left out."""

    method: str
    url: str
    status: int
    challenge: str
    """The value of `WWW-Authenticate`; empty if there was none."""


class Storage:
    """What a client keeps between its runs: its registration and its tokens. See `mcp.client.auth.TokenStorage`."""

    def __init__(self, client: OAuthClientInformationFull | None = None, tokens: OAuthToken | None = None) -> None:
        self.client = client
        self.tokens = tokens

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class McpClient:
    """The official client, connected to the MCP server at `url` inside `with`, in a thread of its own.

    `client_id` is that of an application that was registered beforehand; `client_metadata_url` is that of a client
    metadata document, which the client uses if Logto supports them. Without `sign_in`, the client sends only `headers`:
    `{"Authorization": "Bearer ..."}` is for an API key or a token that the test has already. `mode` is "auto",
    "legacy" or a protocol version, as in `mcp.Client`. `storage` keeps the tokens of an earlier client.

    What is refused raises the error of the client: `OAuthFlowError` and its subclasses in `mcp.client.auth`, `MCPError`
    in `mcp.shared.exceptions`. Errors within a group are raised alone.
    """

    def __init__(
        self,
        url: str,
        *,
        sign_in: SignIn | None = None,
        client_id: str = "",
        client_metadata_url: str | None = None,
        redirect_uri: str = REDIRECT_URI,
        headers: Mapping[str, str] | None = None,
        mode: str = "auto",
        storage: Storage | None = None,
    ) -> None:
        self.url = url
        self.exchanges: list[Exchange] = []
        """All requests of the client, those to Logto as well."""
        self.authorization_urls: list[str] = []
        """The URLs that were opened in the browser: one for each sign-in."""
        self.storage = storage or Storage()
        self._sign_in = sign_in
        self._headers = dict(headers or {})
        self._mode = mode
        self._callback_url = ""
        self._metadata = OAuthClientMetadata(
            client_name="Test client", redirect_uris=[redirect_uri], token_endpoint_auth_method="none"
        )
        self._client_metadata_url = client_metadata_url
        if client_id and self.storage.client is None:
            self.storage.client = OAuthClientInformationFull(
                client_id=client_id, redirect_uris=[redirect_uri], token_endpoint_auth_method="none"
            )
        self._stack = ExitStack()

    def __enter__(self) -> McpClient:
        with ExitStack() as stack:
            self._portal: BlockingPortal = stack.enter_context(start_blocking_portal())
            try:
                self._client: Client = stack.enter_context(
                    self._portal.wrap_async_context_manager(_Connection(self._connect))
                )
            except BaseExceptionGroup as group:
                raise root_of(group) from group
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    def tools(self) -> list[str]:
        """Return the names of the tools that the server lists, always from the server."""
        return [tool.name for tool in self.tool_definitions()]

    def tool_definitions(self) -> list[Tool]:
        """Return the tools that the server lists, always from the server."""
        return list(self._run(lambda: self._client.list_tools(cache_mode="refresh")).tools)

    def call(self, tool: str, **arguments: Any) -> CallToolResult:
        """Return the result of a call. Its `is_error` is true if the tool reports an error."""
        return self._run(lambda: self._client.call_tool(tool, arguments))

    def text(self, tool: str, **arguments: Any) -> str:
        """Return the text of the result of a call that must succeed."""
        result = self.call(tool, **arguments)
        text = "".join(getattr(block, "text", "") for block in result.content)
        assert not result.is_error, text
        return text

    @property
    def protocol_version(self) -> str:
        return self._client.protocol_version

    @property
    def granted_scopes(self) -> set[str]:
        """The scopes of the latest access token."""
        tokens = self.storage.tokens
        return set((tokens.scope or "").split()) if tokens else set()

    def requested_scopes(self) -> list[set[str]]:
        """Return the scopes of each authorization request."""
        queries = [parse_qs(urlsplit(url).query) for url in self.authorization_urls]
        return [set(" ".join(query.get("scope", [])).split()) for query in queries]

    def answers(self, status: int) -> list[Exchange]:
        """Return the exchanges with the MCP server itself that ended with this status."""
        return [each for each in self.exchanges if each.status == status and each.url == self.url]

    def _run(self, call: Callable[[], Any]) -> Any:
        try:
            return self._portal.call(call)
        except BaseExceptionGroup as group:
            raise root_of(group) from group

    async def _connect(self, stack: AsyncExitStack) -> Client:
        auth = None
        if self._sign_in is not None:
            auth = OAuthClientProvider(
                self.url,
                self._metadata,
                self.storage,
                redirect_handler=self._open_browser,
                callback_handler=self._callback,
                client_metadata_url=self._client_metadata_url,
            )
        http_client = await stack.enter_async_context(
            httpx2.AsyncClient(
                auth=auth,
                headers=self._headers,
                timeout=TIMEOUT_SECONDS,
                trust_env=False,
                event_hooks={"response": [self._record]},
            )
        )
        transport = streamable_http_client(self.url, http_client=http_client)
        return await stack.enter_async_context(Client(transport, mode=self._mode, read_timeout_seconds=TIMEOUT_SECONDS))

    async def _record(self, response: httpx2.Response) -> None:
        request = response.request
        challenge = response.headers.get("WWW-Authenticate", "")
        self.exchanges.append(Exchange(request.method, str(request.url), response.status_code, challenge))

    async def _open_browser(self, authorization_url: str) -> None:
        assert self._sign_in is not None
        self.authorization_urls.append(authorization_url)
        self._callback_url = await to_thread.run_sync(self._sign_in, authorization_url)

    async def _callback(self) -> AuthorizationCodeResult:
        query = parse_qs(urlsplit(self._callback_url).query)
        code, state, iss = (query.get(name, [""])[0] for name in ("code", "state", "iss"))
        return AuthorizationCodeResult(code=code, state=state or None, iss=iss or None)


class _Connection:
    """An async context manager that holds what `connect` opens."""

    def __init__(self, connect: Callable[[AsyncExitStack], Any]) -> None:
        self._connect = connect
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Any:
        async with AsyncExitStack() as stack:
            client = await self._connect(stack)
            self._stack = stack.pop_all()
        return client

    async def __aexit__(self, *exception: object) -> None:
        await self._stack.aclose()


def root_of(error: BaseException) -> BaseException:
    """Return the error itself, or that within groups of one."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
