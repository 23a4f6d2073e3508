"""A socket: whose it is, and that it closes at a sign-out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings as site_settings

from logto_auth.contrib.asgi import LogtoAuthMiddleware
from logto_auth.testing import Browser
from tests.profiles.site.visitors import SiteClient, local_user

# On the functions, because the mark of a module counts less than that of the profiles.
commits = pytest.mark.django_db(transaction=True, databases="__all__")


async def application(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept", "subprotocol": str(scope["logto"].sub)})
    await receive()


async def until_closed(client: Any, sign_out: Any) -> tuple[str, int]:
    """Open a socket with the session of `client`, sign the user out, and return the `sub` and the close code."""
    name = site_settings.SESSION_COOKIE_NAME
    cookie = f"{name}={client.cookies[name].value}".encode()
    headers = [(b"host", b"testserver"), (b"origin", b"http://testserver"), (b"cookie", cookie)]
    scope = {"type": "websocket", "path": "/ws/", "query_string": b"", "headers": headers}
    socket = ApplicationCommunicator(LogtoAuthMiddleware(application, signed_in_required=True), scope)
    await socket.send_input({"type": "websocket.connect"})
    accepted = await socket.receive_output(5)
    await sync_to_async(sign_out)()
    closed = await socket.receive_output(5)
    return accepted["subprotocol"], closed["code"]


@commits
def test_socket_closes_at_sign_out(reader: Browser, settings: Any) -> None:
    settings.LOGTO_SOCKET_CHECK_SECONDS = 1
    assert asyncio.run(until_closed(reader.client, reader.sign_out)) == ("reader000001", 4401)


@commits
def test_socket_of_password_user_closes_at_sign_out(settings: Any) -> None:
    settings.LOGTO_SOCKET_CHECK_SECONDS = 1
    client = SiteClient()
    client.force_login(local_user("local"), backend="django.contrib.auth.backends.ModelBackend")
    assert asyncio.run(until_closed(client, client.logout)) == ("None", 4401)
