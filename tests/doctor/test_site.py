"""Findings about the settings and this machine."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.backends.file import SessionStore as FileStore
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from logto_auth.emulator import Application, Emulator
from logto_auth.models import Organization
from tests.management_commands import set_all

from .findings import Found, only

pytestmark = pytest.mark.django_db


LOCAL_PROBLEMS: dict[str, tuple[dict[str, Any], str]] = {
    "a check that fails": (
        {"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]},
        "failure settings: AUTHENTICATION_BACKENDS contains no LogtoBackend. (logto_auth.E025)",
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


def test_rows_of_another_issuer_are_found(found: Found, settings: Any) -> None:
    Organization.objects.create(issuer="https://former.example/oidc", logto_id="harbourbr001")
    text = "Users or organizations belong to https://former.example/oidc. They are unknown at "
    assert only(found()).startswith(f"warning issuers: {text}")
    settings.LOGTO_FORMER_ENDPOINTS = ["https://former.example"]
    assert only(found()).startswith(f"failure issuers: {text}")


@pytest.mark.parametrize("endpoint", ["", "http://localhost:3001/oidc"])
def test_wrong_endpoint_is_no_reason_to_move_users(found: Found, settings: Any, endpoint: str) -> None:
    Organization.objects.create(issuer="http://localhost:3001/oidc", logto_id="harbourbr001")
    settings.LOGTO_ENDPOINT = endpoint
    lines = [line for line in found() if " issuers: " in line]
    assert lines == ["skipped issuers: The users were not examined. Correct LOGTO_ENDPOINT first."]


def test_time_out_of_wrong_type_is_reported(found: Found, settings: Any) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = ("3", 10)
    assert [line.rpartition(" ")[2] for line in found()] == ["(logto_auth.E001)", "first."]


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
    settings.SILENCED_SYSTEM_CHECKS = ["logto_auth.W004"]
    assert found() == []


def test_deploy_runs_deployment_checks(found: Found) -> None:
    assert [line.partition(" (")[2] for line in found("--deploy")] == [
        f"logto_auth.W00{number})" for number in (5, 6, 7)
    ]


def test_settings_of_wrong_type_skip_the_rest(found: Found, settings: Any) -> None:
    settings.LOGTO_HTTP_TIMEOUT_SECONDS = "3"
    assert found() == [
        "failure settings: LOGTO_HTTP_TIMEOUT_SECONDS is of type str. (logto_auth.E001)",
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
