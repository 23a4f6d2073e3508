"""Checks of the project and of its deployment, and which of them an API without sign-in skips."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.checks.registry import registry
from django.test import override_settings
from django.urls import get_script_prefix, set_script_prefix

from logto_auth import checks
from logto_auth.conf import conf
from logto_auth.middleware import LogtoMiddleware

from .found import ids, messages

MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "logto_auth.middleware.LogtoMiddleware",
]
BOTH_BACKENDS = ["logto_auth.backends.LogtoBackend", "django.contrib.auth.backends.ModelBackend"]
# A site that only accepts access tokens.
API_ALONE = {
    "LOGTO_API_RESOURCE": "https://bookstore.example/api",
    "LOGTO_APP_ID": "",
    "LOGTO_APP_SECRET": "",
    "AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"],
    "MIDDLEWARE": [],
    "LOGIN_URL": "/accounts/login/",
    "ROOT_URLCONF": "logto_auth.api_urls",
}
DEVELOPMENT = {
    "LOGTO_ENDPOINT": "http://localhost:3001",
    "LOGTO_BASE_URL": "http://shop.example",
    "SESSION_COOKIE_SECURE": False,
    "SESSION_COOKIE_HTTPONLY": False,
    "SESSION_COOKIE_SAMESITE": "None",
}


class OurMiddleware(LogtoMiddleware):
    """A subclass in a site."""


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"MIDDLEWARE": [*MIDDLEWARE[:2], "tests.checks.test_project.OurMiddleware"]}, ""),
        ({"SECURE_REFERRER_POLICY": ["same-origin", "no-referrer"]}, "E034"),
        ({"SECURE_REFERRER_POLICY": "no-referrer, strict-origin-when-cross-origin"}, ""),
        ({"SECURE_REFERRER_POLICY": None}, ""),
        ({"LOGIN_URL": "logto_auth:sign_in"}, "W004"),
        ({"ROOT_URLCONF": "tests.tenant.urls_by_language", "LANGUAGES": [("en", "English")]}, ""),
        ({"ROOT_URLCONF": "bookstore.urls", "LOGOUT_REDIRECT_URL": "/goodbye/"}, ""),
    ],
    ids=str,
)
def test_only_the_mistake_is_reported(settings: dict[str, Any], expected: str) -> None:
    assert ids(messages(settings)) == expected


ONLY_LOGTO = {
    "AUTHENTICATION_BACKENDS": ["logto_auth.backends.LogtoBackend"],
    "ROOT_URLCONF": "tests.checks.urls_of_stock_admin",
}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (ONLY_LOGTO, "W012 W013"),
        ({**ONLY_LOGTO, "FORCE_SCRIPT_NAME": "/shop"}, "W012 W013"),
        # LogtoAdminConfig is installed, so its site was replaced.
        ({**ONLY_LOGTO, "AUTHENTICATION_BACKENDS": BOTH_BACKENDS}, "W012"),
        ({**ONLY_LOGTO, "ROOT_URLCONF": "bookstore.urls"}, ""),
    ],
    ids=str,
)
def test_stock_admin_without_password_backend_is_reported(settings: dict[str, Any], expected: str) -> None:
    former = get_script_prefix()
    set_script_prefix(settings.get("FORCE_SCRIPT_NAME", former))
    try:
        assert ids(messages(settings)) == expected
    finally:
        set_script_prefix(former)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"LOGTO_SUPERUSER_ROLES": ["admin"]}, "W010"),
        ({"LOGTO_SUPERUSER_ROLES": ["admin"], "LOGTO_STAFF_ROLES": ["clerk"]}, "W010"),
        ({"LOGTO_SUPERUSER_ROLES": ["admin"], "LOGTO_STAFF_ROLES": {"admin"}}, ""),
    ],
    ids=str,
)
def test_superusers_who_are_not_staff_are_reported(settings: dict[str, Any], expected: str) -> None:
    assert ids(messages(settings)) == expected


@pytest.mark.parametrize(
    ("setting", "accepted", "reported"),
    [
        ("LOGTO_FRESHNESS_SECONDS", 3600, 7 * 24 * 3600),
        ("LOGTO_OUTAGE_GRACE_SECONDS", 24 * 3600, 30 * 24 * 3600),
        ("LOGTO_CLOCK_SKEW_SECONDS", 300, 3600),
        ("LOGTO_SIGN_IN_MAX_AGE_SECONDS", 3600, 24 * 3600),
        ("LOGTO_WEBHOOK_MAX_AGE_SECONDS", 3600, 30 * 24 * 3600),
        ("LOGTO_MAX_PENDING_SIGN_INS", 8, 100),
        ("LOGTO_API_TOKEN_CACHE_SIZE", 0, 10**7),
        ("LOGTO_HTTP_TIMEOUT_SECONDS", (3.05, 10), (3.05, 600)),
    ],
)
def test_deployment_reports_very_large_limits(setting: str, accepted: object, reported: object) -> None:
    secure = {"SESSION_COOKIE_SECURE": True, "LOGTO_ENDPOINT": "https://abc123.logto.app"}
    assert ids(messages({**secure, setting: accepted}, deploy=True)) == ""
    assert ids(messages({**secure, setting: reported}, deploy=True)) == "W017"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ""),
        ({"LOGTO_ENDPOINT": ""}, "E002 W022"),
        ({"SESSION_ENGINE": "django.contrib.sessions.backends.signed_cookies"}, ""),
        ({"SESSION_COOKIE_SAMESITE": "Strict"}, ""),
        ({"MIDDLEWARE": [MIDDLEWARE[2]]}, ""),
        ({"MIDDLEWARE": [MIDDLEWARE[2], MIDDLEWARE[1]]}, "E027"),
        ({"LOGTO_API_INTROSPECTED_APPS": ["bookstoreapp000000001"]}, "E019"),
        ({"LOGTO_API_INTROSPECTED_APPS": ["bookstoreapp000000001"], "LOGTO_APP_ID": "shop"}, "E019"),
        (
            {
                "LOGTO_API_INTROSPECTED_APPS": ["bookstoreapp000000001"],
                "LOGTO_APP_ID": "shop",
                "LOGTO_APP_SECRET": "secret",
            },
            "",
        ),
    ],
    ids=str,
)
def test_api_without_sign_in_skips_checks_of_sign_in(settings: dict[str, Any], expected: str) -> None:
    assert (
        ids(messages({**API_ALONE, "LOGTO_ENDPOINT": "https://abc123.logto.app", **settings}, deploy=True)) == expected
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"LOGTO_API_RESOURCE": ""}, "E025 E026 E030 W022"),
        ({"LOGTO_APP_ID": "bookstoredemo00000001"}, "E025 E026 E030 W022"),
        ({"LOGTO_APP_SECRET": "emulatoronlysecret00000000000001"}, "E025 E026 E030 W022"),
        ({"LOGIN_URL": "logto_auth:sign-in"}, "E025 E026 E030 W022"),
        ({"ROOT_URLCONF": "bookstore.urls"}, "E025 E026 E039 W004 W022"),
    ],
    ids=str,
)
def test_incomplete_sign_in_is_reported(settings: dict[str, Any], expected: str) -> None:
    assert ids(messages({**API_ALONE, **settings})) == expected


def test_deployment_reports_settings_for_development() -> None:
    assert ids(messages(DEVELOPMENT)) == ""
    assert ids(messages(DEVELOPMENT, deploy=True)) == "W005 W006 W007 W008 W009"


# Django 6.0 asks the database whether it can store JSON.
@pytest.mark.django_db
@override_settings(DEBUG=False, **DEVELOPMENT)
def test_checks_are_registered_with_django() -> None:
    without, deploying = run_checks(), run_checks(include_deployment_checks=True)
    assert ids([message for message in without if str(message.id).startswith("logto_auth.")]) == ""
    ours = [message for message in deploying if str(message.id).startswith("logto_auth.")]
    assert ids(ours) == "W005 W006 W007 W008 W009"


def test_every_check_is_registered() -> None:
    registered = registry.get_checks(include_deployment_checks=True)
    ours = [check.__name__ for check in registered if check.__module__ == "logto_auth.apps"]
    assert sorted(ours) == sorted(checks.__all__)


@pytest.mark.django_db
def test_checks_survive_any_type_in_every_setting() -> None:
    for value in (object(), None, 1, "text", ["text"], {"text": "text"}, [None], b"text"):
        with override_settings(**{setting.name: value for setting in conf.all()}):
            found = run_checks(include_deployment_checks=True)
        assert "logto_auth.E001" in [message.id for message in found]


@override_settings(ROOT_URLCONF="tests.account.urls_without_pages")
def test_view_that_requires_missing_verification_page_is_named() -> None:
    found = [message for message in run_checks() if message.id == "logto_auth.E038"]
    assert [message.msg.partition(" ")[0] for message in found] == [
        "tests.account.urls_without_pages.payment",
        "tests.account.urls_without_pages.Payment",
    ]


@override_settings(ROOT_URLCONF="tests.account.test_verification")
def test_verification_page_is_found() -> None:
    assert "logto_auth.E038" not in {message.id for message in run_checks()}


@override_settings(ROOT_URLCONF="tests.checks.urls_with_second_factor")
def test_views_that_require_a_second_factor_are_named() -> None:
    found = [message for message in run_checks() if message.id == "logto_auth.E041"]
    names = [message.msg.partition(" ")[0].removeprefix("tests.checks.urls_with_second_factor.") for message in found]
    assert names == [
        "decorated",
        "stacked",
        "of_token",
        "async_of_token",
        "Mixed",
        "DecoratedClass",
        "OfToken",
        "InTheRoute",
        "Permitted",
        "Composed",
        "permitted_function",
        "Actions",
    ]


@override_settings(ROOT_URLCONF="tests.checks.urls_with_second_factor", LOGTO_SECOND_FACTOR=True)
def test_second_factor_may_be_required_if_it_is_checked() -> None:
    assert "logto_auth.E041" not in {message.id for message in run_checks()}


def test_api_without_sign_in_is_checked_for_second_factors() -> None:
    api = {**API_ALONE, "ROOT_URLCONF": "tests.checks.urls_of_api_with_second_factor"}
    assert "E041" in ids(messages(api))
    assert "E041" not in ids(messages({**api, "LOGTO_SECOND_FACTOR": True}))


SECOND_FACTOR = {
    "LOGTO_ADMIN_SECOND_FACTOR": True,
    "LOGTO_SECOND_FACTOR": True,
    "LOGTO_API_RESOURCE": "https://x.example",
}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"ROOT_URLCONF": "bookstore.urls"}, []),
        ({"ROOT_URLCONF": "tests.second_factor.urls"}, []),
        ({"ROOT_URLCONF": "tests.checks.urls_of_stock_admin"}, ["W027"]),
        ({"ROOT_URLCONF": "tests.checks.urls_of_two_admins"}, ["W027"]),
        ({"ROOT_URLCONF": "tests.checks.urls_without_account_pages"}, ["W027"]),
        ({"ROOT_URLCONF": "tests.checks.urls_of_stock_admin", "LOGTO_ADMIN_SECOND_FACTOR": False}, []),
        ({"ROOT_URLCONF": "bookstore.urls", "LOGTO_SECOND_FACTOR": False}, ["E042"]),
    ],
    ids=str,
)
def test_admin_without_second_factor_is_reported(settings: dict[str, Any], expected: list[str]) -> None:
    found = ids(messages({**SECOND_FACTOR, **settings})).split()
    assert [id for id in found if id in {"E042", "W027"}] == expected


# API keys

KEY_URLS = "tests.checks.urls_accepting_api_keys"


def test_api_keys_need_application_without_sign_in() -> None:
    api = {
        "ROOT_URLCONF": KEY_URLS,
        "LOGIN_URL": "/login/",
        "LOGTO_API_RESOURCE": "https://bookstore.example/api",
        "LOGTO_APP_ID": "",
        "LOGTO_APP_SECRET": "",
        "LOGTO_M2M_APP_ID": "",
        "LOGTO_M2M_APP_SECRET": "",
    }
    suffix = " accepts API keys, but LOGTO_M2M_APP_ID or LOGTO_M2M_APP_SECRET is not set."
    found = [message.msg for message in messages(api) if message.id == "logto_auth.E050"]
    assert sorted(text.removeprefix(f"{KEY_URLS}.").removesuffix(suffix) for text in found) == [
        "Mixed",
        "OfRestFramework",
        "decorated",
        "of_organization",
        "of_other_resource",
        "operation",
        "operation_of_organization",
    ]
    machine = {"LOGTO_M2M_APP_ID": "x", "LOGTO_M2M_APP_SECRET": "y"}
    assert "E050" not in ids(messages({**api, **machine}))
