"""Agents at the running demo: the official client finds Logto, the user agrees, and is asked for more when needed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from bookstore.core.demo import AGENT_ID
from logto_auth.emulator import Visitor
from tests.emulator.relying_party import RelyingParty, parameters_of
from tests.processes import child
from tests.servers import free_port

from .programs import API, APP_CALLBACK, APP_ID
from .test_demo import ROOT, wait_until_it_answers

pytest.importorskip("django_mcpz")

from mcp.client.auth import OAuthFlowError
from mcp.shared.exceptions import MCPError

from tests.mcp_client import McpClient, signs_in


class Demo(NamedTuple):
    site: str
    logto: str

    @property
    def mcp_url(self) -> str:
        return f"{self.site}/mcp"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """Run the demo in a process of its own."""
    port, emulator_port = free_port(), free_port()
    environment = {
        **{name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"},
        "PORT": str(port),
        "EMULATOR_PORT": str(emulator_port),
        "SQLITE_PATH": str(tmp_path_factory.mktemp("demo") / "demo.sqlite3"),
    }
    with child([sys.executable, "manage.py", "demo"], cwd=ROOT, env=environment) as process:
        demo = Demo(f"http://localhost:{port}", f"http://localhost:{emulator_port}")
        wait_until_it_answers(demo.site, process)
        yield demo
        process.terminate()


class Agent(McpClient):
    """The official client, for a user with a browser of their own."""

    def __init__(self, demo: Demo, username: str, **options: Any) -> None:
        visitor = Visitor(demo.logto)
        options.setdefault("sign_in", signs_in(visitor, username, f"{username}-password"))
        super().__init__(demo.mcp_url, client_id=AGENT_ID, **options)


def place_order(demo: Demo, username: str, slug: str) -> dict[str, Any]:
    """Place an order as the shop's own app does, and return it."""
    app = RelyingParty(SimpleNamespace(endpoint=demo.logto), SimpleNamespace(id=APP_ID, secret=""), APP_CALLBACK)
    with Visitor(demo.logto) as visitor:
        url = app.authorization_url(scope="openid offline_access", resource=API)
        code = parameters_of(visitor.sign_in(url, username))["code"]
    token = app.exchange(code, resource=API).json()["access_token"]
    response = requests.post(
        f"{demo.site}/api/orders/",
        json={"lines": [{"book": slug, "quantity": 2}]},
        headers={"Authorization": f"Bearer {token}"},
        timeout=10,
    )
    assert response.status_code == 201, response.text
    return response.json()


def test_user_agrees_and_is_asked_again_for_more(demo):
    with Agent(demo, "editor") as agent:
        assert agent.tools() == ["search_books", "read_order", "add_stock"]
        [book] = agent.call("search_books", words="pride prejudice").structured_content["books"]
        assert agent.granted_scopes == {"mcp:tools"}
        added = agent.call("add_stock", book=book["slug"], copies=2).structured_content
        assert added["stock"] == book["stock"] + 2
    # The client asks for a refresh token as well.
    assert [scopes - {"offline_access"} for scopes in agent.requested_scopes()] == [
        {"mcp:tools"},
        {"mcp:tools", "write:stock"},
    ]
    assert len(agent.answers(401)) == 1
    [step_up] = agent.answers(403)
    assert 'error="insufficient_scope"' in step_up.challenge
    for url in agent.authorization_urls:
        assert parse_qs(urlsplit(url).query)["resource"] == [demo.mcp_url]


def test_clients_of_2025_step_up_as_well(demo):
    order = place_order(demo, "owner", "emma-jane-austen")
    with Agent(demo, "owner", mode="legacy") as agent:
        assert agent.call("read_order").structured_content["number"] == order["id"]
    assert agent.granted_scopes == {"mcp:tools", "read:orders"}


def test_agent_gets_no_permission_that_its_user_lacks(demo):
    with Agent(demo, "customer") as agent:
        assert agent.call("search_books", words="emma").structured_content["count"] == 1
        with pytest.raises(MCPError):
            agent.call("add_stock", book="emma-jane-austen", copies=1)
        assert agent.call("search_books", words="emma").structured_content["count"] == 1
    # It has asked, and once is enough.
    assert (len(agent.authorization_urls), agent.granted_scopes) == (2, {"mcp:tools"})


def test_user_who_does_not_agree_gives_no_access(demo):
    visitor = Visitor(demo.logto)
    with (
        pytest.raises(OAuthFlowError),
        Agent(demo, "customer", sign_in=lambda url: visitor.cancel_consent(url, "customer", "customer-password")),
    ):
        pass


def test_user_without_role_gives_no_access(demo):
    visitor = Visitor(demo.logto)
    with requests.Session() as shop:
        shop.trust_env = False
        to_logto = shop.get(f"{demo.site}/sign-in", allow_redirects=False, timeout=10).headers["Location"]
        visitor.sign_in_with_alipay(to_logto, "2088000000000002")
    # A user who has just registered has no role, so Logto grants nothing of what the agent requests.
    with pytest.raises(MCPError) as refused, Agent(demo, "", sign_in=visitor.sign_in):
        pass
    assert "mcp:tools" in str(refused.value)


def run_client(demo: Demo, username: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the agent of the tutorial, with a browser that signs this user in."""
    browser = f"{sys.executable} -m tests.bookstore.agent_browser {username} %s"
    command = [sys.executable, "-m", "bookstore.agents.client", "--url", demo.mcp_url, *arguments]
    environment = {**os.environ, "BROWSER": browser}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=50)


def test_agent_of_the_tutorial_reads_an_order(demo):
    order = place_order(demo, "customer", "emma-jane-austen")
    listed = run_client(demo, "customer")
    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["search_books", "read_order", "add_stock"]
    run = run_client(demo, "customer", "read_order", json.dumps({"number": order["id"]}))
    assert (run.returncode, json.loads(run.stdout)["total_cents"]) == (0, order["total_cents"]), run.stderr
    # The second one is for the permission of the tool.
    assert run.stderr.count("Sign in and agree at:") == 2


def test_agent_of_the_tutorial_reports_what_is_refused(demo):
    unknown = run_client(demo, "customer", "read_order", '{"number": 999}')
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.splitlines()[-1] == "The call failed: You have no order 999."
    refused = run_client(demo, "customer", "add_stock", '{"book": "emma-jane-austen", "copies": 1}')
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "write:stock" in refused.stderr.splitlines()[-1]
