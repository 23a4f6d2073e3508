"""`manage.py logto_doctor`: a site without problems, and every finding."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.sessions.backends.file import SessionStore as FileStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from logto_auth.clients import management_api, reset_clients
from logto_auth.doctor.logto import clock_finding
from logto_auth.emulator import Application, Emulator, HttpFault
from logto_auth.oidc.http import Response
from tests.emulator.receiver import Receiver
from tests.management_commands import SITE, Run, read_env_file, set_all

pytestmark = pytest.mark.django_db

API = "https://bookstore.example/api"
DAY_MS = 24 * 3600 * 1000

Found = Callable[..., list[str]]


@pytest.fixture
def application(run: Run, fresh: Emulator, settings: Any, tmp_path: Path) -> Application:
    """The application of a site that `logto_setup` has set up for the bookstore, with a webhook."""
    settings.ALLOWED_HOSTS = ["testserver", "shop.example"]
    settings.LOGTO_RESOURCES = (API, "urn:logto:resource:organizations")
    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_API_SCOPES = ("read:books", "write:books")
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile", "read:books", "manage:stock")
    path = tmp_path / ".env"
    assert run("logto_setup", "--yes", "--env-file", str(path)).code == 0
    set_all(settings, read_env_file(path))
    reset_clients()
    return fresh.tenant.applications[settings.LOGTO_APP_ID]


@pytest.fixture
def found(run: Run, application: Application) -> Found:
    """A function that returns the findings except those that are ok, as `level check: message`."""

    def found(*arguments: str) -> list[str]:
        findings = json.loads(run("logto_doctor", "--json", *arguments).out)["findings"]
        return [f"{each['level']} {each['check']}: {each['message']}" for each in findings if each["level"] != "ok"]

    return found


def only(lines: list[str]) -> str:
    """Return the only line."""
    (line,) = lines
    return line


def test_site_without_problems_has_only_ok_findings(run: Run, application: Application) -> None:
    result = run("logto_doctor")
    assert result.code == 0
    assert result.out.splitlines()[-1] == "23 ok, 0 skipped, 0 warning, 0 failure"
    assert f"ok       redirect-uri         {SITE}/callback is registered.\n" in result.out


def test_doctor_leaves_only_an_anonymous_session_at_logto(run: Run, fresh: Emulator, application: Application) -> None:
    fresh.requests.clear()
    assert run("logto_doctor").code == 0
    assert {each.method for each in fresh.requests if each.endpoint == "management_api"} == {"GET"}
    assert (fresh.instances.interactions, fresh.instances.grants) == ({}, {})
    assert {session.account_id for session in fresh.instances.sessions.values()} == {None}


def test_doctor_leaves_no_django_session(run: Run, application: Application) -> None:
    run("logto_doctor")
    assert not Session.objects.exists()


def test_checks_without_management_api_still_run(
    run: Run, found: Found, settings: Any, application: Application
) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    assert only(found()).startswith("skipped management-api: Not checked, because LOGTO_M2M_APP_ID")
    assert run("logto_doctor", "--fail-on", "warning").code == 0
    application.redirect_uris = []
    assert run("logto_doctor").code == 1


# Exit codes and JSON


def test_exit_code_follows_fail_on(run: Run, application: Application) -> None:
    application.backchannel_logout_uri = None
    assert run("logto_doctor").code == 0
    assert run("logto_doctor", "--fail-on", "warning").code == 1
    application.redirect_uris = []
    assert run("logto_doctor").code == 1


def test_json_has_every_finding_and_counts(run: Run, application: Application) -> None:
    application.redirect_uris = []
    result = run("logto_doctor", "--json")
    data = json.loads(result.out)
    assert data["counts"] == {"ok": 20, "skipped": 1, "warning": 0, "failure": 1}
    assert len(data["findings"]) == 22
    assert next(each for each in data["findings"] if each["level"] == "failure") == {
        "check": "redirect-uri",
        "level": "failure",
        "message": f"{SITE}/callback is not registered. Every sign-in with it ends on an error page of Logto.",
        "remedy": "Add exactly this URI to the redirect URIs. manage.py logto_setup does this, or the page of the "
        "application in the Logto Console.",
    }


def test_invalid_base_url_is_an_error(run: Run) -> None:
    result = run("logto_doctor", "--base-url", "shop.example")
    assert (result.code, result.error.partition(",")[0]) == (
        2,
        "The base URL 'shop.example' is not an origin without a path",
    )


# The settings and this machine


LOCAL_PROBLEMS: dict[str, tuple[dict[str, Any], str]] = {
    "a check that fails": (
        {"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]},
        "failure settings: AUTHENTICATION_BACKENDS holds no LogtoBackend. (logto_auth.E020)",
    ),
    "a check that warns": ({"LOGIN_URL": "/login/"}, "warning settings: LOGIN_URL is '/login/'"),
    "a host that is refused": (
        {"ALLOWED_HOSTS": ["shop.example"]},
        "failure hosts: testserver is not in ALLOWED_HOSTS",
    ),
    "a cookie of another domain": (
        {"SESSION_COOKIE_DOMAIN": ".shop.example"},
        "failure cookies: SESSION_COOKIE_DOMAIN is 'shop.example'. Browsers reject such a cookie from testserver.",
    ),
    "a cookie for https only": (
        {"SESSION_COOKIE_SECURE": True},
        "failure cookies: SESSION_COOKIE_SECURE is True, but the site is at http://testserver",
    ),
    "a session engine that stores nothing": (
        {
            "SESSION_ENGINE": "django.contrib.sessions.backends.cache",
            "CACHES": {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
        },
        "failure sessions: django.contrib.sessions.backends.cache",
    ),
    "sessions local to each process": (
        {"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"},
        "warning sessions: django.contrib.sessions.backends.cached_db stores sessions in a cache that is local to",
    ),
    "a session engine that fails": (
        {"SESSION_ENGINE": "django.contrib.sessions.backends.file", "SESSION_FILE_PATH": "/nowhere"},
        "failure sessions: django.contrib.sessions.backends.file cannot store a session: The session storage path",
    ),
    "a time-out that is too long": (
        {"LOGTO_HTTP_TIMEOUT_SECONDS": (3, 60)},
        "warning time-outs: LOGTO_HTTP_TIMEOUT_SECONDS contains 60 s",
    ),
    "a time-out that is too short": (
        {"LOGTO_HTTP_TIMEOUT_SECONDS": (0.5, 10)},
        "warning time-outs: LOGTO_HTTP_TIMEOUT_SECONDS contains 0.5 s",
    ),
}


@pytest.mark.parametrize("case", LOCAL_PROBLEMS)
def test_local_problem_is_found_until_corrected(found: Found, settings: Any, monkeypatch: Any, case: str) -> None:
    changes, text = LOCAL_PROBLEMS[case]
    # Django caches the path of session files for the lifetime of the process.
    monkeypatch.delattr(FileStore, "_storage_path", raising=False)
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (3.05, 10)
    valid = {name: getattr(settings, name) for name in changes}
    set_all(settings, changes)
    assert only(found()).startswith(text)
    set_all(settings, valid)
    assert found() == []


def test_unapplied_migration_is_found(found: Found) -> None:
    ((label, latest),) = MigrationLoader(connection).graph.leaf_nodes("logto_auth")
    MigrationRecorder(connection).record_unapplied(label, latest)
    assert only(found()) == "failure database: Migrations have not been applied: logto_auth."


def test_time_out_of_wrong_type_is_reported_by_system_check(found: Found, settings: Any) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = ("3", 10)
    assert [line.rpartition(" ")[2] for line in found()] == ["(logto_auth.E013)", "first."]


def test_missing_application_skips_sign_in(found: Found, settings: Any) -> None:
    settings.LOGTO_APP_ID = settings.LOGTO_APP_SECRET = ""
    lines = found()
    assert lines[:2] == [
        "failure settings: LOGTO_APP_ID is not set. (logto_auth.E003)",
        "failure settings: LOGTO_APP_SECRET is not set. (logto_auth.E004)",
    ]
    assert lines[2:] == ["skipped sign-in: No sign-in was tried, because LOGTO_APP_ID or LOGTO_APP_SECRET is not set."]


def test_silenced_system_check_is_not_reported(found: Found, settings: Any) -> None:
    settings.LOGIN_URL = "/login/"
    settings.SILENCED_SYSTEM_CHECKS = ["logto_auth.W002"]
    assert found() == []


def test_deploy_runs_deployment_checks(found: Found) -> None:
    assert [line.partition(" (")[2] for line in found("--deploy")] == [
        f"logto_auth.W0{number})" for number in (10, 11, 12)
    ]


def test_settings_of_wrong_type_skip_the_rest(found: Found, settings: Any) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = "3"
    assert found() == [
        "failure settings: LOGTO_HTTP_TIMEOUT_SECONDS is a str. (logto_auth.E001)",
        "skipped site: The other examinations were skipped. Correct the types of the settings first.",
    ]


def test_missing_endpoint_skips_calls_to_logto(found: Found, settings: Any, fresh: Emulator) -> None:
    settings.LOGTO_ENDPOINT = ""
    fresh.requests.clear()
    assert found()[-1] == "skipped logto: Logto was not called. Correct the settings first."
    assert len(fresh.requests) == 0


def test_missing_base_url_skips_checks_of_urls(found: Found, settings: Any) -> None:
    settings.LOGTO_BASE_URL = ""
    assert found()[0] == (
        "skipped base-url: Hosts, cookies and proxy were not checked. Set LOGTO_BASE_URL, or pass --base-url."
    )
    assert found()[1].startswith("skipped resources: Not tried, because no redirect URI is registered")


def test_https_site_needs_secure_cookie_and_proxy_header(found: Found, settings: Any, application: Application) -> None:
    application.redirect_uris = ["https://shop.example/callback"]
    application.post_logout_redirect_uris = ["https://shop.example/"]
    settings.LOGTO_BASE_URL = "https://shop.example"

    def about_https() -> list[str]:
        return [line for line in found() if line.split()[1] in ("cookies:", "proxy:")]

    cookie, proxy = about_https()
    assert cookie.startswith("warning cookies: SESSION_COOKIE_SECURE is False, but the site is at https://shop.example")
    assert proxy.startswith("warning proxy: SECURE_PROXY_SSL_HEADER is not set")
    assert "Redirect URIs" not in proxy
    settings.SESSION_COOKIE_SECURE = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert about_https() == []


def test_proxy_warning_mentions_redirect_uris_without_base_url(found: Found, settings: Any) -> None:
    settings.LOGTO_BASE_URL = ""
    lines = found("--base-url", "https://shop.example")
    assert any("Redirect URIs then begin with http:" in line for line in lines)


def test_secure_cookie_on_localhost_is_a_warning(found: Found, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    lines = found("--base-url", "http://localhost:8000")
    assert any(line.startswith("warning cookies: ") and "Some browsers" in line for line in lines)


# Logto


def test_unreachable_logto_skips_sign_in(found: Found, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://localhost:9"
    unreachable, sign_in = found()
    assert unreachable.startswith(
        "failure reachability: http://localhost:9/oidc/.well-known/openid-configuration is out"
    )
    assert sign_in == "skipped sign-in: No sign-in was tried, because there is no valid discovery document."


LOGTO_PROBLEMS: dict[str, tuple[str, HttpFault, str]] = {
    "no discovery document": ("discovery", HttpFault(status=404), "failure reachability: "),
    "a redirect": ("discovery", HttpFault(status=302, headers={"Location": "/"}), "failure reachability: "),
    "a page": ("discovery", HttpFault(body="<p>Hello</p>"), "failure discovery: "),
    "no keys": ("jwks", HttpFault(status=500), "failure keys: "),
    "an empty key set": (
        "jwks",
        HttpFault(body='{"keys": []}'),
        "failure keys: Logto signs with a key of the type unknown",
    ),
    "a broken token endpoint": (
        "token",
        HttpFault(status=500, body='{"error": "server_error"}'),
        "failure application: The token endpoint answered 500 server_error",
    ),
    "a broken authorization endpoint": (
        "auth",
        HttpFault(status=503),
        f"failure redirect-uri: Logto answered 503 no error to a sign-in with the redirect URI {SITE}/callback.",
    ),
    "a broken sign-out": (
        "session_end",
        HttpFault(status=500),
        f"failure post-sign-out-uri: Logto answered 500 no error to a sign-out with the redirect URI {SITE}/.",
    ),
    "a Management API that rejects requests": (
        "management_api",
        HttpFault(status=403, body='{"code": "auth.forbidden", "message": "No."}'),
        "failure management-api: ",
    ),
}


@pytest.mark.parametrize("case", LOGTO_PROBLEMS)
def test_problem_at_logto_is_found_until_corrected(found: Found, fresh: Emulator, case: str) -> None:
    endpoint, fault, text = LOGTO_PROBLEMS[case]
    fresh.faults.http[endpoint] = fault
    assert any(line.startswith(text) for line in found())
    fresh.faults.clear()
    assert found() == []


def test_slow_answer_is_a_warning(found: Found, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (1, 1)
    fresh.faults.http["discovery"] = HttpFault(delay_seconds=0.6, times=1)
    assert "answered after 0.6 s. The time-out is 1 s." in only(found())


def test_answer_without_date_is_a_warning() -> None:
    assert clock_finding(Response(200, {}, b"", "")).message == (
        "Logto's answer has no header Date, so the clocks were not compared."
    )


@pytest.mark.parametrize(("seconds", "level"), [(-120, "failure"), (120, "failure"), (45, "warning"), (-45, "warning")])
def test_clock_difference_is_found_until_corrected(found: Found, fresh: Emulator, seconds: int, level: str) -> None:
    fresh.clock.advance(seconds)
    match = re.fullmatch(rf"{level} clock: The clocks of Logto and this machine differ by (\d+) s\. .*", only(found()))
    assert match
    assert abs(int(match[1]) - abs(seconds)) <= 2
    fresh.clock.reset()
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"issuer": "https://abc123.logto.app/oidc"}, "failure discovery: The discovery document names the issuer"),
        (
            {"jwks_uri": "ftp://localhost/jwks"},
            "failure discovery: The discovery document names 'ftp://localhost/jwks'",
        ),
        ({"userinfo_endpoint": "http://logto:3001/oidc/me"}, "warning discovery: The issuer is"),
    ],
)
def test_wrong_discovery_document_is_found(found: Found, fresh: Emulator, changes: dict[str, str], text: str) -> None:
    fresh.faults.discovery = lambda document: {**document, **changes}
    assert found()[0].startswith(text)


def test_unaccepted_signing_algorithm_is_found(run: Run, found: Found, settings: Any) -> None:
    settings.LOGTO_SIGNING_ALGORITHMS = ("RS256",)
    assert only(found()) == "failure keys: Logto signs with a key of the type EC P-384 ES384, expected ['RS256']."


# The application


def test_unknown_app_id_is_found(found: Found, settings: Any) -> None:
    settings.LOGTO_APP_ID = "ofanothertenant000001"
    lines = found()
    assert lines[0] == "failure application: The tenant has no application with the App ID ofanothertenant000001."
    assert lines[1] == f"skipped redirect-uri: {SITE}/callback was not tried, because the application does not exist."
    assert lines[2] == f"skipped post-sign-out-uri: {SITE}/ was not tried, because the application does not exist."
    assert lines[-1].startswith("failure declaration: LOGTO_APP_ID is 'ofanothertenant000001'")


def test_wrong_secret_is_found(found: Found, settings: Any) -> None:
    settings.LOGTO_APP_SECRET = "w" * 32
    assert only(found()).endswith("exists, but LOGTO_APP_SECRET is wrong.")


def test_expired_and_expiring_secrets_are_found(found: Found, application: Application) -> None:
    now = int(time.time() * 1000)
    application.secrets[0].expires_at = now - 1
    assert only(found()) == "failure application: LOGTO_APP_SECRET has expired."
    application.secrets[0].expires_at = now + 10 * DAY_MS
    assert only(found()) == (
        'warning secret: LOGTO_APP_SECRET expires in 10 days. Its name in Logto is "Default secret".'
    )
    application.secrets[0].expires_at = now + 100 * DAY_MS
    assert found() == []


@pytest.mark.parametrize(
    ("type", "shown"),
    [
        ("SPA", "Single page app or Native app"),
        ("Native", "Single page app or Native app"),
        ("MachineToMachine", "Machine-to-machine"),
    ],
)
@pytest.mark.parametrize("has_api", [True, False])
def test_application_of_wrong_type_is_found(
    found: Found, settings: Any, application: Application, type: str, shown: str, has_api: bool
) -> None:
    if not has_api:
        settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    application.type = type
    lines = found()
    assert lines[0].startswith("failure application: The application ")
    assert f"has the type {shown}, expected Traditional Web." in lines[0]
    assert any("failure declaration: LOGTO_APP_ID names the application" in line for line in lines) == has_api


def test_every_uri_is_tried(found: Found, application: Application) -> None:
    application.redirect_uris = [f"{SITE}/callback", "http://testserver:8001/callback"]
    application.post_logout_redirect_uris = ["http://testserver:8001/"]
    lines = found("--base-url", SITE, "--base-url", "http://testserver:8001", "--base-url", "http://testserver:8002")
    assert lines == [
        "failure redirect-uri: http://testserver:8002/callback is not registered. Every sign-in with it ends on an "
        "error page of Logto.",
        f"failure post-sign-out-uri: {SITE}/ is not registered. A user who signs out sees an error page of Logto.",
        "failure post-sign-out-uri: http://testserver:8002/ is not registered. A user who signs out sees an error page "
        "of Logto.",
    ]


def test_equivalent_base_url_is_accepted(found: Found) -> None:
    assert found("--base-url", "HTTP://TestServer:80") == []


def test_wildcard_is_tried_with_an_example(found: Found, settings: Any, application: Application) -> None:
    settings.ALLOWED_HOSTS = [".shop.example"]
    arguments = ["--base-url", "http://*.shop.example"]
    application.redirect_uris = ["http://shop.example/callback"]
    application.post_logout_redirect_uris = ["http://shop.example/"]
    failures = [line for line in found(*arguments) if line.startswith("failure")]
    assert [line.split()[2] for line in failures] == [
        "http://example.shop.example/callback",
        "http://example.shop.example/",
    ]
    application.redirect_uris = ["http://*.shop.example/callback"]
    application.post_logout_redirect_uris = ["http://*.shop.example/"]
    assert [line for line in found(*arguments) if line.startswith("failure")] == []


def test_unknown_api_resource_is_found(found: Found, settings: Any) -> None:
    settings.LOGTO_RESOURCES = ("https://nowhere.example/api",)
    settings.LOGTO_API_RESOURCE = "https://nothing.example/api"
    settings.LOGTO_SCOPES, settings.LOGTO_API_SCOPES = ("openid",), ()
    assert found() == [
        "failure resources: LOGTO_RESOURCES names https://nowhere.example/api, which is not an API resource of the "
        "tenant. Logto rejects every sign-in.",
        "failure resources: LOGTO_API_RESOURCE names https://nothing.example/api, which is not an API resource of the "
        "tenant. Logto issues no tokens for it.",
    ]


def test_unregistered_redirect_uri_skips_api_resources(found: Found, application: Application) -> None:
    application.redirect_uris = []
    assert found()[1].startswith("skipped resources: Not tried, because no redirect URI is registered")


def test_third_party_application_cannot_request_all_scopes(found: Found, settings: Any, application: Any) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    application.is_third_party = True
    assert "Logto answered 303 invalid_scope" in found()[0]


# The Management API


def test_rejected_machine_credentials_are_found(found: Found, settings: Any, fresh: Emulator) -> None:
    settings.LOGTO_M2M_APP_SECRET = "w" * 32
    assert "Check LOGTO_M2M_APP_ID and LOGTO_M2M_APP_SECRET" in only(found())
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
    application.backchannel_logout_uri = "http://testserver:8001/back-channel-logout"
    assert "is http://testserver:8001/back-channel-logout, expected http://testserver/back-channel" in only(found())
    application.backchannel_logout_uri = f"{SITE}/back-channel-logout"
    application.backchannel_logout_session_required = False
    assert only(found()).startswith('warning back-channel-logout: "Is session required" is off')
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
