"""Checks of settings that a development machine may lack or set differently. `manage.py check --deploy` runs them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.cache import DEFAULT_CACHE_ALIAS, caches
from django.core.cache.backends.dummy import DummyCache
from django.core.checks import CheckMessage

from logto_auth.conf import Conf, Setting

from .addresses import shown
from .lenient_conf import conf
from .problem import Problem
from .sign_in import missing_credentials, signs_users_in

DAY = 24 * 60 * 60

ENDPOINT_MISSING = Problem(
    "logto_auth.E002", "LOGTO_ENDPOINT is not set.", "Set it to the origin of Logto, such as https://abc123.logto.app."
)
APP_ID_MISSING = Problem(
    "logto_auth.E003", "LOGTO_APP_ID is not set.", "Copy the App ID of the application from the Logto Console."
)
APP_SECRET_MISSING = Problem(
    "logto_auth.E004", "LOGTO_APP_SECRET is not set.", "Copy an app secret of the application from the Logto Console."
)
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
ADMIN_PASSWORD_ON = Problem(
    "logto_auth.W016",
    "LOGTO_ADMIN_PASSWORD_SIGN_IN is True: staff can sign in to the admin with a password alone.",
    "Read it from the environment, and turn it on only while Logto is unreachable.",
)
NUMBER_TOO_LARGE = Problem("logto_auth.W017", "{setting} is {value}, which is very large.", "{reason}")
ATTEMPTS_NOT_COUNTED = Problem(
    "logto_auth.W018",
    "LOGTO_ADMIN_PASSWORD_SIGN_IN is True, and the default cache stores nothing: attempts are refused.",
    "Set CACHES to a cache that all processes share, such as Redis or the database.",
)
LOGOUT_TOKEN_TYPE_NOT_REQUIRED = Problem(
    "logto_auth.W019",
    "LOGTO_LOGOUT_TOKEN_TYPE_REQUIRED is False: the type of logout tokens is not checked.",
    "Remove the setting. Only a provider that is not Logto needs it.",
)

# The largest sensible value of a setting, and what a larger one causes.
MAXIMUMS: dict[Setting[Any], tuple[int, str]] = {
    Conf.freshness_seconds: (DAY, "Logto is asked about a session after that time only. Use an hour or less."),
    Conf.outage_grace_seconds: (DAY, "A user who was suspended remains signed in for that time. Use a few hours."),
    Conf.clock_skew_seconds: (300, "Expired tokens are accepted for that time. Keep the clocks right by NTP instead."),
    Conf.sign_in_max_age_seconds: (3600, "Logto itself allows one hour for a sign-in."),
    Conf.webhook_max_age_seconds: (DAY, "A recorded webhook is accepted again for that time. Use an hour or so."),
    Conf.max_pending_sign_ins: (16, "Each has a cookie of half a kilobyte, and servers allow 8 kB of headers."),
    Conf.api_token_cache_size: (100_000, "Each process keeps that many tokens in memory: about 2 kB each."),
}
MAX_TIMEOUT_SECONDS = 60

MISSING = {Conf.endpoint: ENDPOINT_MISSING, Conf.app_id: APP_ID_MISSING, Conf.app_secret: APP_SECRET_MISSING}


def check_credentials(**kwargs: Any) -> list[CheckMessage]:
    """Check that the settings without which nothing works have values."""
    return [MISSING[setting]() for setting in missing_credentials()]


def check_deployment(**kwargs: Any) -> list[CheckMessage]:
    """Check encryption, the session cookie, limits, and what is for emergencies and tests."""
    return [
        *_check_encryption(),
        *(_check_cookies() if signs_users_in() else []),
        *_check_exceptions(),
        *_check_limits(),
    ]


def _check_encryption() -> Iterator[CheckMessage]:
    if conf.endpoint.startswith("http:"):
        yield ENDPOINT_INSECURE(value=shown(conf.endpoint))
    if conf.base_url.startswith("http:"):
        yield BASE_URL_INSECURE(value=shown(conf.base_url))


def _check_cookies() -> Iterator[CheckMessage]:
    if not settings.SESSION_COOKIE_SECURE:
        yield COOKIE_NOT_SECURE()
    if not settings.SESSION_COOKIE_HTTPONLY:
        yield COOKIE_NOT_HTTPONLY()
    if settings.SESSION_COOKIE_SAMESITE in (None, False, "None"):
        yield SAMESITE_NONE(value=repr(settings.SESSION_COOKIE_SAMESITE))


def _check_exceptions() -> Iterator[CheckMessage]:
    if conf.admin_password_sign_in:
        yield ADMIN_PASSWORD_ON()
        if isinstance(caches[DEFAULT_CACHE_ALIAS], DummyCache):
            yield ATTEMPTS_NOT_COUNTED()
    if not conf.logout_token_type_required:
        yield LOGOUT_TOKEN_TYPE_NOT_REQUIRED()


def _check_limits() -> Iterator[CheckMessage]:
    for setting, (maximum, reason) in MAXIMUMS.items():
        value = conf.value_of(setting)
        if value is not None and value > maximum:
            yield NUMBER_TOO_LARGE(setting=setting.name, value=value, reason=reason)
    if max(conf.http_timeout_seconds) > MAX_TIMEOUT_SECONDS:
        yield NUMBER_TOO_LARGE(
            setting=Conf.http_timeout_seconds.name,
            value=repr(conf.http_timeout_seconds),
            reason="A worker waits that long while Logto does not answer. Use 10 seconds or so.",
        )
