"""What `contrib.mcp` does for servers of the official SDK. It needs the extra `mcp`; `contrib.mcp` has the API."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from io import BytesIO
from typing import Any, TypeVar, cast

from asgiref.sync import ThreadSensitiveContext, iscoroutinefunction, sync_to_async
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix, set_script_prefix
from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.utilities.context_injection import find_context_parameter
from pydantic import AnyHttpUrl, PrivateAttr
from starlette.authentication import AuthCredentials, AuthenticationError

from logto_auth.access.requirements import Requirement
from logto_auth.api.authentication import TokenPrincipal
from logto_auth.exceptions import ConfigurationError
from logto_auth.oidc.secrets import hide_frames
from logto_auth.users.current_request import use_request

from .mcp import LogtoMCP, too_large_response

__all__ = ["ProtectedApp", "Verifier", "auth_settings", "protected_tool", "request_of"]

T = TypeVar("T")
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

# Messages of honest clients arrive at once.
PROMPT_SECONDS = 0.5
# The key of the Django request in an ASGI scope.
REQUEST = "logto_auth.request"
# The parameter for the context that a tool gets if it has none of its own.
CONTEXT_PARAMETER = "logto_context"


class VerifiedToken(AccessToken):
    """The access token of an accepted request, for the SDK. Its text is left out, because reports would show it."""

    _request: HttpRequest = PrivateAttr()

    @classmethod
    def of(cls, request: HttpRequest) -> VerifiedToken:
        """Return the token of a request that is authenticated."""
        principal: TokenPrincipal = request.logto  # type: ignore[attr-defined]
        claims = principal.token
        token = cls(
            token="",
            client_id=claims.client_id,
            scopes=sorted(claims.scopes),
            expires_at=int(claims.expires_at),
            resource=claims.audience or None,
            subject=claims.sub,
            claims={"iss": claims.issuer},
        )
        token._request = request
        return token


# Requests


class ProtectedApp:
    """The ASGI application that `LogtoMCP.asgi` returns."""

    def __init__(self, auth: LogtoMCP, app: ASGIApp) -> None:
        self._auth = auth
        # For `get_access_token` of the SDK.
        self._app: Any = AuthContextMiddleware(app)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)
        else:
            # MCP uses no WebSockets, and nothing would authenticate them. 1008 is a violation of policy (RFC 6455).
            await send({"type": "websocket.close", "code": 1008})

    async def _answer(self, scope: Any, receive: Receive, send: Send) -> None:
        stream = BytesIO()
        request = ASGIRequest(scope, stream)
        async with ThreadSensitiveContext(), _RequestSignals(scope):
            if response := await sync_to_async(self._refused)(request):
                await _send(response, send)
                return
            if request.method == "POST":
                # Not before the authentication, so that nobody else makes this site read a message.
                try:
                    body = await _read_without_connection(receive)
                except _ClientGone:
                    return
                if body is None:
                    await _send(too_large_response(), send)
                    return
                if response := await sync_to_async(self._refused_call)(request, body):
                    await _send(response, send)
                    return
                # For a tool that reads `request.body`.
                stream.write(body)
                stream.seek(0)
                receive = _replayed(body, receive)
                if not _is_subscription(body):
                    await self._pass_on(request, receive, send)
                    return
        # A stream that stays open keeps no thread and no database connection.
        await self._pass_on(request, receive, send)

    async def _pass_on(self, request: ASGIRequest, receive: Receive, send: Send) -> None:
        token = VerifiedToken.of(request)
        # The SDK binds its sessions to this user.
        user = AuthenticatedUser(token)
        scope = {**request.scope, REQUEST: request, "user": user, "auth": AuthCredentials(token.scopes)}
        with use_request(request):
            await self._app(scope, receive, send)

    def _refused(self, request: HttpRequest) -> HttpResponse | None:
        try:
            request.get_host()
        except DisallowedHost:
            return HttpResponse("Bad Request: the host is not in ALLOWED_HOSTS.", status=400, content_type="text/plain")
        error = self._auth.authentication_error(request)
        with _site_prefix():
            return self._auth.response(request, error) if error else None

    def _refused_call(self, request: HttpRequest, body: bytes) -> HttpResponse | None:
        with _site_prefix():
            return self._auth.call_response(request, body)


class _RequestSignals:
    """The signals of a request, by which Django closes database connections, among other things."""

    def __init__(self, scope: Any) -> None:
        self._scope = scope

    async def __aenter__(self) -> None:
        await request_started.asend(sender=ProtectedApp, scope=self._scope)

    async def __aexit__(self, *exception: object) -> None:
        await request_finished.asend(sender=ProtectedApp)


@contextmanager
def _site_prefix() -> Iterator[None]:
    """Build URLs of the site. The path in the scope is that of the MCP server."""
    prefix = get_script_prefix()
    set_script_prefix(settings.FORCE_SCRIPT_NAME or "/")
    try:
        yield
    finally:
        set_script_prefix(prefix)


class _ClientGone(Exception):
    """The client has closed the connection before the end of its message."""


async def _read_without_connection(receive: Receive) -> bytes | None:
    """Return what `_read` returns. While a client sends its message slowly, the request keeps no database connection.

    Otherwise, anybody with a token could use up the connections that the database accepts.
    """
    reading = asyncio.ensure_future(_read(receive))
    try:
        done, _ = await asyncio.wait({reading}, timeout=PROMPT_SECONDS)
        if not done:
            await sync_to_async(connections.close_all)()
        return await reading
    finally:
        reading.cancel()


async def _read(receive: Receive) -> bytes | None:
    """Return the message of a request; None if it is larger than the site accepts. Raise _ClientGone."""
    limit = cast("int | None", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    body, is_open = bytearray(), True
    while is_open:
        event = await receive()
        if event["type"] != "http.request":
            raise _ClientGone
        body += event.get("body", b"")
        if limit is not None and len(body) > limit:
            return None
        is_open = event.get("more_body", False)
    return bytes(body)


def _is_subscription(body: bytes) -> bool:
    """Return whether the response to a message is a stream that stays open, as for GET in older protocol versions."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(message, dict) and message.get("method") == "subscriptions/listen"


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that begins with a body that was read already."""
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Any:
        return messages.pop() if messages else await receive()

    return replay


async def _send(response: HttpResponse, send: Send) -> None:
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.items()]
    headers.append((b"content-length", str(len(response.content)).encode()))
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})


# Tools


def request_of(context: Any) -> HttpRequest:
    """See `contrib.mcp.request_of`."""
    try:
        # A `Context`, or the `ServerRequestContext` in it.
        wire_request = getattr(context, "request_context", context).request
    except (AttributeError, ValueError):
        wire_request = None
    scope = getattr(wire_request, "scope", None) or {}
    request = scope.get(REQUEST)
    if request is None:
        token = getattr(scope.get("user"), "access_token", None)
        request = token._request if isinstance(token, VerifiedToken) else None
    if request is None:
        raise ConfigurationError(
            "This call of a tool has no Django request. Let the requests to the server come through LogtoMCP.asgi, or "
            "give the server LogtoMCP.token_verifier."
        )
    django_request: HttpRequest = request
    return django_request


def protected_tool(auth: LogtoMCP, function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return `function` as an async tool that checks the permissions of `name` first."""
    signature, context_name = _with_context(function)
    is_async = iscoroutinefunction(function)

    @wraps(function)
    async def protected(*args: Any, **arguments: Any) -> Any:
        context = arguments.get(context_name)
        if context_name == CONTEXT_PARAMETER:
            arguments.pop(context_name, None)
        request = request_of(context)

        def run() -> Any:
            if text := auth.tool_error(request, name):
                raise ToolError(text)
            return None if is_async else function(*args, **arguments)

        with use_request(request):
            result = await _in_request_thread(request, run)
            return await function(*args, **arguments) if is_async else result

    # The SDK makes the schema of the arguments from these.
    protected.__signature__ = signature  # type: ignore[attr-defined]
    protected.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
    if signature.return_annotation is not inspect.Signature.empty:
        protected.__annotations__["return"] = signature.return_annotation
    return protected


def _with_context(function: Callable[..., Any]) -> tuple[inspect.Signature, str]:
    """Return the signature of `function` with a parameter for the context, and the name of that parameter."""
    signature = inspect.signature(function, eval_str=True)
    if name := find_context_parameter(function):
        return signature, name
    parameters = list(signature.parameters.values())
    has_rest = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters)
    context = inspect.Parameter(CONTEXT_PARAMETER, inspect.Parameter.KEYWORD_ONLY, annotation=Context)
    parameters.insert(len(parameters) - has_rest, context)
    return signature.replace(parameters=parameters), CONTEXT_PARAMETER


async def _in_request_thread(request: HttpRequest, function: Callable[[], T]) -> T:
    """Run `function` in the thread of `request`, whose database connections are closed at its end."""
    if isinstance(request, ASGIRequest):
        return await sync_to_async(function)()
    return await _in_own_thread(function)


async def _in_own_thread(function: Callable[[], T]) -> T:
    """Run `function` in a thread of its own. The SDK alone does not tell Django when a request ends."""

    def run() -> T:
        try:
            return function()
        finally:
            close_old_connections()

    async with ThreadSensitiveContext():
        return await sync_to_async(run)()


# Servers without `LogtoMCP.asgi`


class Verifier:
    """The `token_verifier` that `LogtoMCP.token_verifier` returns."""

    def __init__(self, auth: LogtoMCP) -> None:
        self._auth = auth

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the token if it meets all requirements of the server, else None, for which the SDK answers with a 401.

        Raise AuthenticationError, for which Starlette answers with a 400, if the token cannot be checked at the moment.
        """
        return await _in_own_thread(lambda: self._verified(token))

    @hide_frames
    def _verified(self, token: str) -> AccessToken | None:
        request = HttpRequest()
        request.META["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        error = self._auth.authentication_error(request)
        if error is None:
            return VerifiedToken.of(request)
        if error.status >= 500:
            raise AuthenticationError(error.description)
        return None


def auth_settings(resource: str, issuer: str, requirement: Requirement) -> AuthSettings:
    """See `LogtoMCP.auth_settings`."""
    return AuthSettings(
        issuer_url=AnyHttpUrl(issuer),
        resource_server_url=AnyHttpUrl(resource),
        required_scopes=list(requirement.all_scopes),
        # The verifier has checked it already. Without a value the SDK warns.
        validate_token_resource=True,
    )
