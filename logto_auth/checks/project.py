"""Checks of the rest of the project: backend, middleware, sessions and URLs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieStore
from django.core.checks import CheckMessage
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, get_script_prefix, resolve
from django.utils.module_loading import import_string

from logto_auth.admin_site import LogtoAdminSite
from logto_auth.backends import LogtoBackend, backend_path
from logto_auth.exceptions import ConfigurationError
from logto_auth.middleware import LogtoMiddleware
from logto_auth.tenant.site import post_sign_out_uris, redirect_uris

from .account import check_account_pages
from .api_keys import check_api_keys
from .impersonation import check_impersonation
from .lenient_conf import conf
from .mcp import check_mcp_servers
from .middleware import middleware_paths
from .organization_console import check_organization_console
from .password_migration import check_password_migration
from .problem import Problem
from .sign_in import sign_in_path, signs_users_in, url_path
from .sockets import check_sockets
from .templates import check_templates
from .views import check_views

MIDDLEWARE = "logto_auth.middleware.LogtoMiddleware"
# In place of the origin of the site, because only paths are compared.
ORIGIN = "https://shop.example"
SECURITY_MIDDLEWARE = "django.middleware.security.SecurityMiddleware"
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
NO_REFERRER = Problem(
    "logto_auth.E034",
    "SECURE_REFERRER_POLICY is 'no-referrer': browsers send 'Origin: null' with the sign-out button and with every "
    "other form, and Django refuses them.",
    "Set it to 'same-origin', Django's default.",
)
REDIRECT_TO_NO_URL = Problem(
    "logto_auth.E035",
    "{setting} is {value}, which is neither a URL nor the name of a view.",
    "Correct the name. With a namespace, it looks like 'shop:home'.",
)
ADMIN_WITHOUT_METHODS = Problem(
    "logto_auth.E042",
    "LOGTO_ADMIN_SECOND_FACTOR is True, but LOGTO_SECOND_FACTOR is not: no user can enter the admin.",
    "Set LOGTO_SECOND_FACTOR = True. The guide 'Require a second factor' says what it needs.",
)
NO_PASSWORD_BACKEND = Problem(
    "logto_auth.W003",
    "LOGTO_ADMIN_PASSWORD_SIGN_IN is True, but no backend accepts passwords.",
    "Add 'django.contrib.auth.backends.ModelBackend' to AUTHENTICATION_BACKENDS.",
)
LOGIN_URL_ELSEWHERE = Problem(
    "logto_auth.W004",
    "LOGIN_URL is {value}, so login_required does not lead to Logto.",
    "Set LOGIN_URL = 'logto_auth:sign-in'.",
)
ADMIN_SITE_REPLACED = Problem(
    "logto_auth.W012",
    "The default admin site is {expected}, but the admin's sign-in is that of {site}.",
    "An admin theme may have replaced the admin site. Use a class that inherits from LogtoAdminSite and from the class "
    "of the theme; the guide 'Use Logto for the admin' shows it.",
)
ADMIN_WITHOUT_SIGN_IN = Problem(
    "logto_auth.W013",
    "{path} asks for a password, and no backend accepts one: no user can sign in there.",
    "Use 'logto_auth.apps.LogtoAdminConfig' in place of 'django.contrib.admin', or add "
    "'django.contrib.auth.backends.ModelBackend' to AUTHENTICATION_BACKENDS.",
)
URL_IN_EACH_LANGUAGE = Problem(
    "logto_auth.W014",
    "Logto redirects to another URL in each language of the site: {urls}. It refuses those that are not registered.",
    "Include logto_auth.urls outside of i18n_patterns, and set LOGOUT_REDIRECT_URL to a URL without a language. "
    "Otherwise register all of them with manage.py logto_setup, and silence this check.",
)
ADMIN_WITHOUT_SECOND_FACTOR = Problem(
    "logto_auth.W027",
    "LOGTO_ADMIN_SECOND_FACTOR is True, but it has no effect: {reason}.",
    "Use 'logto_auth.apps.LogtoAdminConfig' in place of 'django.contrib.admin'. An admin site of your own inherits "
    "from LogtoAdminSite.",
)


def check_project(**kwargs: Any) -> list[CheckMessage]:
    """Check what `logto_auth` requires of the rest of the project's settings."""
    checks = (
        _check_backend,
        _check_sessions,
        _check_urls,
        _check_forms,
        _check_admin,
        _check_second_factor,
        check_templates,
    )
    signing_in = [message for check in checks for message in check()] if signs_users_in() else []
    parts = (
        _check_middleware,
        check_account_pages,
        check_api_keys,
        check_password_migration,
        check_impersonation,
        check_organization_console,
        check_views,
        check_mcp_servers,
        check_sockets,
    )
    return [*signing_in, *(message for check in parts for message in check())]


def _check_backend() -> Iterator[CheckMessage]:
    try:
        backend_path()
    except (ConfigurationError, ImportError):
        yield BACKEND_MISSING()
    if any(map(_accepts_passwords, settings.AUTHENTICATION_BACKENDS)):
        return
    if conf.admin_password_sign_in:
        yield NO_PASSWORD_BACKEND()
    path, view = _sign_in_of_admin()
    # A site that has replaced the view has its own way to sign staff in.
    if getattr(view, "__func__", None) is AdminSite.login:
        yield ADMIN_WITHOUT_SIGN_IN(path=path)


def _accepts_passwords(path: str) -> bool:
    try:
        return not issubclass(import_string(path), LogtoBackend)
    except ImportError:
        return False


def _check_admin() -> Iterator[CheckMessage]:
    default_site = getattr(apps.app_configs.get("admin"), "default_site", None)
    if default_site is None or not issubclass(import_string(default_site), LogtoAdminSite):
        return
    site = getattr(_sign_in_of_admin()[1], "__self__", None)
    if isinstance(site, AdminSite) and not isinstance(site, LogtoAdminSite):
        yield ADMIN_SITE_REPLACED(expected=default_site, site=f"{type(site).__module__}.{type(site).__name__}")


def _check_second_factor() -> Iterator[CheckMessage]:
    if not conf.admin_second_factor:
        return
    if not conf.second_factor:
        yield ADMIN_WITHOUT_METHODS()
    sites = dict.fromkeys(_admin_sites(get_resolver().url_patterns))
    if not sites:
        yield ADMIN_WITHOUT_SECOND_FACTOR(reason="the site's URLs include no admin")
    for site in sites:
        if not isinstance(site, LogtoAdminSite):
            kind = f"{type(site).__module__}.{type(site).__name__}"
            reason = f"the admin site {site.name!r} is of the class {kind}, which is not a LogtoAdminSite"
            yield ADMIN_WITHOUT_SECOND_FACTOR(reason=reason)


def _admin_sites(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[AdminSite]:
    """Yield the admin site of each view of an admin."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from _admin_sites(pattern.url_patterns)
        elif isinstance(site := getattr(pattern.callback, "admin_site", None), AdminSite):
            yield site


def _sign_in_of_admin() -> tuple[str, Any]:
    """Return the path and the view of the admin's sign-in; an empty path and None if the URLs do not contain it."""
    path = url_path("admin:login") or ""
    return path, resolve(f"/{path.removeprefix(get_script_prefix())}").func if path else None


def _check_forms() -> Iterator[CheckMessage]:
    policy: Any = settings.SECURE_REFERRER_POLICY or ""
    policies = policy.split(",") if isinstance(policy, str) else list(policy)
    # Browsers use the last policy that they know.
    if SECURITY_MIDDLEWARE in settings.MIDDLEWARE and policies[-1:] and policies[-1].strip() == "no-referrer":
        yield NO_REFERRER()


def _check_middleware() -> Iterator[CheckMessage]:
    order = list(settings.MIDDLEWARE)
    ours = middleware_paths(LogtoMiddleware)
    if not ours and signs_users_in():
        yield MIDDLEWARE_MISSING()
    elif ours and AUTHENTICATION_MIDDLEWARE in order and order.index(ours[0]) < order.index(AUTHENTICATION_MIDDLEWARE):
        yield MIDDLEWARE_TOO_EARLY()


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
        return
    if _resolved(settings.LOGIN_URL) != sign_in:
        yield LOGIN_URL_ELSEWHERE(value=repr(settings.LOGIN_URL))
    for name in ("LOGIN_REDIRECT_URL", "LOGOUT_REDIRECT_URL"):
        value = getattr(settings, name)
        if value and _resolved(value) is None:
            yield REDIRECT_TO_NO_URL(setting=name, value=repr(value))
    if _resolved(settings.LOGOUT_REDIRECT_URL or "/") is not None:
        yield from _check_languages()


def _resolved(to: Any) -> str | None:
    """Return the URL of a setting that holds a URL or the name of a view; None for a name without a view."""
    try:
        return resolve_url(to)
    except NoReverseMatch:
        return None


def _check_languages() -> Iterator[CheckMessage]:
    in_languages = [uris for uris in (redirect_uris([ORIGIN]), post_sign_out_uris([ORIGIN])) if len(uris) > 1]
    if in_languages:
        urls = ", ".join(uri.removeprefix(ORIGIN) for uris in in_languages for uri in uris)
        yield URL_IN_EACH_LANGUAGE(urls=urls)
