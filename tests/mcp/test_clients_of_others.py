"""The official client as a client of others: a dynamic client, and a third-party application that a site declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from mcp.client.auth import OAuthRegistrationError
from mcp.shared.exceptions import MCPError

from logto_auth.clients import management_api
from logto_auth.contrib.mcp import logto_mcp
from logto_auth.emulator import Emulator, Visitor
from logto_auth.tenant import DynamicClients, TenantDeclaration, ThirdPartyApplication, apply_plan, make_plan
from tests.client_documents import ClientDocument, served_document
from tests.mcp_client import REDIRECT_URI, McpClient, signs_in

from .shops import ORDERS, TOOLS, asgi_server, beside_django, sdk_server, set_up

Connect = Callable[..., McpClient]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.mcp.urls")]


@pytest.fixture
def document() -> Iterator[ClientDocument]:
    with served_document(redirect_uris=[REDIRECT_URI]) as document:
        yield document


@pytest.fixture
def url(logto: Emulator, settings: Any) -> Iterator[str]:
    """The URL of a server of the official SDK, at a Logto with dynamic clients."""
    logto.like, logto.outbound_guard, logto.loopback_client_documents = "head", True, True

    def application(base_url: str) -> Any:
        url = f"{base_url}/mcp"
        set_up(logto, settings, url)
        machine = logto.tenant.add_application(
            name="Setup", type="MachineToMachine", roles=["Logto Management API access"]
        )
        settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
        auth = logto_mcp(TOOLS, resource=url)
        return beside_django(auth.asgi(sdk_server(auth).streamable_http_app()))

    with asgi_server(application) as base_url:
        yield f"{base_url}/mcp"


def declare(**clients: Any) -> Any:
    apply_plan(plan := make_plan(management_api(), TenantDeclaration(webhook_events=(), **clients)))
    return plan


@pytest.fixture
def connect(logto: Emulator, url: str) -> Iterator[Connect]:
    with Visitor(logto) as visitor:
        yield lambda **options: McpClient(url, sign_in=signs_in(visitor, "buyer"), **options)


def test_dynamic_client_works_within_the_ceiling(connect: Connect, url: str, document: ClientDocument) -> None:
    declare(dynamic_clients=DynamicClients(scopes={url: [TOOLS]}))
    with connect(client_metadata_url=document.url) as client:
        assert client.text("whoami") == "buyer0000001 True False"
        # The user may read orders, and the client may not.
        with pytest.raises(MCPError):
            client.call("read_order", number=7)
        assert ORDERS not in client.granted_scopes
    assert client.storage.client is not None
    assert client.storage.client.client_id == document.url


def test_logto_without_dynamic_clients_accepts_none(connect: Connect, document: ClientDocument) -> None:
    with pytest.raises(OAuthRegistrationError), connect(client_metadata_url=document.url):
        pass
    assert document.fetches == []


def test_declared_third_party_application_works(logto: Emulator, connect: Connect, url: str) -> None:
    logto.like = "1.42"
    agent = ThirdPartyApplication("Agent", ["http://127.0.0.1/callback"], scopes={url: [TOOLS, ORDERS]})
    client_id = declare(third_party_applications=[agent]).third_party_applications.ids["Agent"]
    with connect(client_id=client_id) as client:
        assert client.text("read_order", number=7) == "Order 7"
