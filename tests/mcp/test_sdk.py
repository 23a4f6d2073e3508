"""A server of the official SDK beside Django, called by the official client."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from django.contrib.auth import get_user_model
from mcp.client.auth import OAuthFlowError
from mcp.shared.exceptions import MCPError

from logto_auth.clients import reset_clients
from logto_auth.contrib.mcp import LogtoMCP, logto_mcp
from logto_auth.emulator import Emulator, HttpFault, Visitor
from logto_auth.exceptions import ConfigurationError
from tests.api.attackers import TokenMaker
from tests.mcp_client import McpClient, signs_in

from .shops import ORDERS, SCOPES, TOOLS, asgi_server, beside_django, sdk_server, set_up

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.mcp.urls")]


@pytest.fixture
def visitor(logto: Emulator) -> Iterator[Visitor]:
    with Visitor(logto) as visitor:
        yield visitor


@pytest.fixture
def url() -> Iterator[str]:
    auths: list[LogtoMCP] = []

    def app(url: str) -> Any:
        auth = logto_mcp(TOOLS, resource=f"{url}/mcp")
        auths.append(auth)
        return beside_django(auth.asgi(sdk_server(auth).streamable_http_app()))

    with asgi_server(app) as site:
        yield f"{site}/mcp"


@pytest.fixture
def connected(logto: Emulator, settings: Any, url: str, visitor: Visitor) -> Callable[..., McpClient]:
    client_id = set_up(logto, settings, url)

    def connected(username: str, **options: Any) -> McpClient:
        return McpClient(url, sign_in=signs_in(visitor, username), client_id=client_id, **options)

    return connected


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_client_signs_in_and_calls_a_tool(connected: Callable[..., McpClient], mode: str) -> None:
    with connected("visitor", mode=mode) as client:
        assert client.tools() == ["whoami", "read_order", "count_orders"]
        assert client.text("whoami") == "visitor00001 True False"
        assert client.requested_scopes() == [{TOOLS, "offline_access"}]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_client_steps_up_for_a_tool(connected: Callable[..., McpClient], mode: str) -> None:
    with connected("buyer", mode=mode) as client:
        assert client.text("whoami") == "buyer0000001 True False"
        assert client.text("read_order", number=7) == "Order 7"
        assert client.text("count_orders") == "2026: buyer0000001 True True"
        assert client.requested_scopes()[1:] == [{TOOLS, ORDERS, "offline_access"}]
        assert len(client.answers(403)) == 1


def test_user_without_permission_cannot_call_a_tool(connected: Callable[..., McpClient]) -> None:
    with connected("visitor") as client:
        with pytest.raises(MCPError, match=f"You need the permission {ORDERS}"):
            client.call("read_order", number=7)
        assert len(client.authorization_urls) == 2


def test_user_who_cancels_the_consent_calls_nothing(url: str, logto: Emulator, settings: Any, visitor: Visitor) -> None:
    client_id = set_up(logto, settings, url)
    client = McpClient(url, sign_in=lambda to: visitor.cancel_consent(to, "buyer"), client_id=client_id)
    with pytest.raises(OAuthFlowError), client:
        client.call("whoami")
    assert [each.status for each in client.exchanges if each.url == url] == [401]


def test_session_belongs_to_its_user(url: str, logto: Emulator, settings: Any) -> None:
    set_up(logto, settings, url)
    buyer, other = (TokenMaker(logto, sub)(aud=url, scope=TOOLS) for sub in ("buyer0000001", "visitor00001"))
    params = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    begun = send(url, buyer, {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params})
    assert begun.status_code == 200, begun.text
    session = {"Mcp-Session-Id": begun.headers["Mcp-Session-Id"]}
    listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
    assert send(url, buyer, {"jsonrpc": "2.0", "method": "notifications/initialized"}, session).status_code == 202
    assert send(url, buyer, listing, session).status_code == 200
    assert send(url, other, listing, session).status_code == 404
    assert requests.delete(url, headers={"Authorization": f"Bearer {other}", **session}, timeout=10).status_code == 404
    assert send(url, buyer, listing, session).status_code == 200


def send(url: str, token: str, message: object, headers: Any = None) -> requests.Response:
    accept = {"Accept": "application/json, text/event-stream", "Authorization": f"Bearer {token}"}
    return requests.post(url, json=message, headers={**accept, **(headers or {})}, timeout=10)


def test_api_key_calls_a_tool(logto: Emulator, settings: Any) -> None:
    auths: list[LogtoMCP] = []

    def app(url: str) -> Any:
        auth = logto_mcp(TOOLS, resource=f"{url}/mcp", accepts_api_keys=True)
        auths.append(auth)
        return beside_django(auth.asgi(sdk_server(auth).streamable_http_app()))

    with asgi_server(app) as site:
        url = f"{site}/mcp"
        set_up(logto, settings, url)
        logto.tenant.applications[settings.LOGTO_APP_ID].allow_token_exchange = True
        key = logto.tenant.add_personal_access_token("buyer0000001", "laptop").value
        with McpClient(url, headers={"Authorization": f"Bearer {key}"}) as client:
            assert client.text("read_order", number=7) == "Order 7"
        key = logto.tenant.add_personal_access_token("visitor00001", "laptop").value
        with McpClient(url, headers={"Authorization": f"Bearer {key}"}) as client:
            assert client.text("whoami").startswith("visitor00001")
            with pytest.raises(MCPError, match=f"You need the permission {ORDERS}"):
                client.call("read_order", number=7)


# Without `asgi`


def test_token_verifier_protects_a_server(logto: Emulator, settings: Any, visitor: Visitor) -> None:
    def app(url: str) -> Any:
        settings.LOGTO_API_RESOURCES = {f"{url}/mcp": SCOPES}
        auth = logto_mcp(TOOLS, resource=f"{url}/mcp")
        server = sdk_server(auth, token_verifier=auth.token_verifier(), auth=auth.auth_settings())
        return server.streamable_http_app()

    with asgi_server(app) as site:
        url = f"{site}/mcp"
        client_id = set_up(logto, settings, url)
        with McpClient(url, sign_in=signs_in(visitor, "visitor"), client_id=client_id) as client:
            assert client.text("whoami") == "visitor00001 True False"
            result = client.call("read_order", number=7)
            assert result.is_error
            assert f"You need the permission {ORDERS}" in str(result.content)
        assert send(url, TokenMaker(logto, "buyer0000001")(aud=f"{site}/other", scope=TOOLS), {}).status_code == 401
        token = TokenMaker(logto, "buyer0000001")(aud=url, scope=TOOLS)
        get_user_model().objects.update(is_active=False)
        assert send(url, TokenMaker(logto, "visitor00001")(aud=url, scope=TOOLS), {}).status_code == 401
        reset_clients()
        logto.faults.http["jwks"] = HttpFault(status=500)
        answer = send(url, token, {})
        assert (answer.status_code, "cannot be checked at the moment" in answer.text) == (400, True)


def test_token_verifier_accepts_no_api_keys() -> None:
    with pytest.raises(ConfigurationError, match="token_verifier accepts no API keys"):
        logto_mcp(TOOLS, accepts_api_keys=True).token_verifier()


def test_token_verifier_knows_no_organization_of_a_subdomain(settings: Any) -> None:
    settings.LOGTO_ORGANIZATION_FROM = "logto_auth.organizations.from_subdomain"
    with pytest.raises(ConfigurationError, match="knows no request that LOGTO_ORGANIZATION_FROM could"):
        logto_mcp(TOOLS).token_verifier()
