"""Attacks by agents and with API keys, at each entrance: views, REST framework, Ninja, and both kinds of MCP servers.

What each part does is tested where it is. Here the same attack meets all entrances.
"""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client

from logto_auth.api.api_keys import MAX_REFUSALS
from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator
from logto_auth.emulator.state.records import MANAGEMENT_API_ROLE
from logto_auth.models import LogtoIdentity
from tests.emulator.relying_party import CALLBACK, RelyingParty

from .agent_urls import AGENTS, MCP, PATHS, READ, TRUSTED, WRITE, answer
from .attackers import TokenMaker
from .callers import parameters_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("site"),
    pytest.mark.urls("tests.api.agent_urls"),
]

OWNER, ADMIN = "owner0000001", "admin0000001"
OTHER_API = "https://stock.example/api"
PARTNER, EXCHANGER = "partnerapp00000000001", "exchangerapp000000001"
AGENT = "https://agent.example/client.json"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
METADATA = "http://testserver/.well-known/oauth-protected-resource/agents"

Answer = tuple[int, dict[str, Any], str]


@pytest.fixture
def site(logto: Emulator, settings: Any) -> Iterator[None]:
    """An API resource with two permissions, which an owner and an admin have, and applications of all kinds."""
    tenant = logto.tenant
    settings.LOGTO_API_RESOURCE = OTHER_API
    settings.LOGTO_API_RESOURCES = {AGENTS: [READ, WRITE]}
    settings.LOGTO_FIRST_PARTY_APPS = []
    machine = tenant.add_application(name="Site", type="MachineToMachine", roles=[MANAGEMENT_API_ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    tenant.applications[settings.LOGTO_APP_ID].allow_token_exchange = True
    for indicator in (AGENTS, OTHER_API):
        tenant.add_resource(indicator, scopes=[READ, WRITE])
    tenant.add_role("buyer", scopes={AGENTS: [READ, WRITE], OTHER_API: [READ, WRITE]})
    for sub in (OWNER, ADMIN):
        tenant.add_user(username=sub.rstrip("01"), id=sub, roles=["buyer"])
        user = get_user_model().objects.create_user(sub, is_superuser=sub == ADMIN)
        LogtoIdentity.objects.create(user=user, issuer=logto.issuer, sub=sub)
    native = {"type": "Native", "redirect_uris": [CALLBACK]}
    tenant.add_application(name="App", id=TRUSTED, **native)
    tenant.add_application(name="Partner", id=PARTNER, is_third_party=True, **native)
    tenant.add_application(name="Exchanger", id=EXCHANGER, type="Traditional")
    tenant.applications[EXCHANGER].allow_token_exchange = True
    reset_clients()
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def token(site: None, logto: Emulator) -> Callable[..., str]:
    """Make access tokens of the owner for the API, by default one of an accepted application."""

    def make(**changes: Any) -> str:
        return TokenMaker(logto, OWNER)(**{"aud": AGENTS, "scope": READ, "client_id": TRUSTED, **changes})

    return make


@pytest.fixture
def key(site: None, logto: Emulator) -> Callable[..., str]:
    def make(sub: str = OWNER) -> str:
        return logto.tenant.add_personal_access_token(sub, f"script {uuid4().hex}").value

    return make


# The entrances


def at_url(path: str) -> Callable[[str], Answer]:
    def call(bearer: str) -> Answer:
        response = Client().get(path, headers={"Authorization": f"Bearer {bearer}"})
        return response.status_code, response.json(), response.headers.get("WWW-Authenticate", "")

    return call


def at_sdk(auth: Any, bearer: str) -> Answer:
    """Call the server of the official SDK, whose double answers with the caller."""
    from logto_auth.contrib.mcp_sdk import REQUEST

    async def server(scope: Any, receive: Any, send: Any) -> None:
        body = json.dumps(answer(scope[REQUEST])).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def exchange() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=auth.asgi(server))) as client:
            return await client.post(AGENTS, content=b"{}", headers={"Authorization": f"Bearer {bearer}"})

    response = asyncio.run(exchange())
    return response.status_code, response.json(), response.headers.get("WWW-Authenticate", "")


def entrances(api: str) -> dict[str, Callable[[str], Answer]]:
    return {**{path: at_url(f"/{api}/{path}") for path in PATHS}, "SDK": partial(at_sdk, MCP[api])}


ENTRANCES = entrances("first-party")
FOR_LISTED = entrances("listed")


def seen_everywhere(bearer: str, calls: Mapping[str, Callable[[str], Answer]] = ENTRANCES) -> dict[str, Any]:
    """Return what the views of all entrances see of an accepted caller: the same everywhere."""
    answers = {name: call(bearer) for name, call in calls.items()}
    bodies = [body for _, body, _ in answers.values()]
    assert [status for status, _, _ in answers.values()] == [200] * len(calls), answers
    assert bodies.count(bodies[0]) == len(bodies), answers
    return bodies[0]


def refused_everywhere(
    bearer: str, status: int, error: str | None, calls: Mapping[str, Callable[[str], Answer]] = ENTRANCES
) -> None:
    """Check that each entrance refuses the token or the key, and names the metadata of its own resource."""
    for name, call in calls.items():
        found, body, challenge = call(bearer)
        assert found == status, (name, body)
        assert "sub" not in body
        if status != 429:
            parameters = parameters_of(challenge)
            assert parameters["resource_metadata"] == METADATA, name
            assert parameters.get("error") == error, (name, challenge)


def test_owner_is_accepted_everywhere(token: Callable[..., str], key: Callable[..., str], settings: Any) -> None:
    expected = {"sub": OWNER, "scopes": [READ], "may_write": False, "is_machine": False}
    assert seen_everywhere(token()) == {**expected, "client_id": TRUSTED}
    assert seen_everywhere(token(), FOR_LISTED) == {**expected, "client_id": TRUSTED}
    assert seen_everywhere(key()) == {**expected, "client_id": settings.LOGTO_APP_ID}


# Tokens


def test_token_of_another_resource_is_refused(token: Callable[..., str]) -> None:
    for audience in (OTHER_API, f"{AGENTS}/", [AGENTS, OTHER_API], f"urn:logto:organization:{AGENTS}"):
        refused_everywhere(token(aud=audience), 401, "invalid_token")


def test_token_of_third_party_application_is_refused(token: Callable[..., str]) -> None:
    # `azp` and `cid` of other products do not count, nor does an unknown application or the URL of a client (CIMD).
    for client_id in (PARTNER, "unknownapp00000000001", AGENT):
        bearer = token(client_id=client_id, azp=TRUSTED, cid=TRUSTED)
        refused_everywhere(bearer, 403, None)
        refused_everywhere(bearer, 403, None, FOR_LISTED)


def test_consent_to_third_party_application_opens_nothing(logto: Emulator) -> None:
    partner = logto.tenant.applications[PARTNER]
    partner.resource_scopes = {AGENTS: [READ, WRITE]}
    party = RelyingParty(logto, partner)
    tokens = party.sign_in("owner", scope=f"openid offline_access {READ}", resource=[AGENTS])
    granted = party.refresh(tokens["refresh_token"], resource=AGENTS).json()
    party.http.close()
    assert granted["scope"] == READ
    refused_everywhere(granted["access_token"], 403, None)


def exchanged(logto: Emulator, subject_token: str, kind: str = ACCESS_TOKEN) -> Any:
    """Exchange a token at Logto as an application that may do so, for more permissions."""
    party = RelyingParty(logto, logto.tenant.applications[EXCHANGER])
    response = party.post(
        "token",
        grant_type="urn:ietf:params:oauth:grant-type:token-exchange",
        subject_token=subject_token,
        subject_token_type=kind,
        resource=AGENTS,
        scope=f"{READ} {WRITE}",
    )
    party.http.close()
    return response.json()


def test_token_exchanged_for_wider_scopes_is_that_of_the_exchanger(logto: Emulator, token: Callable[..., str]) -> None:
    # Logto grants an exchanged token all permissions of the user, whatever the subject token had.
    wider = exchanged(logto, token())
    assert wider["scope"] == f"{READ} {WRITE}"
    refused_everywhere(wider["access_token"], 403, None, FOR_LISTED)
    # The exchanger is an application of the operator, who has switched on that it exchanges tokens.
    assert seen_everywhere(wider["access_token"])["client_id"] == EXCHANGER


def test_key_exchanged_by_another_application_is_that_of_the_exchanger(logto: Emulator, key: Any) -> None:
    wider = exchanged(logto, key(), "urn:logto:token-type:personal_access_token")
    assert wider["scope"] == f"{READ} {WRITE}"
    refused_everywhere(wider["access_token"], 403, None, FOR_LISTED)


def test_actor_has_no_rights_of_its_own(token: Callable[..., str]) -> None:
    admin = {"sub": ADMIN, "client_id": TRUSTED, "act": {"sub": ADMIN}}
    seen = seen_everywhere(token(act=admin, may_act=admin))
    assert (seen["sub"], seen["client_id"], seen["may_write"]) == (OWNER, TRUSTED, False)
    bearer = token(act=admin, client_id=PARTNER)
    refused_everywhere(bearer, 403, None)
    refused_everywhere(bearer, 403, None, FOR_LISTED)
    for nonsense in ("admin", [admin], {"sub": 1}, None, {"act": "x" * 4000}):
        assert seen_everywhere(token(act=nonsense))["sub"] == OWNER


def test_forged_actor_breaks_the_signature(token: Callable[..., str]) -> None:
    header, payload, signature = token().split(".")
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    forged = urlsafe_b64encode(json.dumps({**claims, "act": {"sub": ADMIN}}).encode()).decode().rstrip("=")
    refused_everywhere(f"{header}.{forged}.{signature}", 401, "invalid_token")


# API keys


def test_key_of_suspended_user_is_refused(logto: Emulator, key: Callable[..., str]) -> None:
    logto.tenant.suspend_user(OWNER, is_suspended=True)
    refused_everywhere(key(), 401, "invalid_token")


def test_key_of_user_suspended_here_is_refused_at_once(key: Callable[..., str]) -> None:
    known = key()
    seen_everywhere(known)
    get_user_model().objects.filter(username=OWNER).update(is_active=False)
    for name, call in ENTRANCES.items():
        status, body, _ = call(known)
        assert status in (401, 403), (name, body)
        assert "sub" not in body


def test_key_gets_no_wider_token_of_logto(logto: Emulator, key: Callable[..., str]) -> None:
    logto.faults.access_token_claims = lambda claims: {**claims, "scope": f"{READ} {WRITE} delete:all"}
    for name, call in ENTRANCES.items():
        status, body, _ = call(key())
        assert status == 503, (name, body)


def test_key_of_another_users_token_stays_that_of_its_owner(key: Callable[..., str]) -> None:
    assert [seen_everywhere(key(sub))["sub"] for sub in (OWNER, ADMIN)] == [OWNER, ADMIN]


def test_guesses_are_limited_at_all_entrances_together(logto: Emulator, key: Callable[..., str]) -> None:
    known, new = key(), key()
    seen_everywhere(known)
    calls = list(ENTRANCES.values())
    for number in range(MAX_REFUSALS):
        status, _, _ = calls[number % len(calls)](f"pat_{uuid4().hex}")
        assert status == 401
    logto.requests.clear()
    refused_everywhere(f"pat_{uuid4().hex}", 429, None)
    refused_everywhere(new, 429, None)
    assert len(logto.requests) == 0
    assert seen_everywhere(known)["sub"] == OWNER


def test_key_opens_no_other_place(key: Callable[..., str], settings: Any) -> None:
    """A key is neither a session nor a token for scripts."""
    settings.LOGTO_RESOURCES = [AGENTS]
    settings.LOGTO_BROWSER_TOKENS = {AGENTS: [READ]}
    headers = {"Authorization": f"Bearer {key()}", "Sec-Fetch-Site": "same-origin"}
    assert Client().post("/access-token", {"resource": AGENTS}, headers=headers).status_code == 401
