"""Checks for settings that suit only a developer's machine. `manage.py check --deploy` runs them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage

from .lenient_conf import conf
from .problem import Problem
from .sign_in import signs_users_in

ENDPOINT_INSECURE = Problem(
    "logto_auth.W005", "LOGTO_ENDPOINT is {value}, without encryption.", "Use the https URL of Logto."
)
BASE_URL_INSECURE = Problem(
    "logto_auth.W006", "LOGTO_BASE_URL is {value}, without encryption.", "Use the https URL of the site."
)
COOKIE_NOT_SECURE = Problem(
    "logto_auth.W007",
    "SESSION_COOKIE_SECURE is False: the session cookie is also sent without encryption.",
    "Set SESSION_COOKIE_SECURE = True.",
)
COOKIE_NOT_HTTPONLY = Problem(
    "logto_auth.W008",
    "SESSION_COOKIE_HTTPONLY is False: any script on a page can read the session cookie.",
    "Set SESSION_COOKIE_HTTPONLY = True.",
)
SAMESITE_NONE = Problem(
    "logto_auth.W009",
    "SESSION_COOKIE_SAMESITE is {value}: requests from other sites carry the session cookie.",
    "Set it to 'Lax'.",
)


def check_deployment(**kwargs: Any) -> list[CheckMessage]:
    """Check encryption and the session cookie."""
    return [*_check_encryption(), *(_check_cookies() if signs_users_in() else [])]


def _check_encryption() -> Iterator[CheckMessage]:
    if conf.endpoint.startswith("http:"):
        yield ENDPOINT_INSECURE(value=repr(conf.endpoint))
    if conf.base_url.startswith("http:"):
        yield BASE_URL_INSECURE(value=repr(conf.base_url))


def _check_cookies() -> Iterator[CheckMessage]:
    if not settings.SESSION_COOKIE_SECURE:
        yield COOKIE_NOT_SECURE()
    if not settings.SESSION_COOKIE_HTTPONLY:
        yield COOKIE_NOT_HTTPONLY()
    if settings.SESSION_COOKIE_SAMESITE in (None, False, "None"):
        yield SAMESITE_NONE(value=repr(settings.SESSION_COOKIE_SAMESITE))
