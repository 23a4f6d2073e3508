"""Logto's script: its step in the plan, its signature, and a sign-in with an old password."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from logto_auth.clients import management_api
from logto_auth.emulator import Emulator, VisitFailed, Visitor
from logto_auth.emulator.action_scripts import run_action
from logto_auth.emulator.state.actions import AFTER_PASSWORD
from logto_auth.exceptions import ConfigurationError
from logto_auth.oidc.secrets import Secret
from logto_auth.password_migration import status
from logto_auth.tenant import TenantDeclaration, apply_plan, make_plan
from logto_auth.tenant.password_migration import MIN_KEY_LENGTH, VERSION, script
from logto_auth.tenant.site import password_migration_keys, site_declaration
from tests.emulator.receiver import Receiver
from tests.tenant.javascript import NODE, call_in_node

from .site import KEY, PASSWORD, TENANT, add_account

URL = "https://shop.example/password-migration/logto"
pytestmark = pytest.mark.usefixtures("has_actions")
DECLARED = TenantDeclaration(
    password_migration=True, password_migration_url=URL, password_migration_key=Secret(KEY), webhook_events=()
)


def stored(logto: Emulator) -> dict[str, Any] | None:
    return logto.tenant.actions.get(AFTER_PASSWORD)


def changes(declaration: TenantDeclaration) -> dict[str, tuple[Any, Any]]:
    """Return the planned changes by name, and apply them."""
    plan = make_plan(management_api(), declaration)
    found = {each.name: (each.before, each.after) for step in plan.changes for each in step.differences}
    apply_plan(plan)
    return found


# The plan


def test_script_is_installed_once(moving_site: Emulator) -> None:
    assert changes(DECLARED) == {"version": (None, VERSION), "url": (None, URL)}
    assert stored(moving_site) == {
        "script": script(),
        "environmentVariables": {"URL": URL, "KEY": KEY},
        "enabled": True,
        "onExecutionError": "block",
    }
    assert changes(DECLARED) == {}


@pytest.mark.parametrize(
    ("spoilt", "expected"),
    [
        ({"enabled": False}, {"enabled": (False, True)}),
        ({"onExecutionError": "allow"}, {"on error": ("allow", "block")}),
        (
            {"environmentVariables": {"URL": "https://old.example/", "KEY": KEY}},
            {"url": ("https://old.example/", URL)},
        ),
        (
            {"environmentVariables": {}},
            {"url": ("", URL), "key": ("another one", "that of LOGTO_PASSWORD_MIGRATION_KEY")},
        ),
        ({"script": script() + "// edited"}, {"version": ("1, edited", "1")}),
        ({"script": script().replace("version 1", "version 0")}, {"version": ("0", "1")}),
    ],
)
def test_changed_script_is_repaired(
    moving_site: Emulator, spoilt: dict[str, Any], expected: dict[str, tuple[Any, Any]]
) -> None:
    changes(DECLARED)
    moving_site.tenant.actions[AFTER_PASSWORD] |= spoilt
    assert changes(DECLARED) == expected
    assert changes(DECLARED) == {}


def test_plan_does_not_show_the_key(moving_site: Emulator) -> None:
    changes(DECLARED)
    moving_site.tenant.actions[AFTER_PASSWORD]["environmentVariables"]["KEY"] = "x" * 40
    plan = make_plan(management_api(), DECLARED)
    assert KEY not in repr([plan.changes, DECLARED])
    assert "x" * 40 not in repr(plan.changes)


def test_script_is_removed_if_it_is_declared_as_off(moving_site: Emulator) -> None:
    changes(DECLARED)
    assert changes(TenantDeclaration(password_migration=False)) == {"installed": (True, False)}
    assert stored(moving_site) is None
    assert changes(TenantDeclaration(password_migration=False)) == {}


def test_script_stays_if_nothing_is_declared(moving_site: Emulator) -> None:
    changes(DECLARED)
    assert changes(TenantDeclaration()) == {}
    assert stored(moving_site) is not None


def test_script_of_another_origin_is_neither_replaced_nor_removed(moving_site: Emulator) -> None:
    theirs = {"script": "const runAction = async () => undefined;", "enabled": True}
    moving_site.tenant.actions[AFTER_PASSWORD] = dict(theirs)
    with pytest.raises(ConfigurationError, match="another script"):
        make_plan(management_api(), DECLARED)
    assert changes(TenantDeclaration(password_migration=False)) == {}
    assert stored(moving_site) == theirs


def test_script_stored_meanwhile_is_not_replaced(moving_site: Emulator) -> None:
    plan = make_plan(management_api(), DECLARED)
    moving_site.tenant.actions[AFTER_PASSWORD] = {"script": "// theirs"}
    with pytest.raises(ConfigurationError, match="another script"):
        apply_plan(plan)
    assert stored(moving_site) == {"script": "// theirs"}


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ({"password_migration_url": ""}, "cannot call"),
        ({"password_migration_key": None}, "LOGTO_PASSWORD_MIGRATION_KEY"),
    ],
)
def test_site_without_url_or_key_is_refused(moving_site: Emulator, missing: dict[str, Any], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        make_plan(management_api(), replace(DECLARED, **missing))


def test_logto_without_actions_is_refused(moving_site: Emulator, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        moving_site.tenant, "version", replace(moving_site.tenant.version, name="1.41", has_actions=False)
    )
    with pytest.raises(ConfigurationError, match=r"1\.42 or newer"):
        make_plan(management_api(), DECLARED)
    assert changes(TenantDeclaration(password_migration=False)) == {}
    assert status().is_installed is None


# The site


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://shop.example", URL),
        ("http://localhost:8000", "http://localhost:8000/password-migration/logto"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/password-migration/logto"),
    ],
)
def test_declaration_of_site_has_url_and_key(moving_site: Emulator, base_url: str, expected: str) -> None:
    declared = site_declaration([base_url])
    assert (declared.password_migration_url, declared.password_migration_key) == (expected, Secret(KEY))


@pytest.mark.parametrize("base_url", ["http://shop.example", "http://web:8000", "http://10.0.0.1"])
def test_plain_http_to_another_machine_is_refused(moving_site: Emulator, settings: Any, base_url: str) -> None:
    with pytest.raises(ConfigurationError, match="not https"):
        site_declaration([base_url])
    settings.DEBUG = True
    assert site_declaration([base_url]).password_migration_url


def test_first_key_is_installed(moving_site: Emulator, settings: Any) -> None:
    settings.LOGTO_PASSWORD_MIGRATION_KEY = ["short", "n" * MIN_KEY_LENGTH, KEY]
    assert password_migration_keys() == [Secret("n" * MIN_KEY_LENGTH), Secret(KEY)]
    assert site_declaration(["https://shop.example"]).password_migration_key == Secret("n" * MIN_KEY_LENGTH)


# The script


@pytest.mark.parametrize("key", [KEY, "k" * 64, "k" * 65, "schlüssel-κόσμε-" * 8])
@pytest.mark.parametrize("password", ["", "Old-Passw0rd1", "pässwörd 😀", "\ud800", "x" * 4000, 'quo"te\\\n\x00'])
def test_signature_is_that_of_python(key: str, password: str) -> None:
    with Receiver(answer=b'{"verified": true}') as receiver:
        _, result = run_action(
            script(),
            event={"user": {"id": "u1"}, "identifier": {"type": "username", "value": "é"}, "password": password},
            environment_variables={"URL": receiver.url, "KEY": key},
        )
    (call,) = receiver.received
    sent_at = call.headers["logto-auth-time"]
    expected = hmac.new(key.encode(), sent_at.encode() + b"." + call.body, hashlib.sha256).hexdigest()
    assert call.headers["logto-auth-signature"] == expected
    assert call.payload == {
        "user_id": "u1",
        "identifier": {"type": "username", "value": "é"},
        "password": password,
    }
    assert result == {"action": "updateUser", "user": {}, "passwordVerified": True}


@pytest.mark.skipif(NODE is None, reason="Node is not installed.")
def test_script_signs_in_the_engine_of_logto() -> None:
    with Receiver(answer=b'{"verified": true}') as receiver:
        event = {"user": {"id": "u1"}, "identifier": {"type": "username", "value": "é"}, "password": "pässwörd 😀"}
        variables = {"URL": receiver.url, "KEY": KEY}
        result = call_in_node(script(), "runAction", {"event": event, "environmentVariables": variables})
    (call,) = receiver.received
    signed = call.headers["logto-auth-time"].encode() + b"." + call.body
    assert call.headers["logto-auth-signature"] == hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
    assert result == {"action": "updateUser", "user": {}, "passwordVerified": True}


@pytest.mark.parametrize(
    ("status_code", "answer"),
    [
        (200, b'{"verified": false}'),
        (200, b'{"verified": "true"}'),
        (200, b'{"verified": 1}'),
        (429, b'{"verified": true}'),
        (500, b'{"verified": true}'),
        (200, b"{}"),
    ],
)
def test_script_accepts_nothing_but_a_yes(status_code: int, answer: bytes) -> None:
    with Receiver(status=status_code, answer=answer) as receiver:
        event = {"user": {"id": "u1"}, "identifier": {"type": "username", "value": "a"}, "password": "p"}
        assert run_action(script(), event=event, environment_variables={"URL": receiver.url, "KEY": KEY}) == (
            False,
            None,
        )


def test_script_never_creates_a_user() -> None:
    with Receiver(answer=b'{"verified": true}') as receiver:
        event = {"user": None, "identifier": {"type": "username", "value": "a"}, "password": "p"}
        assert run_action(script(), event=event, environment_variables={"URL": receiver.url, "KEY": KEY}) == (
            False,
            None,
        )
        # The site is asked all the same, so that the time says nothing.
        assert len(receiver.received) == 1


# A sign-in


@pytest.mark.django_db(transaction=True)
def test_user_signs_in_with_the_old_password(moving_site: Emulator, live_server: Any, settings: Any) -> None:
    user = add_account(moving_site, "ada")
    add_account(moving_site, "bob")
    apply_plan(make_plan(management_api(), replace(TENANT, **urls_of(live_server.url))))
    assert status().is_installed
    with pytest.raises(VisitFailed, match="password is wrong"):
        signed_in(moving_site, "ada", "wrong")
    assert signed_in(moving_site, "ada", PASSWORD) == str(user.pk)
    assert moving_site.tenant.users["subada"].password == PASSWORD
    assert (status().migrated, status().left) == (1, 1)
    # Logto has the password, so the script may go.
    apply_plan(make_plan(management_api(), TenantDeclaration(password_migration=False)))
    assert signed_in(moving_site, "ada", PASSWORD) == str(user.pk)


def signed_in(logto: Emulator, username: str, password: str) -> str:
    """Sign in with a password at Logto, and return the key of the account."""
    client = Client()
    with Visitor(logto) as visitor:
        callback = visitor.sign_in(client.get("/sign-in").url, username, password)
    assert client.get(callback).status_code == 302
    return str(client.session["_auth_user_id"])


def urls_of(base_url: str) -> dict[str, Any]:
    declared = site_declaration([base_url])
    return {
        "password_migration_url": declared.password_migration_url,
        "password_migration_key": declared.password_migration_key,
    }
