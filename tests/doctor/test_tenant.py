"""Findings of the Management API: declaration, scopes, back-channel logout and webhook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from logto_auth.clients import management_api, reset_clients
from logto_auth.emulator import Application, Emulator
from tests.emulator.receiver import Receiver
from tests.management_commands import SITE, Run, read_env_file, set_all

from .findings import API, Found, only

pytestmark = pytest.mark.django_db


def test_rejected_machine_credentials_are_found(found: Found, settings: Any, fresh: Emulator) -> None:
    settings.LOGTO_M2M_APP_SECRET = "w" * 32
    assert "Check LOGTO_M2M_APP_ID, LOGTO_M2M_APP_SECRET" in only(found())
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = settings.LOGTO_APP_ID, settings.LOGTO_APP_SECRET
    line = only(found())
    assert line.startswith("failure management-api: ")
    assert "requested grant type is not allowed for this client. Check LOGTO_M2M_APP_ID" in line
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = "unknown", "w" * 32
    assert "invalid client unknown" in only(found())


def test_machine_without_management_api_role_is_a_warning(found: Found, settings: Any, fresh: Emulator) -> None:
    machine = fresh.tenant.applications[settings.LOGTO_M2M_APP_ID]
    machine.roles = []
    reset_clients()
    assert only(found()).startswith(
        f"warning management-api: The application {machine.id} may not use the Management API"
    )


def test_wrong_management_api_resource_is_found(found: Found, settings: Any) -> None:
    settings.LOGTO_MANAGEMENT_API_RESOURCE = "https://abc123.logto.app/api"
    assert "failure management-api: Logto issued no token for the Management API https://abc123.logto.app/api" in only(
        found()
    )


def test_missing_declared_objects_are_found(found: Found, fresh: Emulator, run: Run) -> None:
    tenant = fresh.tenant
    tenant.delete_role(tenant.find_role("editor"))
    tenant.find_role("admin").scopes = {}
    assert found() == [
        "warning declaration: The role editor is declared, but the tenant does not have it.",
        "warning declaration: The role admin differs from the declaration: permissions.",
    ]
    run("logto_setup", "--yes")
    assert found() == []


def test_wrong_back_channel_logout_is_found(found: Found, application: Application) -> None:
    application.backchannel_logout_uri = None
    assert only(found()).startswith("warning back-channel-logout: The back-channel logout URI is not set, expected")
    assert "sessions here cannot be matched to those at Logto" in only(found())
    application.backchannel_logout_uri = "http://testserver:8001/back-channel-logout"
    assert "is http://testserver:8001/back-channel-logout, expected http://testserver/back-channel" in only(found())
    application.backchannel_logout_uri = f"{SITE}/back-channel-logout"
    application.backchannel_logout_session_required = False
    assert only(found()).startswith('warning back-channel-logout: "Is session required" is off')
    assert "sessions here cannot be matched to those at Logto" in only(found())
    application.backchannel_logout_session_required = True
    assert found() == []


def test_invalid_declaration_is_found(found: Found, settings: Any) -> None:
    settings.LOGTO_TENANT = "bookstore.nowhere.TENANT"
    assert [line.partition(":")[0] for line in found()] == ["failure settings", "failure declaration"]


def test_unknown_scopes_are_found(found: Found, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "roles", "read:boks", "manage:stock")
    settings.LOGTO_API_SCOPES = ("read:books", "burn:books")
    assert found() == [
        "warning scopes: LOGTO_SCOPES contains read:boks, which no API resource in LOGTO_RESOURCES has. Logto omits it "
        "without an error.",
        f"warning scopes: LOGTO_API_SCOPES contains burn:books, which {API} does not have. No token can have it.",
    ]
    settings.LOGTO_API_RESOURCES = {"https://library.example": ["lend:books"]}
    assert found()[-1] == (
        "warning scopes: LOGTO_API_RESOURCES contains lend:books, which https://library.example does not have. No "
        "token can have it."
    )


def test_unreachable_remote_logto_skips_sign_in_last(found: Found, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://192.0.2.1:9"
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (0.2, 0.2)
    assert found("--base-url", "http://localhost:8000")[-1].startswith("skipped sign-in")


# The webhook


def test_missing_disabled_or_incomplete_webhook_is_found(found: Found, fresh: Emulator) -> None:
    (hook,) = fresh.tenant.hooks.values()
    hook.enabled = False
    assert (
        only(found())
        == f"warning declaration: The webhook {SITE}/webhooks/logto differs from the declaration: enabled."
    )
    hook.enabled, hook.events = True, hook.events[1:]
    assert only(found()).endswith("differs from the declaration: events.")
    fresh.tenant.hooks.clear()
    assert only(found()) == (
        f"warning declaration: The webhook {SITE}/webhooks/logto is declared, but the tenant does not have it."
    )


def test_missing_or_wrong_signing_key_is_found(found: Found, fresh: Emulator, settings: Any) -> None:
    (hook,) = fresh.tenant.hooks.values()
    settings.LOGTO_WEBHOOK_SIGNING_KEY = ""
    assert only(found()).startswith("failure webhook: LOGTO_WEBHOOK_SIGNING_KEY is not set")
    settings.LOGTO_WEBHOOK_SIGNING_KEY = "w" * 32
    assert only(found()).startswith("failure webhook: LOGTO_WEBHOOK_SIGNING_KEY is not the key of the webhook")
    settings.LOGTO_WEBHOOK_SIGNING_KEY = ["w" * 32, hook.signing_key]
    assert found() == []


def test_duplicate_webhook_is_found(found: Found, fresh: Emulator) -> None:
    (hook,) = fresh.tenant.hooks.values()
    fresh.tenant.add_hook(hook.url, hook.events)
    assert only(found()) == f"warning webhook: 2 webhooks call {hook.url}, so each event arrives 2 times."


def test_failed_latest_webhook_call_is_found(
    run: Run, found: Found, fresh: Emulator, settings: Any, tmp_path: Path
) -> None:
    with Receiver() as receiver:
        site = ["--base-url", receiver.url.removesuffix("/hook")]
        settings.ALLOWED_HOSTS = ["127.0.0.1"]
        run("logto_setup", "--yes", "--env-file", str(tmp_path / ".env"), *site)
        set_all(settings, read_env_file(tmp_path / ".env"))
        assert found(*site) == []
        assert "ok       webhook              Logto has not called the webhook yet.\n" in run("logto_doctor", *site).out
        reader = fresh.tenant.add_user(username="reader")

        def deliver() -> None:
            management_api().users.update(reader.id, {"name": "Reader"})
            fresh.webhooks.wait()

        deliver()
        assert found(*site) == []
        assert "1 of 1 calls succeeded, including the latest one." in run("logto_doctor", *site).out
        receiver.status = 403
        deliver()
        assert only(found(*site)) == (
            "failure webhook: The latest call failed, because this site answered 403. 1 of 2 calls succeeded."
        )
        receiver.status = 204
        deliver()
        assert found(*site) == []
    deliver()
    assert only(found(*site)).endswith("because this site did not answer. 2 of 4 calls succeeded.")


def test_long_lived_tokens_of_scripts_are_found(found: Found, fresh: Emulator, settings: Any) -> None:
    api, lost = "https://books.example/api", "https://lost.example/api"
    fresh.tenant.add_resource(api, scopes=["read:books"], access_token_ttl=601)
    settings.LOGTO_SCOPES = (*settings.LOGTO_SCOPES, "read:books", "lend:books")
    settings.LOGTO_RESOURCES = (*settings.LOGTO_RESOURCES, api)
    settings.LOGTO_BROWSER_TOKENS = {api: ["read:books", "lend:books"], lost: ["read:books"]}
    lines = [line for line in found() if line.startswith("warning browser-tokens: ")]
    assert "lists lend:books" in lines[0]
    assert "valid for 601 seconds" in lines[1]
    assert f"names {lost}" in lines[2]
    fresh.tenant.find_resource(api).access_token_ttl = 600
    settings.LOGTO_BROWSER_TOKENS = {api: ["read:books"]}
    assert not [line for line in found() if "browser-tokens" in line]
