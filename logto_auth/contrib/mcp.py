"""MCP servers: `logto_mcp` lets their tools be called with access tokens of Logto only.

    auth = logto_mcp("mcp:tools", resource="https://shop.example/mcp")
    server = MCPServer(name="shop", version="1", auth=auth)      # of django-mcpz, the extra `mcpz`

    @server.tool(description="Read an order.")
    @auth.scope_required("read:orders")
    def read_order(request, params: OrderNumber): ...

For a server of the official SDK, the extra `mcp`, see `LogtoMCP.asgi`. Neither package is needed to import this module.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.request import UnreadablePostError
from django.utils.module_loading import import_string

from logto_auth.access.requirements import Requirement
from logto_auth.api.authentication import authenticate
from logto_auth.api.errors import ErrorResponse
from logto_auth.conf import api_resource, conf
from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.memberships.current import from_url

if TYPE_CHECKING:
    from mcp.server.auth.provider import TokenVerifier
    from mcp.server.auth.settings import AuthSettings

__all__ = ["LogtoMCP", "logto_mcp", "request_of"]

Tool = TypeVar("Tool", bound=Callable[..., Any])
ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]

# JSON-RPC 2.0, section 5.1. A code of the server's own range could be that of another error for a client.
INVALID_REQUEST, INTERNAL_ERROR = -32600, -32603


def logto_mcp(
    *scopes: str,
    resource: str | None = None,
    accepts_machines: bool = True,
    accepts_api_keys: bool = False,
    **requirements: Any,
) -> LogtoMCP:
    """Return the authentication of an MCP server: an access token for `resource` that has all `scopes`.

    `resource` is the URL of the server, which has to be in `LOGTO_API_RESOURCES`; None is `LOGTO_API_RESOURCE`.
    `accepts_machines=False` refuses tokens of machines. `accepts_api_keys=True` accepts API keys of users as well.
    `requirements` are further arguments of `access.Requirement`, such as `roles=["staff"]`.

    Raise ValueError for a second factor with `max_age`, which no token can meet.
    """
    requirement = Requirement.of(scopes=scopes, **requirements).for_token()
    return LogtoMCP(
        requirement, resource=resource, accepts_machines=accepts_machines, accepts_api_keys=accepts_api_keys
    )


class LogtoMCP:
    """The authentication of one MCP server, and the permissions that its tools require. `logto_mcp` makes it.

    It is the `auth` of a server of django-mcpz: called with a request, it returns None for an accepted one, else the
    response. A tool finds the account in `request.user` and the `TokenPrincipal` in `request.logto`.
    """

    of_organization = False

    def __init__(
        self,
        requirement: Requirement,
        *,
        resource: str | None = None,
        accepts_machines: bool = True,
        accepts_api_keys: bool = False,
    ) -> None:
        self.requirement = requirement
        """What each request to the server requires."""
        self.resource = resource
        """The indicator of the API resource; None: `LOGTO_API_RESOURCE`."""
        self.accepts_machines = accepts_machines
        self.accepts_api_keys = accepts_api_keys
        self._tool_scopes: dict[str, tuple[str, ...]] = {}

    @property
    def tool_scopes(self) -> Mapping[str, tuple[str, ...]]:
        """The permissions of the tools with `scope_required`, by the name of the tool."""
        return self._tool_scopes

    @property
    def all_scopes(self) -> tuple[str, ...]:
        """All permissions that the server and its tools name, which are the most that an API key can get."""
        tools = (scope for scopes in self._tool_scopes.values() for scope in scopes)
        return tuple(dict.fromkeys([*self.requirement.all_scopes, *tools]))

    # Servers of django-mcpz

    def __call__(self, request: HttpRequest) -> HttpResponse | None:
        """Return None if `request` may go on to the server, else the response: 400, 401, 403, 413, 429 or 503.

        The server of django-mcpz calls it before it reads the message.
        """
        if error := self.authentication_error(request):
            return self.response(request, error)
        try:
            body = request.body
        except RequestDataTooBig:
            return too_large_response()
        except UnreadablePostError:
            # The client has gone, so it does not read this either.
            return HttpResponse(status=400)
        return self.call_response(request, body)

    # Tools

    def scope_required(self, *scopes: str, tool: str | None = None) -> Callable[[Tool], Tool]:
        """Run the tool only with an access token that has these permissions as well. Put it below `@server.tool()`.

        A client whose token lacks them gets a 403 `insufficient_scope`, by which it requests all permissions of the
        server and the tool. All clients see the tool in the list. `tool` is the name of the tool if the server calls it
        by another one than that of the function.

        For a function whose first parameter is the request (annotated as `HttpRequest`, or named `request` and not
        annotated), the server is one of django-mcpz. For all others it is one of the official SDK, behind `asgi` or
        with `token_verifier`. A function of the SDK that is not async runs where Django's database connections work.

        Raise ConfigurationError if another function has this name, TypeError without scopes or without a name, and
        ImportError if the package `mcp` is needed and missing.
        """
        # Without parentheses, the only argument is the function.
        if not scopes or any(callable(scope) for scope in scopes):
            raise TypeError('scope_required needs names of permissions: @auth.scope_required("read:orders").')

        def decorate(function: Any) -> Any:
            name = tool if tool is not None else str(getattr(function, "__name__", ""))
            # That of a lambda is "<lambda>".
            if not name or name.startswith("<"):
                raise TypeError(
                    "This function has no name of its own. Name the tool: scope_required(..., tool='name')."
                )
            if name in self._tool_scopes:
                raise ConfigurationError(
                    f"Two tools are called {name!r}. Give one of them another name: scope_required(..., tool='name'), "
                    "and the same name in the decorator of the server."
                )
            protected = self._protected(function, name)
            self._tool_scopes[name] = scopes
            return protected

        return decorate

    def _protected(self, function: Any, name: str) -> Any:
        if not _takes_django_request(function):
            return _sdk().protected_tool(self, function, name)

        @wraps(function)
        def protected(request: HttpRequest, *args: Any) -> Any:
            if text := self.tool_error(request, name):
                # The server shows this text to the model, and none of another exception.
                raise _needed("django_mcpz.server", "mcpz").ToolError(text)
            return function(request, *args)

        return protected

    # Servers of the official SDK

    def asgi(self, app: ASGIApp) -> ASGIApp:
        """Return an ASGI application that passes requests on to `app`, an MCP server of the official SDK.

            application = auth.asgi(server.streamable_http_app())

        Requests without a sufficient access token do not reach `app`; the responses are the same as with django-mcpz.
        `request_of` returns the Django request to a tool. Django's middleware does not run. A session of the SDK
        belongs to the user and the application that began it.

        Raise ImportError if the package `mcp` is missing.
        """
        protected: ASGIApp = _sdk().ProtectedApp(self, app)
        return protected

    def token_verifier(self) -> TokenVerifier:
        """Return the `token_verifier` for a server of the official SDK that does without `asgi`.

        The SDK answers then: its challenge names only the permission that is missing, the permissions of a tool are
        checked in the tool, so that no client steps up, and errors of Logto are a 400.

        Raise ImportError if the package `mcp` is missing. Raise ConfigurationError if API keys are accepted, or if
        `LOGTO_ORGANIZATION_FROM` is not the default, because the SDK passes on neither the address by which keys are
        limited nor the host by which the site may select an organization.
        """
        if self.accepts_api_keys:
            raise ConfigurationError(
                "token_verifier accepts no API keys. Use LogtoMCP.asgi, or accepts_api_keys=False."
            )
        if import_string(conf.organization_from) is not from_url:
            raise ConfigurationError(
                "token_verifier knows no request that LOGTO_ORGANIZATION_FROM could select an organization by. Use "
                "LogtoMCP.asgi, or the default of the setting."
            )
        verifier: TokenVerifier = _sdk().Verifier(self)
        return verifier

    def auth_settings(self) -> AuthSettings:
        """Return the `auth` for a server of the official SDK with `token_verifier`.

        Raise ImportError if the package `mcp` is missing, ConfigurationError if there is no API resource.
        """
        settings: AuthSettings = _sdk().auth_settings(self.resource or api_resource(), conf.issuer, self.requirement)
        return settings

    # Shared by both

    def authentication_error(self, request: HttpRequest) -> ErrorResponse | None:
        """Authenticate `request`, and return None, or why it is refused. The message is not read."""
        _forget_call(request)
        try:
            principal = authenticate(request, **self._authentication_options())
        except LogtoError as error:
            return self._for_server(ErrorResponse.of(error))
        if principal is None:
            return self._for_server(ErrorResponse.without_token())
        _remember_call(request, Call(self, None))
        unmet = ErrorResponse.unmet(self.requirement, principal)
        return self._for_server(unmet) if unmet else None

    def call_response(self, request: HttpRequest, body: bytes) -> HttpResponse | None:
        """Return None if an authenticated request may send the message `body`, else the response: 400 or 403."""
        try:
            name = called_tool(body)
        except RecursionError:
            # django-mcpz would answer with a 500.
            return unreadable_response("The message is nested too deeply.", status=400)
        _remember_call(request, Call(self, name))
        scopes = self._tool_scopes.get(name or "", ())
        error = self._missing(request, scopes) if scopes else None
        return self.response(request, error) if error else None

    def tool_error(self, request: HttpRequest, name: str) -> str | None:
        """Return why the tool with this name may not run in `request`, or None.

        Raise ConfigurationError if the server is not protected by this object, or calls the tool by another name.
        """
        call = _call_of(request)
        if call is None or call.auth is not self:
            raise ConfigurationError(
                f"The tool {name!r} requires permissions, but the request was not authenticated by the object whose "
                "scope_required it has. Use that object for the server: MCPServer(auth=...), or its asgi()."
            )
        if call.tool is not None and call.tool not in self._tool_scopes:
            raise ConfigurationError(
                f"The tool {call.tool!r:.100} was called, and scope_required knows it as {name!r}. If the server calls "
                f"it {call.tool!r:.100}, write scope_required(..., tool=...) with that name. If that is another tool, "
                "which calls this one, let it require the same permissions."
            )
        error = self._missing(request, self._tool_scopes[name])
        return error.description if error else None

    def response(self, request: HttpRequest, error: ErrorResponse) -> HttpResponse:
        """Return the HTTP response to `error`. Its body is a JSON-RPC error, whose text MCP clients show."""
        code = INTERNAL_ERROR if error.status >= 500 else INVALID_REQUEST
        details = {"code": code, "message": error.description, "data": {"error": error.error}}
        body = {"jsonrpc": "2.0", "id": None, "error": details}
        return JsonResponse(body, status=error.status, headers=error.headers(request))

    def _authentication_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"resource": self.resource, "accepts_machines": self.accepts_machines}
        if self.accepts_api_keys:
            options |= {"accepts_api_keys": True, "key_scopes": self.all_scopes}
        return options

    def _missing(self, request: HttpRequest, scopes: tuple[str, ...]) -> ErrorResponse | None:
        """Return why the principal of `request` may not call a tool with these permissions, or None."""
        # With the requirement of the server, because permissions may be those in an organization.
        requirement = replace(self.requirement, scopes=tuple(dict.fromkeys([*self.requirement.scopes, *scopes])))
        error = ErrorResponse.unmet(requirement, request.logto)  # type: ignore[attr-defined]
        return self._for_server(error, requirement) if error else None

    def _for_server(self, error: ErrorResponse, requirement: Requirement | None = None) -> ErrorResponse:
        return error.for_view(scopes=(requirement or self.requirement).all_scopes, resource=self.resource)


def request_of(context: Any) -> HttpRequest:
    """Return the Django request of a tool of the official SDK, with `user` and `logto`.

    `context` is what the SDK passes to a tool: its `Context` or `ServerRequestContext`. Raise ConfigurationError if the
    call did not come through `LogtoMCP.asgi` or `LogtoMCP.token_verifier`.
    """
    request: HttpRequest = _sdk().request_of(context)
    return request


@dataclass(frozen=True)
class Call:
    """What is known of an authenticated request: the object that accepted it, and the tool that its message calls."""

    auth: LogtoMCP
    tool: str | None
    """None if the message calls no tool, could not be read, or was not read yet."""


CALL = "_logto_mcp_call"


def _remember_call(request: HttpRequest, call: Call) -> None:
    setattr(request, CALL, call)


def _forget_call(request: HttpRequest) -> None:
    vars(request).pop(CALL, None)


def _call_of(request: HttpRequest) -> Call | None:
    call: Call | None = getattr(request, CALL, None)
    return call


def called_tool(body: bytes) -> str | None:
    """Return the name of the tool that a message of MCP calls; None if it calls none, or cannot be read.

    Raise RecursionError if it is nested too deeply. The server reads the message with another parser, which may read it
    in another way. So this decides only about the response; the tool itself checks again.
    """
    try:
        message = json.loads(body)
    except ValueError:
        return None
    if not isinstance(message, dict) or message.get("method") != "tools/call":
        return None
    params = message.get("params")
    name = params.get("name") if isinstance(params, dict) else None
    return name if isinstance(name, str) else None


def too_large_response() -> HttpResponse:
    """Return the response to a message of more bytes than `DATA_UPLOAD_MAX_MEMORY_SIZE`."""
    text = "The message is larger than this site accepts (DATA_UPLOAD_MAX_MEMORY_SIZE)."
    return unreadable_response(text, status=413)


def unreadable_response(text: str, *, status: int) -> HttpResponse:
    """Return the response to a message that is not passed on to the server."""
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": INVALID_REQUEST, "message": text}}
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store"})


def _takes_django_request(function: Callable[..., Any]) -> bool:
    """Return whether the first parameter is a Django request, as in the tools of django-mcpz."""
    try:
        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
    except (AttributeError, NameError, SyntaxError, TypeError):
        # An annotation of another parameter may exist only for type checkers.
        parameters = list(inspect.signature(function).parameters.values())
    if not parameters:
        return False
    first = parameters[0]
    if first.annotation is inspect.Parameter.empty:
        return first.name == "request"
    if isinstance(first.annotation, str):
        return first.annotation.rpartition(".")[2].endswith("HttpRequest")
    return isinstance(first.annotation, type) and issubclass(first.annotation, HttpRequest)


def _needed(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(
            f'This needs {error.name}, which is not installed: pip install "logto_auth[{extra}]"', name=error.name
        ) from error


def _sdk() -> Any:
    return _needed("logto_auth.contrib.mcp_sdk", "mcp")
