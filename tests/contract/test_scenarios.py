"""All recorded calls of the Management API and webhooks of 1.42, compared with the emulator's."""

import json
import re
from functools import cache

import pytest

from logto_auth.emulator import run_in_thread
from logto_auth.emulator.versions import VERSIONS as LOGTO
from tests.emulator.management_api_client import ManagementAPI
from tests.emulator.receiver import Receiver
from tests.emulator.relying_party import CALLBACK, RelyingParty
from tests.recorded import FOLDER, recording

from .exchanges import shape
from .recorded_on_head import PENDING_ANSWERS, PENDING_ITEMS, PENDING_KEYS, of_version
from .scenarios import account, account_factors, console, errors, organizations, settings, tenant, webhooks
from .scenarios.left_out import LEFT_OUT
from .scenarios.play import play

SCENARIOS = {
    "console": console.SCENARIO,
    "errors": errors.SCENARIO,
    "organizations": organizations.SCENARIO,
    "tenant": tenant.SCENARIO,
    "account center": settings.ACCOUNT_CENTER,
    "public account center": settings.PUBLIC_ACCOUNT_CENTER,
    "custom claims": settings.JWT_CUSTOMIZER,
    "grants": settings.GRANTS,
    "first-party grants": settings.FIRST_PARTY_GRANTS,
    **account.SCENARIOS,
    **account_factors.SCENARIOS,
}
# The recordings were made on the development head.
VERSIONS = ("1.42", "head")
CALLS = [(scenario, name) for scenario, each in SCENARIOS.items() for name in each.names]


@cache
def played(scenario: str, version: str) -> dict[str, list[str]]:
    """Return the differences of a whole scenario, which is sent once."""
    with run_in_thread(like=version) as emulator:
        return play(SCENARIOS[scenario], emulator)


@cache
def delivered(version: str) -> dict[str, list[str]]:
    """Return the differences of all deliveries of webhooks."""
    with run_in_thread(like=version) as emulator:
        return webhooks.differences_of_deliveries(emulator)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("scenario", "name"), CALLS)
def test_answer_matches_recording(scenario, name, version):
    assert played(scenario, version)[name] == []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", webhooks.FILES)
def test_delivery_matches_recording(name, version):
    assert delivered(version)[name] == []


@pytest.mark.parametrize("folder", LEFT_OUT)
def test_each_recording_is_sent_or_left_out(folder):
    sent = {name for scenario in SCENARIOS.values() if scenario.folder == folder for name in scenario.names}
    sent |= {f"webhook_{name}" for name in webhooks.FILES} if folder == "tenant" else set()
    mine = {path.stem for path in (FOLDER / "1.42" / folder).glob("*.json")}
    if folder == "tokens":
        mine = {name for name in mine if name.startswith(("jwt_customizer", "user_grant"))}
    assert sorted(sent & LEFT_OUT[folder].keys()) == []
    assert sorted(sent | LEFT_OUT[folder].keys()) == sorted(mine)


@pytest.fixture
def api():
    with run_in_thread(like="head") as emulator:
        api = ManagementAPI(emulator)
        yield api
        api.http.close()


def test_test_deliveries_match_recording(api):
    with Receiver() as receiver:
        hook = api.made("/hooks", {"events": ["PostSignIn"], "config": {"url": receiver.url}})
        body = {"events": ["PostSignIn", "User.Created"], "config": {"url": receiver.url}}
        assert api.post(f"/hooks/{hook['id']}/test", body).status_code == 204
    for mine, their in zip(receiver.received, recording("tenant/hook_test_requests", "1.42"), strict=True):
        theirs = json.loads(their["body"])
        assert shape(mine.payload) == shape(theirs)
        assert without_times(mine.payload, hook["id"]) == without_times(theirs, hook["id"])
        assert [name for name in mine.headers if name in their["headers"]] == list(their["headers"])


def without_times(payload, hook_id):
    user = payload.get("user", {})
    times = dict.fromkeys(("lastSignInAt", "createdAt", "updatedAt"))
    return {**payload, "hookId": hook_id, "createdAt": None, **({"user": {**user, **times}} if user else {})}


def test_logs_and_statistics_match_recording(api):
    with Receiver(status=500, answer=b"err") as receiver:
        config = {"url": receiver.url, "headers": {"X-Custom": "yes"}}
        hook = api.made("/hooks", {"events": ["Role.Created", "Role.Deleted"], "config": config})
        role = api.made("/roles", {"name": "r3retry2c2c", "description": "x"})
        api.emulator.webhooks.wait()
        api.delete(f"/roles/{role['id']}")
        api.emulator.webhooks.wait()
    assert len(receiver.received) == 2  # a failed delivery is not repeated
    ours = api.get(f"/hooks/{hook['id']}/recent-logs", page_size=2).json()
    theirs = recording("tenant/hook_recent_logs", "1.42")["body"]
    for mine, their in zip(ours, theirs, strict=True):
        assert shape(mine) == shape(their)
    [listed] = api.get("/hooks", includeExecutionStats="true", page_size=20).json()
    assert shape(listed) == shape(recording("tenant/hooks_list_stats", "1.42")["body"][0])
    assert listed["executionStats"] == {"successCount": 0, "requestCount": 2}


def test_event_of_grant_limit_matches_recording():
    with run_in_thread(like="head") as emulator, Receiver() as receiver:
        emulator.tenant.add_hook(receiver.url, ["Grant.LimitExceeded"])
        emulator.tenant.add_user(username="alice")
        application = emulator.tenant.add_application(name="r3 plain", redirect_uris=[CALLBACK])
        application.max_allowed_grants = 1
        relying_party = RelyingParty(emulator, application)
        for _ in range(2):
            relying_party.sign_in("alice")
        emulator.webhooks.wait()
        relying_party.http.close()
    ([ours], theirs) = (
        receiver.received,
        json.loads(recording("tenant/webhook_Grant_LimitExceeded", "1.42")["requests"][0]["body"]),
    )
    assert shape(ours.payload) == shape(theirs)
    for name in ("maxAllowedGrants", "preRevocationActiveGrantCount"):
        assert ours.payload[name] == theirs[name]


def test_invitation_message_matches_recording():
    with run_in_thread(like="head") as emulator:
        play(organizations.SCENARIO, emulator)
        message, _, _ = emulator.tenant.sent_messages
    theirs = recording("organizations/invitation_message", "1.42")
    assert (message.to, message.type) == (theirs["address"], theirs["type"])
    payload = theirs["payload"]
    organization = {**payload["organization"], "id": message.payload["organization"]["id"]}
    assert json.dumps(message.payload) == json.dumps({**payload, "organization": organization})


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("verification_code_email_message", 0),
        ("verification_code_email_own_message", 2),
        ("verification_code_phone_message", 3),
    ],
)
def test_message_with_code_matches_recording(name, index):
    with run_in_thread(like="head") as emulator:
        play(account.ADDRESSES, emulator)
        message = emulator.messages[index]
    theirs = recording(f"account/{name}", "1.42")
    assert (message.to, message.type) == (theirs.get("address") or theirs["phone"], theirs["type"])
    assert re.fullmatch(r"[0-9]{6}", message.code)
    assert json.dumps(message.payload) == json.dumps({**theirs["payload"], "code": message.code})


@pytest.mark.parametrize("version", VERSIONS)
def test_role_with_unknown_permission_is_created_nevertheless(version):
    with run_in_thread(like=version) as emulator:
        played_names = play(errors.SCENARIO, emulator)
        assert "role_unknown_scope" in played_names
        assert emulator.tenant.find_role("r3ya82e") is not None


def test_pending_keys_are_those_of_the_head():
    user = {"id": "x", "cimdClientId": None}
    assert of_version([user], "1.42") == [{"id": "x"}]
    assert of_version([user], "head") == [user]


def test_pending_items_are_those_of_the_head():
    scopes = ["openid", "urn:logto:scope:trusted_devices"]
    assert of_version({"scopes_supported": scopes}, "1.42") == {"scopes_supported": ["openid"]}
    assert of_version({"scopes_supported": scopes}, "head") == {"scopes_supported": scopes}


@pytest.mark.parametrize("field", sorted({*PENDING_KEYS.values(), *PENDING_ITEMS.values(), *PENDING_ANSWERS.values()}))
def test_what_is_pending_is_of_the_head_only(field):
    assert [getattr(LOGTO[version], field) for version in ("1.41", "1.42", "head")] == [False, False, True]
