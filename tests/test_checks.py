"""Mistakes in settings: the exact ids, and hints that name the remedy."""

from __future__ import annotations

import importlib.util
from typing import Any

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from logto_auth import checks
from logto_auth.middleware import LogtoMiddleware

# Since its version 6.0 Django asks the database whether it can store JSON.
pytestmark = pytest.mark.django_db
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "logto_auth.middleware.LogtoMiddleware",
]


# A site that takes access tokens and does nothing else that concerns this package.
API_ALONE = {
    "LOGTO_API_RESOURCE": "https://bookstore.example/api",
    "LOGTO_APP_ID": "",
    "LOGTO_APP_SECRET": "",
    "AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"],
    "MIDDLEWARE": [],
    "LOGIN_URL": "/accounts/login/",
    "ROOT_URLCONF": "logto_auth.api_urls",
}
SUBDOMAINS = {"LOGTO_ORGANIZATION_FROM": "logto_auth.organizations.from_subdomain"}


class OurMiddleware(LogtoMiddleware):
    """A site's own."""


def stable_id(value: object) -> str:
    """Return a test id that is the same in each process: the order of a set depends on the hash seed."""
    return str(sorted(value)) if isinstance(value, set) else str(value)


def found(*, deploy: bool = False) -> dict[str, str]:
    """Ids of our messages, with their hints."""
    messages = run_checks(include_deployment_checks=deploy)
    return {message.id: message.hint for message in messages if message.id and message.id.startswith("logto_auth.")}


def test_a_good_site_has_nothing_to_hear() -> None:
    assert found() == {}


@pytest.mark.parametrize(
    ("settings", "ids"),
    [
        ({"LOGTO_ENDPOINT": ""}, {"E002"}),
        ({"LOGTO_APP_ID": ""}, {"E003"}),
        ({"LOGTO_APP_SECRET": ""}, {"E004"}),
        ({"LOGTO_APP_ID": "<your-application-id>"}, {"E005"}),
        ({"LOGTO_APP_SECRET": "your-app-secret"}, {"E005"}),
        ({"LOGTO_ENDPOINT": "https://<tenant>.logto.app"}, {"E005"}),
        ({"LOGTO_ENDPOINT": "https://your-tenant.logto.app"}, {"E005"}),
        ({"LOGTO_ENDPOINT": "https://auth.example.com/oidc"}, {"E006"}),
        ({"LOGTO_ENDPOINT": "auth.example.com"}, {"E006"}),
        ({"LOGTO_ENDPOINT": "https://user@auth.example.com"}, {"E006"}),
        ({"LOGTO_ENDPOINT": "https://auth.example.com:port"}, {"E006"}),
        ({"LOGTO_ENDPOINT": "file:///etc/passwd"}, {"E006"}),
        ({"LOGTO_ENDPOINT": "http://auth.example.com"}, {"E007"}),
        ({"LOGTO_ENDPOINT": "http://169.254.169.254"}, {"E007"}),
        ({"LOGTO_ENDPOINT": "https://auth.example.com/"}, set()),
        ({"LOGTO_ENDPOINT": "http://192.168.1.5:3001"}, set()),
        ({"LOGTO_ENDPOINT": "http://logto:3001"}, set()),
        ({"LOGTO_BASE_URL": "https://shop.example/app"}, {"E008"}),
        ({"LOGTO_BASE_URL": "https://shop.example"}, set()),
        ({"LOGTO_SCOPES": ("profile",)}, {"E009"}),
        ({"LOGTO_SIGNING_ALGORITHMS": ("HS256",)}, {"E010"}),
        ({"LOGTO_SIGNING_ALGORITHMS": ()}, {"E010"}),
        ({"LOGTO_SIGN_IN_QUERY_PARAMETERS": ("organization_id", "max_age")}, {"E011"}),
        ({"LOGTO_SIGN_IN_QUERY_PARAMETERS": ()}, {"W004"}),
        ({"LOGTO_FRESHNESS_SECONDS": -1}, {"E015"}),
        ({"LOGTO_OUTAGE_GRACE_SECONDS": -1}, {"E015"}),
        ({"LOGTO_WEBHOOK_MAX_AGE_SECONDS": 0}, {"E015"}),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": "WZjZXvEsntxQUEKE4kYC8Ed9A8laShny"}, set()),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": ["WZjZXvEsntxQUEKE4kYC8Ed9A8laShny", ""]}, set()),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": b"WZjZXvEsntxQUEKE4kYC8Ed9A8laShny"}, {"E001"}),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": "secret"}, {"E055"}),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": "<your-signing-key>"}, {"E055"}),
        ({"LOGTO_WEBHOOK_SIGNING_KEY": ["WZjZXvEsntxQUEKE4kYC8Ed9A8laShny", None]}, {"E055"}),
        ({"LOGTO_WEBHOOK_RUNNER": "logto_auth.webhooks.handle"}, set()),
        ({"LOGTO_WEBHOOK_RUNNER": "logto_auth.webhooks.views.logger"}, {"E056"}),
        ({"LOGTO_WEBHOOK_RUNNER": "shop.nowhere.run"}, {"E056"}),
        ({"LOGTO_CONSOLE_URL": "javascript:alert(1)"}, {"E057"}),
        ({"LOGTO_CONSOLE_URL": "https://cloud.logto.io/abc123"}, set()),
        ({"LOGTO_RESOURCES": ("not a uri",)}, {"E012"}),
        ({"LOGTO_PROMPT": "select_account"}, {"E012"}),
        ({"LOGTO_SIGN_IN_PARAMETERS": {"client_id": "x"}}, {"E012"}),
        ({"LOGTO_HTTP_TIMEOUT_SECONDS": (1,)}, {"E013"}),
        ({"LOGTO_HTTP_TIMEOUT_SECONDS": (0, 5)}, {"E013"}),
        ({"LOGTO_USER_FIELDS": "no.such.function"}, {"E014"}),
        ({"LOGTO_LINK_BY_EMAIL": "os.path.sep"}, {"E014"}),
        ({"LOGTO_USER_FIELDS": ""}, {"E014"}),
        ({"LOGTO_LINK_BY_EMAIL": ""}, set()),
        ({"LOGTO_ORGANIZATION_FROM": "no.such.function"}, {"E014"}),
        ({"LOGTO_ORGANIZATION_FROM": "logto_auth.organizations.current.URL_KWARG"}, {"E014"}),
        ({"LOGTO_ORGANIZATION_FROM": ""}, {"E014"}),
        ({"LOGTO_CLOCK_SKEW_SECONDS": -5}, {"E015"}),
        ({"LOGTO_MAX_PENDING_SIGN_INS": 0}, {"E015"}),
        ({"LOGTO_API_TOKEN_CACHE_SIZE": -1}, {"E015"}),
        ({"LOGTO_API_TOKEN_CACHE_SIZE": "1000"}, {"E001"}),
        ({"LOGTO_API_TOKEN_CACHE_SIZE": 0}, set()),
        ({"LOGTO_API_RESOURCE": "bookstore-api"}, {"E016"}),
        ({"LOGTO_API_RESOURCE": "/api"}, {"E016"}),
        ({"LOGTO_API_RESOURCE": "https://bookstore.example/api#books"}, {"E016"}),
        ({"LOGTO_API_RESOURCE": "https://bookstore.example/api "}, {"E016"}),
        ({"LOGTO_API_RESOURCE": "https://bookstore.example/api/"}, set()),
        ({"LOGTO_API_RESOURCE": "urn:bookstore:api"}, set()),
        (SUBDOMAINS, {"E017"}),
        ({**SUBDOMAINS, "LOGTO_ORGANIZATION_DOMAIN": ".shop.example"}, {"E017"}),
        ({**SUBDOMAINS, "LOGTO_ORGANIZATION_DOMAIN": "https://shop.example"}, {"E017"}),
        ({**SUBDOMAINS, "LOGTO_ORGANIZATION_DOMAIN": "shop.example:8000"}, {"E017"}),
        ({**SUBDOMAINS, "LOGTO_ORGANIZATION_DOMAIN": "shop.example"}, set()),
        ({"LOGTO_M2M_APP_ID": "stockrobotdemo0000001"}, {"E018"}),
        ({"LOGTO_M2M_APP_SECRET": "emulatoronlysecret00000000000002"}, {"E018"}),
        ({"LOGTO_M2M_APP_ID": "stockrobotdemo0000001", "LOGTO_M2M_APP_SECRET": "your-app-secret"}, {"E005"}),
        ({"LOGTO_ENDPOINT": "https://login.your-company.com"}, set()),
        ({"LOGTO_SCOPES": "openid profile"}, {"E001"}),
        ({"LOGTO_CLOCK_SKEW_SECONDS": True}, {"E001"}),
        ({"LOGTO_APP_ID": None}, {"E001"}),
        ({"LOGTO_ENDPIONT": "https://auth.example.com"}, {"W001"}),
        ({"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]}, {"E020"}),
        ({"MIDDLEWARE": MIDDLEWARE[:2]}, {"E021"}),
        ({"MIDDLEWARE": [*MIDDLEWARE[:2], "tests.test_checks.OurMiddleware"]}, set()),
        (
            {"LOGTO_ADMIN_PASSWORD_SIGN_IN": True, "AUTHENTICATION_BACKENDS": ["logto_auth.backends.LogtoBackend"]},
            {"W003"},
        ),
        ({"MIDDLEWARE": [MIDDLEWARE[0], MIDDLEWARE[2], MIDDLEWARE[1]]}, {"E022"}),
        ({"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}, {"E023"}),
        ({"SESSION_COOKIE_SAMESITE": "Strict"}, {"E024"}),
        ({"ROOT_URLCONF": "django.contrib.staticfiles.urls"}, {"E025"}),
        ({"LOGIN_URL": "/accounts/login/"}, {"W002"}),
    ],
    ids=stable_id,
)
def test_one_fault_one_id(settings: dict[str, Any], ids: set[str]) -> None:
    with override_settings(**settings):
        ours = [*checks.check_settings(), *checks.check_project()]
    assert {message.id for message in ours} == {f"logto_auth.{id}" for id in ids}
    assert all(message.hint for message in ours)


@pytest.mark.parametrize(
    ("settings", "ids"),
    [
        ({}, set()),
        ({"LOGTO_ENDPOINT": ""}, {"E002"}),
        ({"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}, set()),
        ({"SESSION_COOKIE_SAMESITE": "Strict"}, set()),
        ({"MIDDLEWARE": [MIDDLEWARE[2]]}, set()),
        ({"MIDDLEWARE": [MIDDLEWARE[2], MIDDLEWARE[1]]}, {"E022"}),
        ({"LOGTO_API_INTROSPECTED_APPS": ["bookstoreapp000000001"]}, {"E019"}),
        ({"LOGTO_API_INTROSPECTED_APPS": ["bookstoreapp000000001"], "LOGTO_APP_ID": "shop"}, {"E019"}),
        (
            {
                "LOGTO_API_INTROSPECTED_APPS": ["bookstoreapp000000001"],
                "LOGTO_APP_ID": "shop",
                "LOGTO_APP_SECRET": "secret",
            },
            set(),
        ),
    ],
    ids=stable_id,
)
def test_a_site_that_is_an_api_alone_needs_no_sign_in(settings: dict[str, Any], ids: set[str]) -> None:
    with override_settings(**{**API_ALONE, **settings}):
        ours = [*checks.check_settings(), *checks.check_project(), *checks.check_deployment()]
    assert {message.id for message in ours} - {"logto_auth.W010"} == {f"logto_auth.{id}" for id in ids}


@pytest.mark.parametrize(
    ("settings", "ids"),
    [
        ({"LOGTO_API_RESOURCE": ""}, {"E003", "E004", "E020", "E021", "E025"}),
        ({"LOGTO_APP_ID": "bookstoredemo00000001"}, {"E004", "E020", "E021", "E025"}),
        ({"LOGTO_APP_SECRET": "emulatoronlysecret00000000000001"}, {"E003", "E020", "E021", "E025"}),
        ({"LOGIN_URL": "logto_auth:sign-in"}, {"E003", "E004", "E020", "E021", "E025"}),
        ({"ROOT_URLCONF": "bookstore.urls"}, {"E003", "E004", "E020", "E021", "W002"}),
    ],
    ids=stable_id,
)
def test_whoever_has_only_forgotten_something_is_told_so(settings: dict[str, Any], ids: set[str]) -> None:
    with override_settings(**{**API_ALONE, **settings}):
        ours = [*checks.check_settings(), *checks.check_project()]
    assert {message.id for message in ours} == {f"logto_auth.{id}" for id in ids}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"LOGTO_ENDPOINT": "https://auth.example.com/oidc"}, "Set it to 'https://auth.example.com'."),
        ({"LOGTO_ENDPIONT": "x"}, "Did you mean LOGTO_ENDPOINT?"),
    ],
)
def test_hints_say_what_to_write_instead(settings: dict[str, Any], words: str) -> None:
    with override_settings(**settings):
        assert words in [message.hint for message in checks.check_settings()]


@override_settings(
    DEBUG=False,
    LOGTO_ENDPOINT="http://localhost:3001",
    LOGTO_BASE_URL="http://shop.example",
    SESSION_COOKIE_SECURE=False,
    SESSION_COOKIE_HTTPONLY=False,
    SESSION_COOKIE_SAMESITE="None",
)
def test_deployment() -> None:
    assert found() == {}
    assert set(found(deploy=True)) == {f"logto_auth.W0{number}" for number in (10, 11, 12, 13, 14)}


def test_no_secret_is_in_any_message() -> None:
    with override_settings(LOGTO_APP_SECRET="your-hush-hush"):
        assert not any("hush" in str(message) for message in checks.check_settings())


def test_before_django_6_the_check_says_what_the_runner_of_its_tasks_needs() -> None:
    with override_settings(LOGTO_WEBHOOK_RUNNER="logto_auth.contrib.tasks.enqueue"):
        hints = found()
    if importlib.util.find_spec("django.tasks"):
        assert hints == {}
    else:
        assert "needs django.tasks, which came with Django 6.0" in hints["logto_auth.E056"]
