"""The decorator of tools: `scope_required` registers the permissions of a tool, and checks them in the tool."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from asgiref.sync import sync_to_async
from django.http import HttpRequest
from mcp import Client
from mcp.server import MCPServer as SDKServer
from mcp.server.mcpserver import Context

from logto_auth.access import SecondFactor
from logto_auth.contrib.mcp import LogtoMCP, _takes_django_request, called_tool, logto_mcp, request_of
from logto_auth.contrib.mcp_sdk import REQUEST
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError
from tests.api.attackers import TokenMaker

from .shops import ORDERS, SCOPES, TOOLS, set_up

if TYPE_CHECKING:
    from decimal import Decimal as Book

URL = "http://testserver/mcp"


def read_order(request: HttpRequest) -> str:
    return f"read by {request.logto.sub}"  # type: ignore[attr-defined]


@pytest.fixture
def auth() -> LogtoMCP:
    return logto_mcp(TOOLS, resource=URL)


@pytest.fixture
def call(db: None, logto: Emulator, settings: Any, auth: LogtoMCP) -> Callable[..., HttpRequest]:
    """Return a function that authenticates a request whose message calls a tool, and returns the request."""
    set_up(logto, settings, URL)
    token = TokenMaker(logto, "buyer0000001")

    def call(tool: str | None, scope: str = TOOLS, of: LogtoMCP = auth) -> HttpRequest:
        request = HttpRequest()
        bearer = f"Bearer {token(aud=URL, scope=scope)}"
        request.META = {"HTTP_AUTHORIZATION": bearer, "SERVER_NAME": "testserver", "SERVER_PORT": "80"}
        assert of.authentication_error(request) is None
        if tool is not None:
            of.call_response(request, f'{{"method": "tools/call", "params": {{"name": "{tool}"}}}}'.encode())
        return request

    return call


def test_tools_and_their_permissions_are_listed(auth: LogtoMCP) -> None:
    auth.scope_required(ORDERS)(read_order)
    auth.scope_required(ORDERS, "write:orders", tool="cancel")(read_order)
    assert auth.tool_scopes == {"read_order": (ORDERS,), "cancel": (ORDERS, "write:orders")}
    assert auth.all_scopes == (TOOLS, ORDERS, "write:orders")


def test_tool_itself_checks_the_permission(auth: LogtoMCP, call: Callable[..., HttpRequest]) -> None:
    tool = auth.scope_required(ORDERS)(read_order)
    assert tool(call("read_order", " ".join(SCOPES))) == "read by buyer0000001"
    # The message was not understood here, or the server called the tool for another reason.
    assert tool(call(None, " ".join(SCOPES))) == "read by buyer0000001"


def test_renamed_tool_never_runs(auth: LogtoMCP, call: Callable[..., HttpRequest]) -> None:
    tool = auth.scope_required(ORDERS)(read_order)
    with pytest.raises(ConfigurationError, match="'find' was called, and scope_required knows it as 'read_order'"):
        tool(call("find", " ".join(SCOPES)))
    renamed = auth.scope_required(ORDERS, tool="find")(read_order)
    assert renamed(call("find", " ".join(SCOPES))) == "read by buyer0000001"


def test_tool_of_another_server_never_runs(auth: LogtoMCP, call: Callable[..., HttpRequest]) -> None:
    tool = auth.scope_required(ORDERS)(read_order)
    for request in (HttpRequest(), call("read_order", " ".join(SCOPES), of=logto_mcp(TOOLS, resource=URL))):
        with pytest.raises(ConfigurationError, match="was not authenticated by the object"):
            tool(request)


def test_failed_authentication_forgets_an_earlier_one(auth: LogtoMCP, call: Callable[..., HttpRequest]) -> None:
    tool = auth.scope_required(ORDERS)(read_order)
    request = call("read_order", " ".join(SCOPES))
    request.META["HTTP_AUTHORIZATION"] = "Bearer nonsense"
    del request.headers
    assert auth.authentication_error(request) is not None
    with pytest.raises(ConfigurationError, match="was not authenticated"):
        tool(request)


def test_wrong_use_is_refused_at_import(auth: LogtoMCP) -> None:
    with pytest.raises(TypeError, match="needs names of permissions"):
        auth.scope_required(read_order)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="needs names of permissions"):
        auth.scope_required()
    with pytest.raises(TypeError, match="Name the tool"):
        auth.scope_required(ORDERS)(lambda request: "")
    auth.scope_required(ORDERS)(read_order)
    with pytest.raises(ConfigurationError, match="Two tools are called 'read_order'"):
        auth.scope_required(TOOLS)(read_order)
    with pytest.raises(ValueError, match="max_age"):
        logto_mcp(TOOLS, second_factor=SecondFactor(max_age=60))


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"method": "tools/call", "params": {"name": "a"}}', "a"),
        (b'{"method": "tools/call", "params": {"name": "a", "name": "b"}}', "b"),
        (b'{"method": "tools/list", "params": {"name": "a"}}', None),
        (b'{"method": "tools/call", "params": ["a"]}', None),
        (b'{"method": "tools/call", "params": {"name": 1}}', None),
        (b'{"method": "tools/call"}', None),
        (b'"tools/call"', None),
        (b"\x00", None),
    ],
)
def test_name_of_the_called_tool(body: bytes, name: str | None) -> None:
    assert called_tool(body) == name


def tool_of_sdk(book: Book, number: int = 1) -> str:
    return ""


def untyped(request, params):  # type: ignore[no-untyped-def]
    return ""


def for_type_checkers(request: HttpRequest, params: Book) -> str:
    return ""


@pytest.mark.parametrize(
    ("function", "is_django"),
    [(read_order, True), (untyped, True), (for_type_checkers, True), (tool_of_sdk, False), (lambda: "", False)],
)
def test_tools_of_django_take_a_request(function: Callable[..., str], is_django: bool) -> None:
    assert _takes_django_request(function) is is_django


# Tools of the official SDK


def test_context_is_added_to_the_signature(auth: LogtoMCP) -> None:
    server: SDKServer[Any] = SDKServer("shop")

    @server.tool()
    @auth.scope_required(ORDERS)
    def find(title: str, limit: int = 10) -> list[str]:
        """Find books."""
        return [title]

    tool = server._tool_manager.get_tool("find")
    assert tool is not None
    assert tool.description == "Find books."
    assert set(tool.parameters["properties"]) == {"title", "limit"}
    assert tool.context_kwarg == "logto_context"


def test_call_without_request_is_refused(auth: LogtoMCP, caplog: Any) -> None:
    server: SDKServer[Any] = SDKServer("shop")

    @server.tool()
    @auth.scope_required(ORDERS)
    def find(title: str) -> str:
        raise AssertionError("The tool runs without a request.")

    async def call_in_process() -> Any:
        async with Client(server) as client:
            return await client.call_tool("find", {"title": "Emma"})

    assert anyio.run(call_in_process).is_error
    assert "has no Django request" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_async_tool_checks_the_permission(auth: LogtoMCP, call: Callable[..., HttpRequest]) -> None:
    @auth.scope_required(ORDERS)
    async def find(title: str, context: Context) -> str:
        return f"{title} {request_of(context).logto.sub}"  # type: ignore[attr-defined]

    async def run(scope: str) -> str:
        request = await sync_to_async(call)("find", scope)
        wire = SimpleNamespace(scope={REQUEST: request})
        # The context of a low-level server.
        assert request_of(SimpleNamespace(request=wire)) is request
        context = SimpleNamespace(request_context=SimpleNamespace(request=wire))
        return await find(title="Emma", context=context)  # type: ignore[arg-type]

    assert anyio.run(run, " ".join(SCOPES)) == "Emma buyer0000001"
    with pytest.raises(Exception, match=f"You need the permission {ORDERS}"):
        anyio.run(run, TOOLS)


# Packages


MISSING = """
import builtins, sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in {"mcp", "mcp_types", "django_mcpz", "starlette", "pydantic"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import django
from django.conf import settings
apps = ["django.contrib.auth", "django.contrib.contenttypes", "logto_auth"]
settings.configure(INSTALLED_APPS=apps, LOGTO_API_RESOURCE="https://shop.example/mcp")
django.setup()
from django.http import HttpRequest
from logto_auth.contrib.mcp import logto_mcp, request_of

auth = logto_mcp("mcp:tools")

def read(request): ...

def find(title: str): ...

auth.scope_required("read:orders")(read)

for use in (lambda: auth.asgi(None), auth.token_verifier, auth.auth_settings, lambda: request_of(None),
            lambda: auth.scope_required("read:orders")(find)):
    try:
        use()
    except ImportError as error:
        assert 'pip install "logto_auth[mcp]"' in str(error), error
    else:
        raise AssertionError(use)
print("done")
"""


def test_module_needs_no_package() -> None:
    run = subprocess.run([sys.executable, "-c", MISSING], capture_output=True, text=True, check=False)
    assert (run.stdout.strip(), run.stderr) == ("done", "")
