"""The script of the tenant that runs when a sign-in with a password has failed. The answers are recorded from Logto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from logto_auth.emulator import Emulator, VisitFailed, Visitor, action_scripts
from logto_auth.emulator.state.actions import AFTER_PASSWORD
from tests.emulator.receiver import Receiver
from tests.emulator.relying_party import RelyingParty

PASSWORD = "Old-Passw0rd1"
YES = "passwordVerified: true"
pytestmark = pytest.mark.usefixtures("has_actions")


@pytest.fixture
def has_actions(emulator: Emulator) -> None:
    if not emulator.tenant.version.has_actions:
        pytest.skip("Logto 1.41 has no Actions.")


@pytest.fixture
def site() -> Iterator[Receiver]:
    with Receiver(answer=json.dumps({"ok": True}).encode()) as receiver:
        yield receiver


def install(emulator: Emulator, body: str, **settings: Any) -> None:
    """Store a script with this body of its function."""
    script = f"const runAction = async ({{ event, environmentVariables }}) => {{ {body} }};"
    emulator.tenant.actions[AFTER_PASSWORD] = {"script": script, "enabled": True, **settings}


def sign_in(emulator: Emulator, bookstore: RelyingParty, typed: str, password: str = PASSWORD) -> None:
    with Visitor(emulator) as visitor:
        visitor.sign_in(bookstore.authorization_url(), typed, password)


def refusal(emulator: Emulator, bookstore: RelyingParty, typed: str) -> tuple[int, str]:
    """Return the status and the code of a refused sign-in."""
    with pytest.raises(VisitFailed) as failure:
        sign_in(emulator, bookstore, typed)
    response = failure.value.response
    return response.status_code, response.text.partition('data-code="')[2].partition('"')[0]


INVALID = (422, "session.invalid_credentials")


def test_script_creates_unknown_user_and_password_is_stored(emulator, bookstore) -> None:
    install(emulator, f"return {{ action: 'createUser', user: {{ name: 'Old' }}, {YES} }};")
    sign_in(emulator, bookstore, "r3legacy")
    user = emulator.tenant.find_user(username="r3legacy")
    assert (user.name, user.password) == ("Old", PASSWORD)
    del emulator.tenant.actions[AFTER_PASSWORD]
    sign_in(emulator, bookstore, "r3legacy")


def test_script_overwrites_another_password(emulator, bookstore) -> None:
    install(emulator, f"return {{ action: 'updateUser', user: {{}}, {YES} }};")
    sign_in(emulator, bookstore, "customer")
    assert emulator.tenant.find_user(username="customer").password == PASSWORD


def test_script_gets_event_without_sign_of_a_password(emulator, bookstore, site) -> None:
    install(
        emulator,
        "await fetch(environmentVariables.URL, { method: 'POST', headers: { 'x-signature': 's' }, "
        "body: JSON.stringify(event) });",
        environmentVariables={"URL": site.url},
    )
    assert refusal(emulator, bookstore, "customer@bookstore.example") == INVALID
    assert refusal(emulator, bookstore, "r3nobody") == INVALID
    known, unknown = site.received
    assert known.headers["user-agent"] == "node"
    assert known.headers["x-signature"] == "s"
    assert known.payload == {
        "key": AFTER_PASSWORD,
        "interactionEvent": "SignIn",
        "verificationType": "Password",
        "identifier": {"type": "email", "value": "customer@bookstore.example"},
        "user": known.payload["user"],
        "password": PASSWORD,
    }
    assert known.payload["user"].keys() == {
        "id",
        "username",
        "primaryEmail",
        "primaryPhone",
        "name",
        "avatar",
        "customData",
        "profile",
    }
    assert unknown.payload["user"] is None
    assert unknown.payload["identifier"]["type"] == "username"


def test_script_does_not_run_for_right_password_and_suspended_user(emulator, bookstore, site) -> None:
    install(
        emulator,
        "await fetch(environmentVariables.URL, { method: 'POST', body: '' });",
        environmentVariables={"URL": site.url},
    )
    sign_in(emulator, bookstore, "customer", "customer-password")
    assert refusal(emulator, bookstore, "suspended") == INVALID
    assert site.received == []


@pytest.mark.parametrize(
    "body",
    [
        "return undefined;",
        "return 'yes';",
        "return { action: 'updateUser', user: {} };",
        f"return {{ action: 'deleteUser', user: {{}}, {YES} }};",
        f"return {{ action: 'updateUser', user: {{ roles: ['admin'] }}, {YES} }};",
        f"return {{ action: 'updateUser', {YES} }};",
        "throw new Error('boom');",
        "await fetch('http://127.0.0.1:9/', { method: 'POST', body: '' });",
        "while (true) {}",
        "await new Promise(() => {});",
    ],
)
@pytest.mark.parametrize("policy", ["block", "allow"])
def test_other_results_and_errors_refuse_the_sign_in(emulator, bookstore, monkeypatch, body, policy) -> None:
    monkeypatch.setattr(action_scripts, "TIME_LIMIT_SECONDS", 1)
    install(emulator, body, onExecutionError=policy)
    assert refusal(emulator, bookstore, "customer") == INVALID
    assert emulator.tenant.find_user(username="customer").password == "customer-password"


def test_slow_site_refuses_the_sign_in(emulator, bookstore, site, monkeypatch) -> None:
    monkeypatch.setattr(action_scripts, "TIME_LIMIT_SECONDS", 0.5)
    site.may_answer.clear()
    install(
        emulator,
        f"await fetch(environmentVariables.URL, {{ method: 'POST', body: '' }});"
        f"return {{ action: 'updateUser', user: {{}}, {YES} }};",
        environmentVariables={"URL": site.url},
    )
    assert refusal(emulator, bookstore, "customer") == INVALID


@pytest.mark.parametrize(
    ("typed", "result", "expected"),
    [
        ("r3other", "{ action: 'createUser', user: { username: 'r3another' } }", "action.sign_in_identifier_changed"),
        (
            "r3other",
            "{ action: 'createUser', user: { primaryEmail: 'customer@bookstore.example' } }",
            "user.email_already_in_use",
        ),
    ],
)
def test_result_that_does_not_fit_has_its_code(emulator, bookstore, typed, result, expected) -> None:
    install(emulator, f"return {{ ...{result}, {YES} }};")
    assert refusal(emulator, bookstore, typed) == (422, expected)


@pytest.mark.parametrize(("typed", "action"), [("customer", "createUser"), ("r3other", "updateUser")])
def test_result_about_another_user_is_a_conflict(emulator, bookstore, typed, action) -> None:
    install(emulator, f"return {{ action: '{action}', user: {{}}, {YES} }};")
    assert refusal(emulator, bookstore, typed) == (409, "session.identity_conflict")


def test_disabled_script_does_not_run(emulator, bookstore) -> None:
    install(emulator, f"return {{ action: 'updateUser', user: {{}}, {YES} }};", enabled=False)
    assert refusal(emulator, bookstore, "customer") == INVALID
