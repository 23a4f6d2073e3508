"""An agent: the official MCP client, which signs the user in by the browser and calls one tool of the shop.

    python -m bookstore.agents.client                                    lists the tools
    python -m bookstore.agents.client search_books '{"words": "emma"}'
    python -m bookstore.agents.client read_order

The client needs only the URL of the shop and an application at Logto. By the 401 of the shop it finds Logto, and it
requests the permissions that the shop names. It keeps its tokens only while it runs.
"""

import asyncio
import json
import os
import sys
import time
import webbrowser
from argparse import ArgumentParser, Namespace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

SHOP = f"http://localhost:{os.environ.get('PORT', '8000')}/mcp"
APPLICATION = "bookstoreagent0000001"  # that of the demo
WAIT_SECONDS = 300


class Refused(Exception):
    """Logto has sent the browser back without a code."""


class Memory:
    """The registration and the tokens of the client. A desktop application would keep them in the key ring."""

    def __init__(self, registration: OAuthClientInformationFull) -> None:
        self.registration = registration
        self.tokens: OAuthToken | None = None

    async def get_client_info(self) -> OAuthClientInformationFull:
        return self.registration

    async def set_client_info(self, registration: OAuthClientInformationFull) -> None:
        self.registration = registration

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens


class CallbackServer(HTTPServer):
    query: dict[str, str] | None = None


class Callback(BaseHTTPRequestHandler):
    """The page on this machine to which Logto sends the browser back."""

    timeout = 5  # browsers also open connections on which they request nothing

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        is_callback = parts.path == "/callback"
        if is_callback:
            self.server.query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        text = b"You may close this window." if is_callback else b"Not found"
        self.send_response(200 if is_callback else 404)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: Any) -> None:
        """Print nothing: the query contains the code."""


class Browser:
    """The browser of the user, and the server on this machine to which it comes back."""

    def __init__(self) -> None:
        # Logto lets a native application use any port of the loopback address.
        self.server = CallbackServer(("127.0.0.1", 0), Callback)
        self.redirect_uri = f"http://127.0.0.1:{self.server.server_port}/callback"

    async def open(self, url: str) -> None:
        print(f"Sign in and agree at:\n  {url}", file=sys.stderr, flush=True)
        # Some browsers return only when the user closes them.
        Thread(target=webbrowser.open, args=[url], daemon=True).start()

    async def callback(self) -> AuthorizationCodeResult:
        query = await asyncio.to_thread(self._wait)
        if "code" not in query:
            raise Refused(query.get("error_description") or query.get("error") or "The sign-in was cancelled.")
        return AuthorizationCodeResult(code=query["code"], state=query.get("state"), iss=query.get("iss"))

    def _wait(self) -> dict[str, str]:
        """Return the query of the callback. A browser also requests other pages, such as an icon."""
        deadline = time.monotonic() + WAIT_SECONDS
        self.server.query = None
        while self.server.query is None:
            self.server.timeout = deadline - time.monotonic()
            if self.server.timeout <= 0:
                raise Refused(f"The browser did not come back within {WAIT_SECONDS} seconds.")
            self.server.handle_request()
        return self.server.query


async def call(url: str, client_id: str, tool: str, arguments: dict[str, Any]) -> str:
    """Return the text that a tool answers. Without a tool, return the names and descriptions of all tools.

    Raise RuntimeError if the tool reports an error.
    """
    browser = Browser()
    registration = {"redirect_uris": [browser.redirect_uri], "token_endpoint_auth_method": "none"}
    auth = OAuthClientProvider(
        url,
        OAuthClientMetadata(client_name="Bookstore agent", **registration),
        Memory(OAuthClientInformationFull(client_id=client_id, **registration)),
        redirect_handler=browser.open,
        callback_handler=browser.callback,
    )
    async with httpx2.AsyncClient(auth=auth) as http, Client(streamable_http_client(url, http_client=http)) as client:
        if not tool:
            listed = await client.list_tools()
            return "\n".join(f"{each.name:<14}{each.description}" for each in listed.tools)
        result = await client.call_tool(tool, arguments)
        text = "\n".join(getattr(block, "text", "") for block in result.content)
        if result.is_error:
            raise RuntimeError(text)
        return text


def main() -> int:
    options = _options()
    try:
        print(asyncio.run(call(options.url, options.client_id, options.tool, options.arguments)))
    except Exception as error:
        print(f"The call failed: {_root(error)}", file=sys.stderr)
        return 1
    return 0


def _options() -> Namespace:
    parser = ArgumentParser(prog="python -m bookstore.agents.client", description=__doc__.splitlines()[0])
    parser.add_argument("tool", nargs="?", default="", help="the name of a tool; without it, all tools are listed")
    parser.add_argument("arguments", nargs="?", default={}, type=json.loads, help="a JSON object")
    parser.add_argument("--url", default=SHOP, help="the MCP endpoint (default: %(default)s)")
    parser.add_argument("--client-id", default=APPLICATION, help="the application at Logto (default: %(default)s)")
    return parser.parse_args()


def _root(error: BaseException) -> BaseException:
    """Return the error that the client has put into groups of one."""
    while len(inner := getattr(error, "exceptions", ())) == 1:
        error = inner[0]
    return error


if __name__ == "__main__":
    sys.exit(main())
