"""Applications behind `LogtoAuthMiddleware`, and what the tests do with them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from channels.routing import URLRouter
from django.conf import settings
from django.urls import path

from logto_auth.contrib import open_sockets
from logto_auth.contrib.asgi import LogtoAuthMiddleware
from logto_auth.testing import Browser

T = TypeVar("T")
ORIGIN = (b"origin", b"http://testserver")
HOST = (b"host", b"testserver")


class Echo(AsyncJsonWebsocketConsumer):
    """Says whose socket it is, and then repeats each message."""

    async def connect(self) -> None:
        offered = self.scope["subprotocols"]
        await self.accept(subprotocol="chat.v1" if "chat.v1" in offered else None)
        principal = self.scope["logto"]
        await self.send_json(
            {
                "user": self.scope["user"].get_username(),
                "sub": principal.sub,
                "authenticated": principal.is_authenticated and self.scope["user"].is_authenticated,
                "may_write": settings.LOGTO_API_RESOURCE and await self.scope["user"].ahas_perm("logto.write:books"),
                "subprotocols": offered,
                "header": dict(self.scope["headers"]).get(b"sec-websocket-protocol", b"").decode(),
            }
        )

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        await self.send_json(content)


def site(**options: Any) -> Any:
    """Return the application of a site with one socket at /ws/."""
    return LogtoAuthMiddleware(URLRouter([path("ws/", Echo.as_asgi())]), **options)


def cookie_of(browser: Browser) -> tuple[bytes, bytes]:
    """Return the header with the session of a browser."""
    name = settings.SESSION_COOKIE_NAME
    return (b"cookie", f"{name}={browser.client.cookies[name].value}".encode())


def bearer(token: str) -> tuple[bytes, bytes]:
    """Return the header with an access token."""
    return (b"authorization", f"Bearer {token}".encode())


class Client(ApplicationCommunicator):
    """A client of an ASGI application. That of `channels.testing` needs the server daphne."""

    def __init__(self, app: Any, kind: str, url: str, headers: Any, **scope: Any) -> None:
        route, _, query = url.partition("?")
        super().__init__(
            app, {"type": kind, "path": route, "query_string": query.encode(), "headers": [HOST, *headers], **scope}
        )


class Stream(Client):
    """A request of HTTP."""

    def __init__(self, app: Any, *headers: tuple[bytes, bytes], method: str = "GET") -> None:
        super().__init__(app, "http", "/events", headers, method=method)

    async def started(self) -> Any:
        """Send the request, and return the start of the response."""
        await self.send_input({"type": "http.request", "body": b""})
        return await self.receive_output(5)


class Socket(Client):
    """A socket. The first message of the server, if it accepts, is `hello`."""

    def __init__(self, app: Any, *headers: tuple[bytes, bytes], url: str = "/ws/", subprotocols: Any = None) -> None:
        super().__init__(app, "websocket", url, headers, subprotocols=list(subprotocols or ()))

    async def connect(self, timeout: float = 5) -> tuple[bool, Any]:
        """Return whether the server accepts, and the subprotocol or the close code."""
        await self.send_input({"type": "websocket.connect"})
        message = await self.receive_output(timeout)
        if message["type"] == "websocket.close":
            return False, message["code"]
        assert message["type"] == "websocket.accept", message
        return True, message.get("subprotocol")

    async def say(self, content: Any) -> None:
        await self.send_input({"type": "websocket.receive", "text": json.dumps(content)})

    async def hear(self, timeout: float = 5) -> Any:
        message = await self.receive_output(timeout)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def disconnect(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(5)

    async def opened(self) -> Any:
        is_open, self.subprotocol = await self.connect()
        assert is_open, self.subprotocol
        return await self.hear()

    async def refused(self) -> int:
        """Return the code with which the server closes the socket before it accepts it."""
        is_open, code = await self.connect()
        assert not is_open
        assert isinstance(code, int)
        return code

    async def close_code(self, timeout: float = 4) -> tuple[int, str]:
        """Return the code and the reason with which the server closes an open socket."""
        message = await self.receive_output(timeout)
        assert message["type"] == "websocket.close", message
        return message["code"], message.get("reason", "")


def run(scenario: Callable[[], Awaitable[T]]) -> T:
    """Run `scenario` as a server does: in an event loop of its own."""

    async def bounded() -> T:
        return await asyncio.wait_for(scenario(), 50)

    return asyncio.run(bounded())


async def in_database(function: Callable[[], T]) -> T:
    """Run what the site does elsewhere meanwhile."""
    return await sync_to_async(function)()


@contextmanager
def questions() -> Any:
    """Count the questions that are asked of the database for all open sockets, as `(time, sockets)`."""
    asked: list[tuple[float, int]] = []
    original = open_sockets.ended_keys

    def counted(bases: Any) -> set[str]:
        asked.append((time.monotonic(), len(bases)))
        return original(bases)

    open_sockets.ended_keys = counted
    try:
        yield asked
    finally:
        open_sockets.ended_keys = original


async def stream(scope: Any, receive: Any, send: Any) -> None:
    """Server-sent events, until the client is gone."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    data = json.dumps({"sub": scope["logto"].sub})
    await send({"type": "http.response.body", "body": f"data: {data}\n\n".encode(), "more_body": True})
    await receive()
    while (await receive())["type"] != "http.disconnect":
        pass
