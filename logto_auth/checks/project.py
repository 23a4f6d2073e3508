"""Checks of the rest of the project: backend, middleware, sessions and URLs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieStore
from django.core.checks import CheckMessage
from django.shortcuts import resolve_url
from django.urls import get_script_prefix, resolve
from django.utils.module_loading import import_string

from logto_auth.backends import LogtoBackend, backend_path
from logto_auth.exceptions import ConfigurationError
from logto_auth.middleware import LogtoMiddleware

from .lenient_conf import conf
from .problem import Problem
from .sign_in import sign_in_path, signs_users_in, url_path
from .templates import check_templates

MIDDLEWARE = "logto_auth.middleware.LogtoMiddleware"
AUTHENTICATION_MIDDLEWARE = "django.contrib.auth.middleware.AuthenticationMiddleware"

BACKEND_MISSING = Problem(
    "logto_auth.E025",
    "AUTHENTICATION_BACKENDS contains no LogtoBackend.",
    "Add 'logto_auth.backends.LogtoBackend', or a subclass of it.",
)
MIDDLEWARE_MISSING = Problem(
    "logto_auth.E026", "MIDDLEWARE contains no LogtoMiddleware.", f"Add '{MIDDLEWARE}' after AuthenticationMiddleware."
)
MIDDLEWARE_TOO_EARLY = Problem(
    "logto_auth.E027",
    "LogtoMiddleware comes before AuthenticationMiddleware.",
    "Put it after AuthenticationMiddleware.",
)
SESSIONS_IN_COOKIES = Problem(
    "logto_auth.E028",
    "SESSION_ENGINE keeps sessions in cookies, where the server cannot end them.",
    "Use django.contrib.sessions.backends.db or cached_db.",
)
SAMESITE_STRICT = Problem(
    "logto_auth.E029",
    "SESSION_COOKIE_SAMESITE is 'Strict': users who return from Logto would appear signed out.",
    "Set it to 'Lax'.",
)
URLS_MISSING = Problem(
    "logto_auth.E030", "The site's URLs do not include the views.", "Add path('', include('logto_auth.urls'))."
)
NO_PASSWORD_BACKEND = Problem(
    "logto_auth.W003",
    "LOGTO_ADMIN_PASSWORD_SIGN_IN is True, but no backend accepts passwords.",
    "Add 'django.contrib.auth.backends.ModelBackend' to AUTHENTICATION_BACKENDS.",
)
ADMIN_WITHOUT_SIGN_IN = Problem(
    "logto_auth.W019",
    "{path} asks for a password, and no backend accepts one: no user can sign in there.",
    "Use 'logto_auth.apps.LogtoAdminConfig' in place of 'django.contrib.admin', or add "
    "'django.contrib.auth.backends.ModelBackend' to AUTHENTICATION_BACKENDS.",
)
LOGIN_URL_ELSEWHERE = Problem(
    "logto_auth.W004",
    "LOGIN_URL is {value}, so login_required does not lead to Logto.",
    "Set LOGIN_URL = 'logto_auth:sign-in'.",
)


def check_project(**kwargs: Any) -> list[CheckMessage]:
    """Check what `logto_auth` requires of the rest of the project's settings."""
    signing_in = [*_check_backend(), *_check_sessions(), *_check_urls(), *check_templates()] if signs_users_in() else []
    return [*signing_in, *_check_middleware()]


def _check_backend() -> Iterator[CheckMessage]:
    try:
        backend_path()
    except (ConfigurationError, ImportError):
        yield BACKEND_MISSING()
    if any(map(_accepts_passwords, settings.AUTHENTICATION_BACKENDS)):
        return
    if conf.admin_password_sign_in:
        yield NO_PASSWORD_BACKEND()
    path = _password_form_of_admin()
    if path:
        yield ADMIN_WITHOUT_SIGN_IN(path=path)


def _accepts_passwords(path: str) -> bool:
    try:
        return not issubclass(import_string(path), LogtoBackend)
    except ImportError:
        return False


def _password_form_of_admin() -> str:
    """Return the path of the admin's sign-in, if it is Django's form; otherwise an empty text.

    A site that has replaced the view has its own way to sign staff in.
    """
    path = url_path("admin:login")
    if path is None:
        return ""
    view = resolve(f"/{path.removeprefix(get_script_prefix())}").func
    return path if getattr(view, "__func__", None) is AdminSite.login else ""


def _check_middleware() -> Iterator[CheckMessage]:
    order = list(settings.MIDDLEWARE)
    ours = [path for path in order if path == MIDDLEWARE or _is_our_middleware(path)]
    if not ours and signs_users_in():
        yield MIDDLEWARE_MISSING()
    elif ours and AUTHENTICATION_MIDDLEWARE in order and order.index(ours[0]) < order.index(AUTHENTICATION_MIDDLEWARE):
        yield MIDDLEWARE_TOO_EARLY()


def _is_our_middleware(path: str) -> bool:
    """Return whether the path names a subclass of ours. Django itself reports a path that cannot be imported."""
    try:
        middleware = import_string(path)
    except ImportError:
        return False
    return isinstance(middleware, type) and issubclass(middleware, LogtoMiddleware)


def _check_sessions() -> Iterator[CheckMessage]:
    try:
        store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    except ImportError:
        return  # Django reports it.
    if issubclass(store, SignedCookieStore):
        yield SESSIONS_IN_COOKIES()
    if settings.SESSION_COOKIE_SAMESITE == "Strict":
        yield SAMESITE_STRICT()


def _check_urls() -> Iterator[CheckMessage]:
    sign_in = sign_in_path()
    if sign_in is None:
        yield URLS_MISSING()
    elif resolve_url(settings.LOGIN_URL) != sign_in:
        yield LOGIN_URL_ELSEWHERE(value=repr(settings.LOGIN_URL))
