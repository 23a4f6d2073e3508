"""The password form of the admin limits attempts."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client

from logto_auth.admin_password import MAX_ATTEMPTS, MAX_ATTEMPTS_IN_TOTAL

pytestmark = pytest.mark.django_db
URL = "/admin/login/password/"


@pytest.fixture(autouse=True)
def break_glass(settings: Any) -> None:
    settings.LOGTO_ADMIN_PASSWORD_SIGN_IN = True
    get_user_model().objects.create_superuser("break-glass", password="secret")
    cache.clear()


def attempt(password: str, username: str = "break-glass", address: str = "192.0.2.1") -> tuple[int, str]:
    """Return the status, and the error of the form as its code."""
    form = {"username": username, "password": password, "next": "/admin/"}
    response = Client(REMOTE_ADDR=address).post(URL, form)
    if response.status_code == 302:
        return 302, ""
    ((error,),) = (errors for errors in response.context["form"].errors.as_data().values())
    return response.status_code, error.code


def test_right_password_is_refused_after_too_many_attempts() -> None:
    for _ in range(MAX_ATTEMPTS):
        assert attempt("wrong") == (200, "invalid_login")
    assert attempt("secret") == (200, "too_many_attempts")
    assert attempt("secret", address="192.0.2.2") == (302, "")


def test_successful_sign_in_resets_the_attempts() -> None:
    for _ in range(3):
        for _ in range(MAX_ATTEMPTS - 1):
            assert attempt("wrong") == (200, "invalid_login")
        assert attempt("secret") == (302, "")


def test_attempts_from_many_addresses_are_limited_in_total() -> None:
    for number in range(MAX_ATTEMPTS_IN_TOTAL):
        assert attempt("wrong", f"user{number}", f"198.51.100.{number}") == (200, "invalid_login")
    assert attempt("secret") == (200, "too_many_attempts")


@pytest.mark.parametrize(
    "backend",
    ["django.core.cache.backends.dummy.DummyCache", f"{__name__}.BrokenCache"],
)
def test_attempt_is_refused_if_it_cannot_be_counted(settings: Any, backend: str) -> None:
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.db"
    settings.CACHES = {"default": {"BACKEND": backend}}
    assert attempt("secret") == (200, "attempts_not_counted")


class BrokenCache:
    """A cache whose server is down."""

    def __init__(self, *args: object, **options: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        if name == "close":
            return lambda **kwargs: None
        raise ConnectionError("The cache is down.")
