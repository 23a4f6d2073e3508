"""Agents and API keys: callers of the site's APIs that belong to users."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from .conftest import MakePerson, opened
from .people import Person
from .sites import Site, eventually
from .targets import Target

pytest.importorskip("django_mcpz", reason="needs django-mcpz, which needs Python 3.11")

from mcp.client.auth import OAuthFlowError

from tests.mcp_client import McpClient

from .test_rights import Rights, call_with

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

PEOPLE = itertools.count()


@pytest.fixture(scope="session")
def workshop(target: Target, tmp_path_factory: pytest.TempPathFactory, empty_database: Any) -> Iterator[Site]:
    """A site with an MCP server, API keys and tokens for scripts. It gets no webhooks."""
    site = Site(target, "workshop", tmp_path_factory.mktemp("workshop"), has_webhooks=False, has_agents=True)
    with opened(site, empty_database):
        yield site


@pytest.fixture
def rights(workshop: Site) -> Rights:
    return Rights(workshop)


@pytest.fixture
def member(workshop: Site, rights: Rights, make_person: MakePerson) -> Any:
    """A function that makes a user with a role, signed in at the workshop."""

    def make(role: str = "") -> Person:
        person = make_person(f"{role or 'nobody'}{next(PEOPLE)}")
        if role:
            rights.give_role(person, role)
        person.sign_in(workshop)
        return person

    return make


def agent_id(site: Site) -> str:
    """Return the App ID of the third-party application that the site has declared."""
    name = f"{site.target.run} agent"
    found: str = next(each["id"] for each in site.target.api.all("applications") if each["name"] == name)
    return found


def agent_of(person: Person, site: Site) -> McpClient:
    """Return the official MCP client, whose sign-in opens in the browser of the person."""
    return McpClient(
        f"{site.url}/mcp",
        sign_in=lambda url: person.logto.sign_in(url, person.username, person.password),
        client_id=agent_id(site),
    )


# MCP


def test_agent_calls_tools_of_its_user_and_gets_more_permissions(workshop: Site, member: Any) -> None:
    editor = member("editor")
    with agent_of(editor, workshop) as agent:
        assert agent.tools() == ["who", "count_stock"]
        assert agent.call("who").structured_content == {
            "sub": editor.id,
            "user": editor.at(workshop)["user"],
            "client_id": agent_id(workshop),
        }
        assert agent.granted_scopes >= {"mcp:tools"}
        assert "write:stock" not in agent.granted_scopes
        assert agent.call("count_stock").is_error is False
        assert [each.status for each in agent.answers(403)] == [403]
        assert agent.requested_scopes()[-1] >= {"mcp:tools", "write:stock"}


def test_agent_gets_no_more_than_its_user_may(workshop: Site, member: Any) -> None:
    reader = member("reader")
    with agent_of(reader, workshop) as agent:
        assert agent.call("who").is_error is False
        with pytest.raises(Exception, match=r"write:stock|insufficient_scope|403"):
            agent.call("count_stock")
    with pytest.raises(Exception, match=r"mcp:tools|insufficient_scope|403"), agent_of(member(), workshop) as agent:
        agent.tools()


def test_agent_of_others_is_told_from_own_applications(workshop: Site, member: Any) -> None:
    editor = member("editor")
    with agent_of(editor, workshop) as agent:
        agent.tools()
        assert agent.storage.tokens is not None
        token = agent.storage.tokens.access_token
    assert call_with(workshop, "/api/own-apps/", token) == 403
    own = editor.get(workshop, "/token/", resource=f"{workshop.url}/mcp").json()["token"]
    assert call_with(workshop, "/api/own-apps/", own) == 200
    assert call_with(workshop, "/api/books/", token) == 401


def test_unknown_agent_reaches_nothing(workshop: Site, member: Any) -> None:
    editor = member("editor")
    client = McpClient(f"{workshop.url}/mcp", sign_in=lambda url: editor.logto.sign_in(url), client_id="unknown")
    with pytest.raises((OAuthFlowError, AssertionError, requests.HTTPError)), client:
        client.tools()


# API keys


def make_key(site: Site, person: Person, name: str, **values: Any) -> str:
    """Make a key at Logto, without the pages of the site."""
    answer = site.target.api.post(f"users/{person.id}/personal-access-tokens", {"name": name, **values})
    value: str = answer["value"]
    return value


def test_key_does_what_its_owner_and_the_view_allow(workshop: Site, member: Any) -> None:
    editor = member("editor")
    key = make_key(workshop, editor, "script")
    answer = requests.get(f"{workshop.url}/api/keys/books/", headers={"Authorization": f"Bearer {key}"}, timeout=30)
    assert (answer.status_code, answer.json()) == (
        200,
        {"sub": editor.id, "permissions": ["read:books"], "is_api_key": True},
    )
    assert call_with(workshop, "/api/books/", key) == 401
    assert call_with(workshop, "/api/keys/books/", make_key(workshop, member(), "script")) == 403


def test_key_in_an_organization(workshop: Site, rights: Rights, member: Any) -> None:
    harbour, hill = rights.make_organization("harbour"), rights.make_organization("hill")
    clerk = member()
    rights.add_member(harbour, clerk, "clerk")
    key = make_key(workshop, clerk, "script")
    assert call_with(workshop, f"/api/keys/branches/{harbour}/books/", key) == 200
    assert call_with(workshop, f"/api/keys/branches/{harbour}/stock/", key) == 403
    assert call_with(workshop, f"/api/keys/branches/{hill}/books/", key) == 403


@pytest.mark.parametrize("end", ["revoked", "suspended", "deleted"])
def test_key_stops(workshop: Site, member: Any, end: str) -> None:
    editor = member("editor")
    key = make_key(workshop, editor, "script")
    assert call_with(workshop, "/api/keys/books/", key) == 200
    api = workshop.target.api
    if end == "revoked":
        api.delete(f"users/{editor.id}/personal-access-tokens/script")
    elif end == "suspended":
        api.patch(f"users/{editor.id}/is-suspended", {"isSuspended": True})
    else:
        api.delete(f"users/{editor.id}")
    # Logto is asked again after LOGTO_API_KEY_SECONDS.
    eventually(lambda: call_with(workshop, "/api/keys/books/", key) == 401, workshop.log)


def test_key_that_was_never_issued(workshop: Site) -> None:
    assert call_with(workshop, "/api/keys/books/", "pat_" + "a" * 32) == 401
