"""`manage.py logto_doctor`: a site that is well, and every finding made to appear."""

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
from logto_auth.doctor.logto import clock_of
from logto_auth.emulator import Application, Emulator, HttpFault
from logto_auth.oidc.http import Response
from tests.emulator.receiver import Receiver

from .conftest import SITE, Run, settings_in, use

pytestmark = pytest.mark.django_db

API = "https://bookstore.example/api"
DAY_MS = 24 * 3600 * 1000

Found = Callable[..., list[str]]


@pytest.fixture
def application(run: Run, fresh: Emulator, settings: Any, tmp_path: Path) -> Application:
    """The application of a site that `logto_setup` has set up, with all that the bookstore declares and a webhook."""
    settings.ALLOWED_HOSTS = ["testserver", "shop.example"]
    settings.LOGTO_RESOURCES = (API, "urn:logto:resource:organizations")
    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_API_SCOPES = ("read:books", "write:books")
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile", "read:books", "manage:stock")
    path = tmp_path / ".env"
    assert run("logto_setup", "--yes", "--env-file", str(path)).code == 0
    use(settings, settings_in(path))
    reset_clients()
    return fresh.tenant.applications[settings.LOGTO_APP_ID]


@pytest.fixture
def found(run: Run, application: Application) -> Found:
    """What the doctor finds, but for what is well: `level check: message` of each."""

    def found(*arguments: str) -> list[str]:
        findings = json.loads(run("logto_doctor", "--json", *arguments).out)["findings"]
        return [f"{each['level']} {each['check']}: {each['message']}" for each in findings if each["level"] != "ok"]

    return found


def only(lines: list[str]) -> str:
    """The one line that there is."""
    (line,) = lines
    return line


def test_a_site_that_is_well_has_nothing_to_hear(run: Run, application: Application) -> None:
    ran = run("logto_doctor")
    assert ran.code == 0
    assert ran.out.splitlines()[-1] == "23 ok, 0 skipped, 0 warning, 0 failure"
    assert f"ok       redirect-uri         {SITE}/callback is registered.\n" in ran.out


def test_it_leaves_nothing_behind_at_logto_but_a_session_of_nobody(
    run: Run, fresh: Emulator, application: Application
) -> None:
    fresh.requests.clear()
    assert run("logto_doctor").code == 0
    assert {each.method for each in fresh.requests if each.endpoint == "management_api"} == {"GET"}
    assert (fresh.instances.interactions, fresh.instances.grants) == ({}, {})
    assert {session.account_id for session in fresh.instances.sessions.values()} == {None}


def test_it_leaves_no_session_behind_here(run: Run, application: Application) -> None:
    run("logto_doctor")
    assert not Session.objects.exists()


def test_without_the_management_api_it_tries_what_everybody_can(
    run: Run, found: Found, settings: Any, application: Application
) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    assert only(found()).startswith("skipped management-api: Not looked at without LOGTO_M2M_APP_ID")
    assert run("logto_doctor", "--fail-on", "warning").code == 0
    application.redirect_uris = []
    assert run("logto_doctor").code == 1


# Exit codes and shapes


def test_it_fails_on_what_it_is_told_to(run: Run, application: Application) -> None:
    application.backchannel_logout_uri = None
    assert run("logto_doctor").code == 0
    assert run("logto_doctor", "--fail-on", "warning").code == 1
    application.redirect_uris = []
    assert run("logto_doctor").code == 1


def test_json_has_every_finding_and_their_numbers(run: Run, application: Application) -> None:
    application.redirect_uris = []
    ran = run("logto_doctor", "--json")
    data = json.loads(ran.out)
    assert data["counts"] == {"ok": 20, "skipped": 1, "warning": 0, "failure": 1}
    assert len(data["findings"]) == 22
    assert next(each for each in data["findings"] if each["level"] == "failure") == {
        "check": "redirect-uri",
        "level": "failure",
        "message": f"{SITE}/callback is not registered: every sign-in from there ends on an error of Logto.",
        "remedy": "Add it to the redirect URIs, letter by letter. manage.py logto_setup does it, or the Logto Console, "
        "on the application's page.",
    }


def test_a_base_url_that_is_none_is_refused(run: Run) -> None:
    ran = run("logto_doctor", "--base-url", "shop.example")
    assert (ran.code, ran.error.partition(",")[0]) == (2, "The base URL 'shop.example' is not an origin without a path")


# The settings and this machine


HERE: dict[str, tuple[dict[str, Any], str]] = {
    "a check that fails": (
        {"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]},
        "failure settings: AUTHENTICATION_BACKENDS holds no LogtoBackend. (logto_auth.E020)",
    ),
    "a check that warns": ({"LOGIN_URL": "/login/"}, "warning settings: LOGIN_URL is '/login/'"),
    "a host that is refused": (
        {"ALLOWED_HOSTS": ["shop.example"]},
        "failure hosts: testserver is not among ALLOWED_HOSTS",
    ),
    "a cookie of another domain": (
        {"SESSION_COOKIE_DOMAIN": ".shop.example"},
        "failure cookies: SESSION_COOKIE_DOMAIN is 'shop.example': browsers refuse such a cookie from testserver.",
    ),
    "a cookie for https alone": (
        {"SESSION_COOKIE_SECURE": True},
        "failure cookies: SESSION_COOKIE_SECURE is on, and the site is at http://testserver",
    ),
    "sessions that are forgotten": (
        {
            "SESSION_ENGINE": "django.contrib.sessions.backends.cache",
            "CACHES": {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}},
        },
        "failure sessions: django.contrib.sessions.backends.cache",
    ),
    "sessions of each process": (
        {"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db"},
        "warning sessions: django.contrib.sessions.backends.cached_db keeps sessions in a cache that each process has",
    ),
    "sessions that cannot be kept": (
        {"SESSION_ENGINE": "django.contrib.sessions.backends.file", "SESSION_FILE_PATH": "/nowhere"},
        "failure sessions: django.contrib.sessions.backends.file cannot keep a session: The session storage path",
    ),
    "a wait that is too long": (
        {"LOGTO_HTTP_TIMEOUT_SECONDS": (3, 60)},
        "warning time-outs: LOGTO_HTTP_TIMEOUT_SECONDS has 60 s",
    ),
    "a wait that is too short": (
        {"LOGTO_HTTP_TIMEOUT_SECONDS": (0.5, 10)},
        "warning time-outs: LOGTO_HTTP_TIMEOUT_SECONDS has 0.5 s",
    ),
}


@pytest.mark.parametrize("case", HERE)
def test_what_is_wrong_here_is_found_and_is_gone_when_mended(
    found: Found, settings: Any, monkeypatch: Any, case: str
) -> None:
    changes, words = HERE[case]
    # Django remembers where sessions are kept in files, for as long as the process lives.
    monkeypatch.delattr(FileStore, "_storage_path", raising=False)
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (3.05, 10)
    well = {name: getattr(settings, name) for name in changes}
    use(settings, changes)
    assert only(found()).startswith(words)
    use(settings, well)
    assert found() == []


def test_a_migration_that_has_not_been_applied_is_found(found: Found) -> None:
    ((label, latest),) = MigrationLoader(connection).graph.leaf_nodes("logto_auth")
    MigrationRecorder(connection).record_unapplied(label, latest)
    assert only(found()) == "failure database: Migrations have not been applied: logto_auth."


def test_waits_that_are_no_numbers_are_a_matter_of_the_checks(found: Found, settings: Any) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = ("3", 10)
    assert [line.rpartition(" ")[2] for line in found()] == ["(logto_auth.E013)", "settings."]


def test_without_an_application_no_sign_in_is_tried(found: Found, settings: Any) -> None:
    settings.LOGTO_APP_ID = settings.LOGTO_APP_SECRET = ""
    lines = found()
    assert lines[:2] == [
        "failure settings: LOGTO_APP_ID is not set. (logto_auth.E003)",
        "failure settings: LOGTO_APP_SECRET is not set. (logto_auth.E004)",
    ]
    assert lines[2:] == ["skipped sign-in: No sign-in was tried without LOGTO_APP_ID and LOGTO_APP_SECRET."]


def test_a_check_that_is_silenced_is_not_told_of(found: Found, settings: Any) -> None:
    settings.LOGIN_URL = "/login/"
    settings.SILENCED_SYSTEM_CHECKS = ["logto_auth.W002"]
    assert found() == []


def test_with_deploy_it_makes_the_checks_for_servers_too(found: Found) -> None:
    assert [line.partition(" (")[2] for line in found("--deploy")] == [
        f"logto_auth.W0{number})" for number in (10, 11, 12)
    ]


def test_wrong_types_are_told_of_alone(found: Found, settings: Any) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = "3"
    assert found() == [
        "failure settings: LOGTO_HTTP_TIMEOUT_SECONDS is a str. (logto_auth.E001)",
        "skipped site: Nothing else was looked at: first mend the types of the settings.",
    ]


def test_without_an_endpoint_nobody_is_asked(found: Found, settings: Any, fresh: Emulator) -> None:
    settings.LOGTO_ENDPOINT = ""
    fresh.requests.clear()
    assert found()[-1] == "skipped logto: Logto was not asked: first mend the settings."
    assert len(fresh.requests) == 0


def test_without_a_base_url_addresses_are_not_looked_at(found: Found, settings: Any) -> None:
    settings.LOGTO_BASE_URL = ""
    assert found()[0] == "skipped base-url: Addresses were not looked at: set LOGTO_BASE_URL, or say --base-url."
    assert found()[1].startswith("skipped resources: Not tried, for want of a registered redirect URI")


def test_a_site_at_https_needs_a_secure_cookie_and_the_proxys_word(
    found: Found, settings: Any, application: Application
) -> None:
    application.redirect_uris = ["https://shop.example/callback"]
    application.post_logout_redirect_uris = ["https://shop.example/"]
    settings.LOGTO_BASE_URL = "https://shop.example"

    def about_https() -> list[str]:
        return [line for line in found() if line.split()[1] in ("cookies:", "proxy:")]

    cookie, proxy = about_https()
    assert cookie.startswith("warning cookies: SESSION_COOKIE_SECURE is off, and the site is at https://shop.example")
    assert proxy.startswith("warning proxy: SECURE_PROXY_SSL_HEADER is not set")
    assert "Redirect URIs" not in proxy
    settings.SESSION_COOKIE_SECURE = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert about_https() == []


def test_without_a_setting_for_it_redirect_uris_follow_what_the_proxy_says(found: Found, settings: Any) -> None:
    settings.LOGTO_BASE_URL = ""
    lines = found("--base-url", "https://shop.example")
    assert any("Redirect URIs would begin with http:" in line for line in lines)


def test_a_secure_cookie_on_this_machine_is_a_matter_of_the_browser(found: Found, settings: Any) -> None:
    settings.SESSION_COOKIE_SECURE = True
    lines = found("--base-url", "http://localhost:8000")
    assert any(line.startswith("warning cookies: ") and "Some browsers" in line for line in lines)


# Logto


def test_a_logto_that_is_not_there(found: Found, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://localhost:9"
    unreachable, sign_in = found()
    assert unreachable.startswith(
        "failure reachability: http://localhost:9/oidc/.well-known/openid-configuration is out"
    )
    assert sign_in == "skipped sign-in: No sign-in was tried, for Logto could not be asked."


FAULTS: dict[str, tuple[str, HttpFault, str]] = {
    "no discovery document": ("discovery", HttpFault(status=404), "failure reachability: "),
    "a redirect": ("discovery", HttpFault(status=302, headers={"Location": "/"}), "failure reachability: "),
    "a page": ("discovery", HttpFault(body="<p>Hello</p>"), "failure discovery: "),
    "no keys": ("jwks", HttpFault(status=500), "failure keys: "),
    "keys that are none": (
        "jwks",
        HttpFault(body='{"keys": []}'),
        "failure keys: Logto signs with a key of the type no",
    ),
    "a broken token endpoint": (
        "token",
        HttpFault(status=500, body='{"error": "server_error"}'),
        "failure application: The token endpoint answered 500 server_error",
    ),
    "a broken authorization endpoint": (
        "auth",
        HttpFault(status=503),
        f"failure redirect-uri: Logto answered 503 no error to a sign-in that comes back to {SITE}/callback.",
    ),
    "a broken sign-out": (
        "session_end",
        HttpFault(status=500),
        f"failure post-sign-out-uri: Logto answered 500 no error to a sign-out to {SITE}/.",
    ),
    "a Management API that refuses": (
        "management_api",
        HttpFault(status=403, body='{"code": "auth.forbidden", "message": "No."}'),
        "failure management-api: ",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_wrong_at_logto_is_found_and_is_gone_when_mended(found: Found, fresh: Emulator, case: str) -> None:
    endpoint, fault, words = FAULTS[case]
    fresh.faults.http[endpoint] = fault
    assert any(line.startswith(words) for line in found())
    fresh.faults.clear()
    assert found() == []


def test_a_slow_logto(found: Found, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (3, 3)
    fresh.faults.http["discovery"] = HttpFault(delay_seconds=1.6, times=1)
    words = re.search(r"answered after (\d\.\d) s of the 3 s that it is given", only(found()))
    assert words
    assert 1.6 <= float(words[1]) <= 3


def test_an_answer_without_a_time() -> None:
    assert clock_of(Response(200, {}, b"", "")).message == "Logto's answer has no Date to compare with."


@pytest.mark.parametrize(("seconds", "level"), [(-120, "failure"), (120, "failure"), (45, "warning"), (-45, "warning")])
def test_clocks_that_are_apart(found: Found, fresh: Emulator, seconds: int, level: str) -> None:
    fresh.clock.advance(seconds)
    words = re.fullmatch(rf"{level} clock: The clocks of Logto and this machine are (\d+) s apart, .*", only(found()))
    assert words
    assert abs(int(words[1]) - abs(seconds)) <= 2
    fresh.clock.reset()
    assert found() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"issuer": "https://abc123.logto.app/oidc"}, "failure discovery: The discovery document names the issuer"),
        (
            {"jwks_uri": "ftp://localhost/jwks"},
            "failure discovery: The discovery document names 'ftp://localhost/jwks'",
        ),
        ({"userinfo_endpoint": "http://logto:3001/oidc/me"}, "warning discovery: Logto calls itself"),
    ],
)
def test_what_the_discovery_document_says_wrongly(
    found: Found, fresh: Emulator, changes: dict[str, str], words: str
) -> None:
    fresh.faults.discovery = lambda document: {**document, **changes}
    assert found()[0].startswith(words)


def test_an_algorithm_that_the_site_does_not_take(run: Run, found: Found, settings: Any) -> None:
    settings.LOGTO_SIGNING_ALGORITHMS = ("RS256",)
    assert only(found()) == "failure keys: Logto signs with a key of the type EC P-384 ES384, for none of ['RS256']."


# The application


def test_an_app_id_that_is_not_there(found: Found, settings: Any) -> None:
    settings.LOGTO_APP_ID = "ofanothertenant000001"
    lines = found()
    assert lines[0] == "failure application: Logto has no application with the App ID ofanothertenant000001."
    assert lines[1] == f"skipped redirect-uri: {SITE}/callback cannot be tried without the application."
    assert lines[2] == f"skipped post-sign-out-uri: {SITE}/ cannot be tried without the application."
    assert lines[-1].startswith("failure declaration: LOGTO_APP_ID is 'ofanothertenant000001'")


def test_a_wrong_secret(found: Found, settings: Any) -> None:
    settings.LOGTO_APP_SECRET = "w" * 32
    assert only(found()).endswith("and refuses LOGTO_APP_SECRET.")


def test_a_secret_that_has_expired_or_soon_will(found: Found, application: Application) -> None:
    now = int(time.time() * 1000)
    application.secrets[0].expires_at = now - 1
    assert only(found()) == "failure application: LOGTO_APP_SECRET has expired."
    application.secrets[0].expires_at = now + 10 * DAY_MS
    assert only(found()) == ('warning secret: LOGTO_APP_SECRET, called "Default secret" at Logto, ends in 10 days.')
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
def test_an_application_of_another_type(
    found: Found, settings: Any, application: Application, type: str, shown: str, has_api: bool
) -> None:
    if not has_api:
        settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    application.type = type
    lines = found()
    assert lines[0].startswith("failure application: The application ")
    assert f"is of the type {shown}, expected Traditional Web." in lines[0]
    assert any("failure declaration: LOGTO_APP_ID names" in line for line in lines) == has_api


def test_each_address_is_tried(found: Found, application: Application) -> None:
    application.redirect_uris = [f"{SITE}/callback", "http://testserver:8001/callback"]
    application.post_logout_redirect_uris = ["http://testserver:8001/"]
    lines = found("--base-url", SITE, "--base-url", "http://testserver:8001", "--base-url", "http://testserver:8002")
    assert lines == [
        "failure redirect-uri: http://testserver:8002/callback is not registered: every sign-in from there ends on an "
        "error of Logto.",
        f"failure post-sign-out-uri: {SITE}/ is not registered: whoever signs out ends on an error page of Logto.",
        "failure post-sign-out-uri: http://testserver:8002/ is not registered: whoever signs out ends on an error page "
        "of Logto.",
    ]


def test_an_address_in_another_spelling_is_the_same_address(found: Found) -> None:
    assert found("--base-url", "HTTP://TestServer:80") == []


def test_of_a_pattern_an_address_is_tried(found: Found, settings: Any, application: Application) -> None:
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


def test_an_api_resource_that_is_not_there(found: Found, settings: Any) -> None:
    settings.LOGTO_RESOURCES = ("https://nowhere.example/api",)
    settings.LOGTO_API_RESOURCE = "https://nothing.example/api"
    settings.LOGTO_SCOPES, settings.LOGTO_API_SCOPES = ("openid",), ()
    assert found() == [
        "failure resources: LOGTO_RESOURCES names https://nowhere.example/api, which is no API resource of the tenant: "
        "every sign-in is refused.",
        "failure resources: LOGTO_API_RESOURCE names https://nothing.example/api, which is no API resource of the "
        "tenant: nobody can get a token for it.",
    ]


def test_api_resources_cannot_be_tried_without_an_address(found: Found, application: Application) -> None:
    application.redirect_uris = []
    assert found()[1].startswith("skipped resources: Not tried, for want of a registered redirect URI")


def test_an_application_for_others_may_not_ask_for_everything(found: Found, settings: Any, application: Any) -> None:
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    application.is_third_party = True
    assert "Logto answered 303 invalid_scope" in found()[0]


# What only the Management API tells


def test_a_machine_that_is_refused(found: Found, settings: Any, fresh: Emulator) -> None:
    settings.LOGTO_M2M_APP_SECRET = "w" * 32
    assert "Check LOGTO_M2M_APP_ID and LOGTO_M2M_APP_SECRET" in only(found())
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = settings.LOGTO_APP_ID, settings.LOGTO_APP_SECRET
    line = only(found())
    assert line.startswith("failure management-api: ")
    assert "requested grant type is not allowed for this client. Check LOGTO_M2M_APP_ID" in line
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = "nobody", "w" * 32
    assert "invalid client nobody" in only(found())


def test_a_machine_for_other_apis_alone_is_only_worth_a_warning(found: Found, settings: Any, fresh: Emulator) -> None:
    machine = fresh.tenant.applications[settings.LOGTO_M2M_APP_ID]
    machine.roles = []
    reset_clients()
    assert only(found()).startswith(
        f"warning management-api: The application {machine.id} may not use the Management API"
    )


def test_a_management_api_of_another_name(found: Found, settings: Any) -> None:
    settings.LOGTO_MANAGEMENT_API_RESOURCE = "https://abc123.logto.app/api"
    assert "failure management-api: Logto gives no token for the Management API https://abc123.logto.app/api" in only(
        found()
    )


def test_what_is_declared_and_not_there(found: Found, fresh: Emulator, run: Run) -> None:
    tenant = fresh.tenant
    tenant.delete_role(tenant.find_role("editor"))
    tenant.find_role("admin").scopes = {}
    assert found() == [
        "warning declaration: There is no role editor, which is declared.",
        "warning declaration: The role admin differs from what is declared: permissions.",
    ]
    run("logto_setup", "--yes")
    assert found() == []


def test_back_channel_logout(found: Found, application: Application) -> None:
    application.backchannel_logout_uri = None
    assert only(found()).startswith("warning back-channel-logout: The back-channel logout URI is not set, expected")
    application.backchannel_logout_uri = "http://testserver:8001/back-channel-logout"
    assert "is http://testserver:8001/back-channel-logout, expected http://testserver/back-channel" in only(found())
    application.backchannel_logout_uri = f"{SITE}/back-channel-logout"
    application.backchannel_logout_session_required = False
    assert only(found()).startswith('warning back-channel-logout: "Is session required" is off')
    application.backchannel_logout_session_required = True
    assert found() == []


def test_a_declaration_with_a_fault(found: Found, settings: Any) -> None:
    settings.LOGTO_TENANT = "bookstore.nowhere.TENANT"
    assert [line.partition(":")[0] for line in found()] == ["failure settings", "failure declaration"]


def test_scopes_that_nothing_has(found: Found, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "roles", "read:boks", "manage:stock")
    settings.LOGTO_API_SCOPES = ("read:books", "burn:books")
    assert found() == [
        "warning scopes: LOGTO_SCOPES names read:boks, which none of LOGTO_RESOURCES has: Logto leaves it out without "
        "a word.",
        f"warning scopes: LOGTO_API_SCOPES names burn:books, which {API} does not have: nobody can get it.",
    ]


def test_a_logto_elsewhere_cannot_call_this_machine(found: Found, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://192.0.2.1:9"
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = (0.2, 0.2)
    assert found("--base-url", "http://localhost:8000")[-1].startswith("skipped sign-in")


# The webhook


def test_a_webhook_that_is_missing_off_or_deaf(found: Found, fresh: Emulator) -> None:
    (hook,) = fresh.tenant.hooks.values()
    hook.enabled = False
    assert (
        only(found())
        == f"warning declaration: The webhook {SITE}/webhooks/logto differs from what is declared: enabled."
    )
    hook.enabled, hook.events = True, hook.events[1:]
    assert only(found()).endswith("differs from what is declared: events.")
    fresh.tenant.hooks.clear()
    assert only(found()) == f"warning declaration: There is no webhook {SITE}/webhooks/logto, which is declared."


def test_the_signing_key_of_the_webhook(found: Found, fresh: Emulator, settings: Any) -> None:
    (hook,) = fresh.tenant.hooks.values()
    settings.LOGTO_WEBHOOK_SIGNING_KEY = ""
    assert only(found()).startswith("failure webhook: LOGTO_WEBHOOK_SIGNING_KEY is not set")
    settings.LOGTO_WEBHOOK_SIGNING_KEY = "w" * 32
    assert only(found()).startswith("failure webhook: LOGTO_WEBHOOK_SIGNING_KEY is not the webhook's: fingerprint ")
    settings.LOGTO_WEBHOOK_SIGNING_KEY = ["w" * 32, hook.signing_key]
    assert found() == []


def test_the_same_webhook_twice(found: Found, fresh: Emulator) -> None:
    (hook,) = fresh.tenant.hooks.values()
    fresh.tenant.add_hook(hook.url, hook.events)
    assert only(found()) == f"warning webhook: 2 webhooks call {hook.url}: each event comes as often."


def test_whether_the_webhook_is_alive(run: Run, found: Found, fresh: Emulator, settings: Any, tmp_path: Path) -> None:
    with Receiver() as receiver:
        site = ["--base-url", receiver.url.removesuffix("/hook")]
        settings.ALLOWED_HOSTS = ["127.0.0.1"]
        run("logto_setup", "--yes", "--env-file", str(tmp_path / ".env"), *site)
        use(settings, settings_in(tmp_path / ".env"))
        assert found(*site) == []
        assert "ok       webhook              Logto has not called yet.\n" in run("logto_doctor", *site).out
        reader = fresh.tenant.add_user(username="reader")

        def deliver() -> None:
            management_api().users.update(reader.id, {"name": "Reader"})
            fresh.webhooks.wait()

        deliver()
        assert found(*site) == []
        assert "1 of 1 calls succeeded, the latest among them." in run("logto_doctor", *site).out
        receiver.status = 403
        deliver()
        assert only(found(*site)) == (
            "failure webhook: The latest call failed, and 1 of 2 succeeded: this site answered 403."
        )
        receiver.status = 204
        deliver()
        assert found(*site) == []
    deliver()
    assert only(found(*site)).endswith("2 of 4 succeeded: this site did not answer.")
