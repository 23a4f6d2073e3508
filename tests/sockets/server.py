"""A site with sockets and a stream, for uvicorn: `tests.sockets.server:application`."""

from __future__ import annotations

from typing import Any

from django.core.asgi import get_asgi_application

# Before the consumers, which need the installed apps.
django_application = get_asgi_application()

from logto_auth.contrib.asgi import LogtoAuthMiddleware  # noqa: E402

from .sites import site, stream  # noqa: E402

sockets = site()
events = LogtoAuthMiddleware(stream, signed_in_required=True)


async def application(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await sockets(scope, receive, send)
    elif scope.get("path") == "/events":
        await events(scope, receive, send)
    else:
        await django_application(scope, receive, send)
