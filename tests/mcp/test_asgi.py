"""The requests that `LogtoMCP.asgi` passes on, and the responses to all others."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.core.signals import request_finished
from django.db import connections
from django.db.backends.signals import connection_created

from logto_auth.clients import reset_clients
from logto_auth.contrib.mcp import ASGIApp, logto_mcp
from logto_auth.contrib.mcp_sdk import PROMPT_SECONDS, REQUEST
from logto_auth.emulator import Emulator, HttpFault
from tests.api.attackers import TokenMaker
from tests.api.callers import Robot, parameters_of

from .shops import ORDERS, SCOPES, TOOLS, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.mcp.urls")]

URL = "http://testserver/mcp"
METADATA = "http://testserver/.well-known/oauth-protected-resource/mcp"


class Inner:
    """The application behind the protection. It remembers what reached it."""

    def __init__(self) -> None:
        self.scopes: list[Any] = []
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)
        if scope["type"] == "http":
            self.bodies.append((await receive())["body"])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"passed"})


@pytest.fixture
def inner() -> Inner:
    return Inner()


@pytest.fixture
def token(logto: Emulator, settings: Any) -> TokenMaker:
    set_up(logto, settings, URL)
    return TokenMaker(logto, "buyer0000001")


@pytest.fixture
def post(inner: Inner, token: TokenMaker) -> Callable[..., httpx2.Response]:
    """Return a function that sends a message to the server, by default with a valid token."""
    auth = logto_mcp(TOOLS, resource=URL)
    auth.scope_required(ORDERS)(read_order)
    app = auth.asgi(inner)

    def post(content: Any = b"{}", **options: Any) -> httpx2.Response:
        return send(app, content, **{"token": token(aud=URL, scope=TOOLS), **options})

    return post


def read_order(number: int) -> str:
    raise AssertionError("The double for the server does not call tools.")


def send(
    app: ASGIApp, content: Any, *, token: str | None, method: str = "POST", headers: dict[str, str] | None = None
) -> httpx2.Response:
    content = content if isinstance(content, bytes) else json.dumps(content).encode()
    authorization = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def exchange() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport) as client:
            return await client.request(method, URL, content=content, headers={**authorization, **(headers or {})})

    return asyncio.run(exchange())


def call_of(tool: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": {"number": 7}}}


def test_accepted_request_reaches_the_server(post: Any, inner: Inner) -> None:
    message = call_of("whoami")
    response = post(message)
    assert (response.status_code, response.text) == (200, "passed")
    assert inner.bodies == [json.dumps(message).encode()]
    scope = inner.scopes[0]
    request = scope[REQUEST]
    assert request.logto.sub == "buyer0000001"
    assert request.user == get_user_model().objects.get()
    assert json.loads(request.body) == message
    # What the SDK binds its sessions to. The text of the token is not in it.
    access_token = scope["user"].access_token
    assert (access_token.subject, access_token.resource, access_token.token) == ("buyer0000001", URL, "")


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_request_without_token_gets_the_challenge(post: Any, inner: Inner, method: str) -> None:
    response = post(token=None, method=method)
    assert response.status_code == 401
    assert parameters_of(response.headers["WWW-Authenticate"]) == {"scope": TOOLS, "resource_metadata": METADATA}
    assert response.headers["Cache-Control"] == "no-store"
    # MCP clients show the text of a JSON-RPC error.
    assert response.json()["error"]["data"] == {"error": "access_token_required"}
    assert "Send an access token" in response.json()["error"]["message"]
    assert inner.scopes == []


def test_message_without_token_is_not_read(post: Any, inner: Inner) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("read")

    async def answer(event: Any) -> None:
        sent.append(event)

    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": [(b"host", b"testserver")]}
    asyncio.run(logto_mcp(TOOLS, resource=URL).asgi(inner)(scope, receive, answer))
    assert sent[0]["status"] == 401


def test_token_of_another_resource_is_refused(post: Any, token: TokenMaker, inner: Inner) -> None:
    response = post(token=token(aud="http://testserver/other", scope=TOOLS))
    assert response.status_code == 401
    assert parameters_of(response.headers["WWW-Authenticate"])["error"] == "invalid_token"
    assert inner.scopes == []


def test_token_without_permission_of_the_server_gets_403(post: Any, token: TokenMaker, inner: Inner) -> None:
    response = post(token=token(aud=URL, scope=ORDERS))
    assert response.status_code == 403
    assert parameters_of(response.headers["WWW-Authenticate"])["scope"] == TOOLS
    assert inner.scopes == []


def test_tool_without_permission_gets_403_with_all_scopes(post: Any, inner: Inner) -> None:
    response = post(call_of("read_order"))
    assert response.status_code == 403
    challenge = parameters_of(response.headers["WWW-Authenticate"])
    assert (challenge["error"], challenge["scope"]) == ("insufficient_scope", " ".join(SCOPES))
    assert challenge["resource_metadata"] == METADATA
    assert inner.scopes == []


def test_tool_with_permission_reaches_the_server(post: Any, token: TokenMaker, inner: Inner) -> None:
    response = post(call_of("read_order"), token=token(aud=URL, scope=" ".join(SCOPES)))
    assert response.status_code == 200
    assert len(inner.bodies) == 1


BODIES = [
    b"",
    b"[]",
    b"\xff\xfe\x00",
    b'{"id": 1' + b"0" * 10_000 + b"}",
    b'{"method": "tools/call", "params": null}',
    json.dumps(call_of(["read_order"])).encode(),
    json.dumps(call_of("read_order\x00")).encode(),
    json.dumps([call_of("read_order")]).encode(),
]


def test_unreadable_messages_are_left_to_the_server(post: Any, inner: Inner) -> None:
    for body in BODIES:
        assert post(body).status_code == 200
    assert inner.bodies == BODIES
    assert post(b'{"a":' * 100_000).status_code == 400
    assert inner.bodies == BODIES


def test_nested_message_is_refused_or_left_to_the_server(post: Any) -> None:
    # The limit of Python counts the callers as well, which differ.
    statuses = {post(b'{"a":' + b"[" * depth + b"]" * depth + b"}").status_code for depth in range(900, 1000, 10)}
    assert statuses <= {200, 400}


def test_message_that_is_too_large_gets_413(post: Any, inner: Inner, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    response = post(b" " * 101)
    assert (response.status_code, inner.scopes) == (413, [])
    assert "DATA_UPLOAD_MAX_MEMORY_SIZE" in response.json()["error"]["message"]
    assert post(b" " * 100).status_code == 200


def test_deactivated_account_is_refused(post: Any, inner: Inner) -> None:
    assert post().status_code == 200
    get_user_model().objects.update(is_active=False)
    response = post()
    assert response.status_code == 401
    assert "deactivated" in response.json()["error"]["message"]
    assert len(inner.scopes) == 1


def test_logto_that_is_down_gives_503(post: Any, inner: Inner, spoil: Any) -> None:
    reset_clients()
    spoil("jwks", HttpFault(status=500))
    response = post()
    assert (response.status_code, inner.scopes) == (503, [])
    assert response.headers["Retry-After"]
    assert "WWW-Authenticate" not in response.headers


def test_unknown_host_gets_400(post: Any, inner: Inner, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    assert (post().status_code, inner.scopes) == (400, [])


def test_metadata_url_has_the_prefix_of_the_site(post: Any, settings: Any) -> None:
    settings.FORCE_SCRIPT_NAME = "/shop"
    response = post(token=None)
    metadata = parameters_of(response.headers["WWW-Authenticate"])["resource_metadata"]
    assert metadata == "http://testserver/shop/.well-known/oauth-protected-resource/mcp"


def test_machine_is_refused_if_the_server_says_so(logto: Emulator, settings: Any, inner: Inner) -> None:
    set_up(logto, settings, URL)
    logto.tenant.add_role("robot", type="MachineToMachine", scopes={URL: SCOPES})
    logto.tenant.add_organization("Harbour", id="harbourbr001")
    logto.tenant.add_organization_role("keeper", type="MachineToMachine")
    robot = Robot(logto)
    token = robot.token(scope=TOOLS, resource=URL)
    assert send(logto_mcp(TOOLS, resource=URL).asgi(inner), b"", token=token).status_code == 200
    assert inner.scopes[0][REQUEST].user.is_authenticated
    app = logto_mcp(TOOLS, resource=URL, accepts_machines=False).asgi(inner)
    assert send(app, b"", token=token).status_code == 403
    robot.close()


def test_third_party_client_is_refused(
    logto: Emulator, settings: Any, inner: Inner, token: TokenMaker, spoil: Any
) -> None:
    machine = logto.tenant.add_application(
        name="Console", type="MachineToMachine", roles=["Logto Management API access"]
    )
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    own = logto.tenant.add_application(name="Own", type="Native").id
    other = logto.tenant.add_application(name="Other", type="Native", is_third_party=True).id
    auth = logto_mcp(TOOLS, resource=URL, third_party=False)
    auth.scope_required(ORDERS, tool="find")(read_order)
    app = auth.asgi(inner)

    def answer(client_id: str) -> httpx2.Response:
        return send(app, call_of("find"), token=token(aud=URL, scope=" ".join(SCOPES), client_id=client_id))

    assert answer(own).status_code == 200
    refused = answer(other)
    assert (refused.status_code, refused.json()["error"]["data"]) == (403, {"error": "client_refused"})
    spoil("management_api", HttpFault(status=500))
    assert answer("unknownapp00000000001").status_code == 503
    assert answer(own).status_code == 200


def test_websocket_is_closed_and_lifespan_passed_on(inner: Inner) -> None:
    app = logto_mcp(TOOLS, resource=URL).asgi(inner)
    sent: list[Any] = []

    async def answer(event: Any) -> None:
        sent.append(event)

    asyncio.run(app({"type": "websocket", "path": "/mcp", "headers": []}, None, answer))  # type: ignore[arg-type]
    assert (sent, inner.scopes) == ([{"type": "websocket.close", "code": 1008}], [])
    asyncio.run(app({"type": "lifespan"}, None, answer))  # type: ignore[arg-type]
    assert inner.scopes == [{"type": "lifespan"}]


def test_client_that_leaves_is_not_answered(token: TokenMaker, inner: Inner) -> None:
    events = [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Any] = []

    async def receive() -> Any:
        return events.pop(0)

    async def answer(event: Any) -> None:
        sent.append(event)

    bearer = f"Bearer {token(aud=URL, scope=TOOLS)}".encode()
    headers = [(b"host", b"testserver"), (b"authorization", bearer)]
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": headers}
    asyncio.run(logto_mcp(TOOLS, resource=URL).asgi(inner)(scope, receive, answer))
    assert (sent, inner.scopes) == ([], [])


def test_parallel_requests_keep_their_users(logto: Emulator, token: TokenMaker) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.01)
        request = scope[REQUEST]
        may_read = await sync_to_async(request.user.has_perm)(f"logto.{ORDERS}")
        body = f"{request.logto.sub} {may_read}".encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    buyer = token(aud=URL, scope=" ".join(SCOPES))
    visitor = TokenMaker(logto, "visitor00001")(aud=URL, scope=TOOLS)

    async def exchange() -> list[str]:
        transport = httpx2.ASGITransport(app=logto_mcp(TOOLS, resource=URL).asgi(app))
        async with httpx2.AsyncClient(transport=transport) as client:
            calls = [
                client.post(URL, headers={"Authorization": f"Bearer {[buyer, visitor][number % 2]}"})
                for number in range(10)
            ]
            return [response.text for response in await asyncio.gather(*calls)]

    assert asyncio.run(exchange()) == ["buyer0000001 True", "visitor00001 False"] * 5


def test_open_streams_keep_no_connection(post: Any, inner: Inner) -> None:
    order: list[int] = []

    def finished(**kwargs: Any) -> None:
        order.append(len(inner.scopes))

    request_finished.connect(finished)
    try:
        post({"method": "subscriptions/listen"})
        post(b"", method="GET")
        # The SDK reads these in the same way.
        post(rb'{"method": "subscriptions\/listen"}')
        post(rb'{"method": "\u0073ubscriptions/listen"}')
        post('{"method": "subscriptions/listen"}'.encode("utf-16"))
        post(call_of("subscriptions/listen"))
    finally:
        request_finished.disconnect(finished)
    # How many requests had reached the server when each request was finished for Django.
    assert order == [0, 1, 2, 3, 4, 6]


def test_slow_message_keeps_no_connection(token: TokenMaker, inner: Inner) -> None:
    opened: list[Any] = []
    held: list[bool] = []

    def created(connection: Any, **kwargs: Any) -> None:
        opened.append(connection)

    async def receive() -> Any:
        await asyncio.sleep(PROMPT_SECONDS * 2)
        held.append(any(each.connection is not None for each in opened))
        return {"type": "http.request", "body": b"{}", "more_body": len(held) < 2}

    async def answer(event: Any) -> None:
        pass

    bearer = f"Bearer {token(aud=URL, scope=TOOLS)}".encode()
    headers = [(b"host", b"testserver"), (b"authorization", bearer)]
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": headers}
    connection_created.connect(created)
    try:
        asyncio.run(logto_mcp(TOOLS, resource=URL).asgi(inner)(scope, receive, answer))
    finally:
        connection_created.disconnect(created)
    assert opened
    assert held == [False, False]
    assert inner.bodies == [b"{}{}"]


def test_connections_are_closed_after_the_request(token: TokenMaker) -> None:
    used: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:

        def query() -> None:
            connections["default"].ensure_connection()
            used.append(connections["default"])

        await sync_to_async(query)()
        assert used[0].connection is not None
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    response = send(logto_mcp(TOOLS, resource=URL).asgi(app), b"", token=token(aud=URL, scope=TOOLS))
    assert response.status_code == 200
    assert used[0].connection is None
