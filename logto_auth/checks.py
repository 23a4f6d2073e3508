"""Mistakes that can be seen at start-up: one id for each fault, each with what to do. Never uses the network."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.sessions.backends.signed_cookies import SessionStore as SignedCookieStore
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from .backends import LogtoBackend, backend_path
from .conf import PREFIX, Setting, conf
from .exceptions import ConfigurationError, InvalidSignInOption
from .middleware import LogtoMiddleware
from .oidc.authorization import SignInOptions, is_absolute_uri
from .oidc.jwks import KEY_TYPES
from .organizations.current import from_subdomain
from .origins import is_origin
from .tenant.declaration import faults
from .tenant.site import declaration

PLACEHOLDER = re.compile(
    r"[<>{}]|\byour[-_ ](app|client|endpoint|logto|own|secret|tenant)|change[-_ ]?me|placeholder|^[x.]+$|^todo$",
    re.IGNORECASE,
)
QUERY_OPTIONS = {
    "first_screen",
    "identifiers",
    "direct_sign_in",
    "login_hint",
    "max_age",
    "one_time_token",
    "prompt",
    "ui_locales",
}
# Logto's have 32 characters; whatever is much shorter could be guessed.
SHORTEST_SIGNING_KEY = 16
# RFC 1035, section 2.3.1, as far as it matters here: labels between single dots, and nothing around them.
DOMAIN = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*", re.IGNORECASE)
SIGN_IN_VIEW = "logto_auth:sign-in"
MIDDLEWARE = "logto_auth.middleware.LogtoMiddleware"
AUTHENTICATION_MIDDLEWARE = "django.contrib.auth.middleware.AuthenticationMiddleware"


def _error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"logto_auth.E{number:03}")


def _warning(number: int, message: str, hint: str) -> Warning:
    return Warning(message, hint=hint, id=f"logto_auth.W{number:03}")


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """The `LOGTO_` settings by themselves."""
    wrong_types = list(_check_types())
    # A value of the wrong type would only confuse the checks of its content.
    return [*_check_names(), *(wrong_types or _check_values())]


def _check_names() -> Iterator[CheckMessage]:
    known = [setting.name for setting in conf.all()]
    unknown = [name for name in dir(settings) if name.startswith(PREFIX) and name not in known]
    for name in unknown:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"The settings are {', '.join(known)}."
        yield _warning(1, f"There is no setting {name}.", hint)


def _check_types() -> Iterator[CheckMessage]:
    for setting in conf.all():
        value = getattr(settings, setting.name, setting.default)
        types = setting.type if isinstance(setting.type, tuple) else (setting.type,)
        if not isinstance(value, setting.type) or (isinstance(value, bool) and bool not in types):
            expected = " or ".join(kind.__name__ for kind in types)
            yield _error(1, f"{setting.name} is a {type(value).__name__}.", f"Expected {expected}. {setting.help}")


def _check_values() -> Iterator[CheckMessage]:
    yield from _check_credentials()
    if conf.endpoint and not PLACEHOLDER.search(conf.endpoint):
        yield from _check_endpoint(conf.endpoint)
    if conf.base_url and not is_origin(conf.base_url):
        yield _error(
            8, f"LOGTO_BASE_URL is {conf.base_url!r}.", "Expected an origin without a path: https://shop.example."
        )
    yield from _check_protocol_values()
    yield from _check_numbers()
    yield from _check_step_up()
    yield from _check_dotted_paths()
    yield from _check_tenant()
    yield from _check_webhooks()
    yield from _check_console_url()
    yield from _check_apis()
    yield from _check_organization_domain()


def _check_credentials() -> Iterator[CheckMessage]:
    numbers = [(2, type(conf).endpoint), (3, type(conf).app_id), (4, type(conf).app_secret)]
    for number, setting in numbers if _signs_people_in() else numbers[:1]:
        if not _value(setting):
            yield _error(number, f"{setting.name} is not set.", setting.help)
    for setting in (*(setting for _, setting in numbers), *_machine_settings()):
        if PLACEHOLDER.search(_value(setting)):
            yield _error(5, f"{setting.name} is still a placeholder.", setting.help)


def _value(setting: Setting[str]) -> str:
    value: str = getattr(settings, setting.name, setting.default)
    return value


def _signs_people_in() -> bool:
    """Whether the site signs people in, or means to. One that does nothing but take access tokens needs no application
    of its own, and neither sessions nor the backend; but whoever has only forgotten something is to be told so."""
    has_application = bool(conf.app_id or conf.app_secret)
    return (
        not conf.api_resource
        or settings.LOGIN_URL == SIGN_IN_VIEW
        or _sign_in_path() is not None
        # Introspection takes an application too.
        or (has_application and not conf.api_introspected_apps)
    )


def _sign_in_path() -> str | None:
    """Where the sign-in view is, None when it is not among the site's URLs."""
    try:
        return reverse(SIGN_IN_VIEW)
    except NoReverseMatch:
        return None


def _machine_settings() -> tuple[Setting[str], Setting[str]]:
    return type(conf).m2m_app_id, type(conf).m2m_app_secret


def _check_endpoint(endpoint: str) -> Iterator[CheckMessage]:
    if not is_origin(endpoint):
        without_path = endpoint.rstrip("/").removesuffix("/oidc")
        hint = f"Set it to {without_path!r}." if is_origin(without_path) else "Expected https://<tenant>.logto.app."
        # What stands before an @ may be a password.
        shown = "an address with an @" if "@" in endpoint else repr(endpoint)
        yield _error(6, f"LOGTO_ENDPOINT is {shown}, not an origin without a path.", hint)
    elif urlsplit(endpoint).scheme == "http" and not _is_private(urlsplit(endpoint).hostname or ""):
        yield _error(
            7,
            f"LOGTO_ENDPOINT is {endpoint!r}: tokens would cross the internet unencrypted.",
            "Use https. Plain http is for Logto on this machine or in a private network.",
        )


def _is_private(host: str) -> bool:
    """Whether `host` can only be reached from here: loopback, private addresses, names without a dot."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal", ".test"))
    return address.is_loopback or (address.is_private and not address.is_link_local)


def _check_protocol_values() -> Iterator[CheckMessage]:
    if "openid" not in conf.scopes:
        yield _error(9, "LOGTO_SCOPES does not hold openid.", "Without it Logto tells nothing about who has signed in.")
    unsupported = [alg for alg in conf.signing_algorithms if alg not in KEY_TYPES]
    if unsupported or not conf.signing_algorithms:
        yield _error(
            10, f"LOGTO_SIGNING_ALGORITHMS is {list(conf.signing_algorithms)}.", f"Choose of {', '.join(KEY_TYPES)}."
        )
    forbidden = [name for name in conf.sign_in_query_parameters if name not in QUERY_OPTIONS]
    if forbidden:
        yield _error(
            11,
            f"LOGTO_SIGN_IN_QUERY_PARAMETERS lets a URL set {', '.join(forbidden)}.",
            f"A URL may set {', '.join(sorted(QUERY_OPTIONS))}; set the others in code.",
        )
    try:
        SignInOptions(
            scopes=list(conf.scopes),
            resources=list(conf.resources),
            prompt=conf.prompt,
            extra=conf.sign_in_parameters,
        )
    except InvalidSignInOption as error:
        names = "LOGTO_SCOPES, LOGTO_RESOURCES, LOGTO_PROMPT or LOGTO_SIGN_IN_PARAMETERS"
        yield _error(12, f"{names} is something that Logto would not take.", str(error))
    timeouts: list[Any] = list(conf.http_timeout_seconds)
    if len(timeouts) != 2 or not all(isinstance(seconds, int | float) and seconds > 0 for seconds in timeouts):
        yield _error(
            13, f"LOGTO_HTTP_TIMEOUT_SECONDS is {conf.http_timeout_seconds!r}.", "Expected two numbers above zero."
        )


def _check_numbers() -> Iterator[CheckMessage]:
    least: dict[Setting[Any], int] = {
        type(conf).sign_in_max_age_seconds: 60,
        type(conf).max_pending_sign_ins: 1,
        type(conf).clock_skew_seconds: 0,
        type(conf).freshness_seconds: 0,
        type(conf).outage_grace_seconds: 0,
        # What Logto has not sent by then waits in its queue.
        type(conf).webhook_max_age_seconds: 60,
        type(conf).api_token_cache_size: 0,
    }
    for setting, minimum in least.items():
        value = getattr(settings, setting.name, setting.default)
        if value is not None and value < minimum:
            yield _error(15, f"{setting.name} is {value}.", f"Expected {minimum} or more. {setting.help}")


def _check_step_up() -> Iterator[CheckMessage]:
    if "max_age" not in conf.sign_in_query_parameters:
        yield _warning(
            4,
            "LOGTO_SIGN_IN_QUERY_PARAMETERS lacks max_age, so recent_sign_in_required would go round in circles.",
            "Add 'max_age', or do without that decorator and its mixin.",
        )


def _check_dotted_paths() -> Iterator[CheckMessage]:
    for setting in (type(conf).user_fields, type(conf).link_by_email, type(conf).organization_from):
        path = _value(setting)
        # What has a default cannot be switched off.
        is_off = not path and not setting.default
        if not is_off and not callable(_imported(path)):
            yield _error(14, f"{setting.name} is {path!r}, which is no function that can be imported.", setting.help)


def _check_tenant() -> Iterator[CheckMessage]:
    try:
        declared = declaration()
    except ConfigurationError as error:
        yield _error(50, str(error), type(conf).tenant.help)
        return
    for fault in faults(declared):
        yield _error(51, fault, f"Correct it in {conf.tenant}.")


def _check_webhooks() -> Iterator[CheckMessage]:
    setting: Any = conf.webhook_signing_key
    keys = [setting] if isinstance(setting, str) else setting
    # An empty one is none, and is passed over.
    if not all(isinstance(key, str) and (not key or _is_signing_key(key)) for key in keys):
        yield _error(
            55,
            "LOGTO_WEBHOOK_SIGNING_KEY holds something that is no signing key.",
            "Copy the key from the webhook's page in the Logto Console. It has 32 characters.",
        )
    if conf.webhook_runner:
        try:
            reason = "" if callable(import_string(conf.webhook_runner)) else type(conf).webhook_runner.help
        except (ImportError, ConfigurationError) as error:
            reason = str(error)
        if reason:
            path = conf.webhook_runner
            yield _error(56, f"LOGTO_WEBHOOK_RUNNER is {path!r}, which is no function that can be imported.", reason)


def _is_signing_key(key: str) -> bool:
    return len(key) >= SHORTEST_SIGNING_KEY and not PLACEHOLDER.search(key)


def _check_console_url() -> Iterator[CheckMessage]:
    if conf.console_url and urlsplit(conf.console_url).scheme not in ("http", "https"):
        yield _error(57, f"LOGTO_CONSOLE_URL is {conf.console_url!r}.", type(conf).console_url.help)


def _imported(path: str) -> Any:
    """What is at a dotted path, None when nothing is."""
    try:
        return import_string(path)
    except ImportError:
        return None


def _check_apis() -> Iterator[CheckMessage]:
    if conf.api_resource and not is_absolute_uri(conf.api_resource):
        yield _error(
            16,
            f"LOGTO_API_RESOURCE is {conf.api_resource!r}, not an absolute URI.",
            "Copy the API identifier from the Logto Console: a URI with a scheme, and no fragment, comma or space.",
        )
    app_id, app_secret = _machine_settings()
    for missing, other in ((app_id, app_secret), (app_secret, app_id)):
        if _value(other) and not _value(missing):
            yield _error(18, f"{missing.name} is not set, and {other.name} is.", missing.help)
    if conf.api_introspected_apps and not _signs_people_in() and not (conf.app_id and conf.app_secret):
        yield _error(
            19,
            "LOGTO_API_INTROSPECTED_APPS is set, and LOGTO_APP_ID or LOGTO_APP_SECRET is not.",
            "Logto tells only an application about opaque tokens: set both, or do without opaque tokens.",
        )


def _check_organization_domain() -> Iterator[CheckMessage]:
    is_used = _imported(conf.organization_from) is from_subdomain
    if is_used and not DOMAIN.fullmatch(conf.organization_domain):
        yield _error(
            17,
            f"LOGTO_ORGANIZATION_DOMAIN is {conf.organization_domain!r}, which has no subdomains for organizations.",
            "Set the domain alone, such as shop.example: no scheme, no port, no dot before it.",
        )


@register()
def check_project(**kwargs: Any) -> list[CheckMessage]:
    """What `logto_auth` needs of the rest of the project's settings."""
    signing_in = [*_check_backend(), *_check_sessions(), *_check_urls()] if _signs_people_in() else []
    return [*signing_in, *_check_middleware()]


def _check_backend() -> Iterator[CheckMessage]:
    try:
        backend_path()
    except (ConfigurationError, ImportError):
        yield _error(
            20,
            "AUTHENTICATION_BACKENDS holds no LogtoBackend.",
            "Add 'logto_auth.backends.LogtoBackend', or a subclass of it.",
        )
    if conf.admin_password_sign_in and not any(map(_takes_passwords, settings.AUTHENTICATION_BACKENDS)):
        yield _warning(
            3,
            "LOGTO_ADMIN_PASSWORD_SIGN_IN is on, and no backend takes passwords.",
            "Add 'django.contrib.auth.backends.ModelBackend' to AUTHENTICATION_BACKENDS.",
        )


def _takes_passwords(path: str) -> bool:
    try:
        return not issubclass(import_string(path), LogtoBackend)
    except ImportError:
        return False


def _check_middleware() -> Iterator[CheckMessage]:
    order = list(settings.MIDDLEWARE)
    ours = [path for path in order if path == MIDDLEWARE or _is_our_middleware(path)]
    if not ours and _signs_people_in():
        yield _error(21, "MIDDLEWARE holds no LogtoMiddleware.", f"Add '{MIDDLEWARE}' after AuthenticationMiddleware.")
    elif ours and AUTHENTICATION_MIDDLEWARE in order and order.index(ours[0]) < order.index(AUTHENTICATION_MIDDLEWARE):
        yield _error(
            22,
            "LogtoMiddleware stands before AuthenticationMiddleware.",
            "Put it right after AuthenticationMiddleware.",
        )


def _is_our_middleware(path: str) -> bool:
    """Whether the dotted path is of a subclass of ours; one that cannot be imported is Django's to report."""
    try:
        middleware = import_string(path)
    except ImportError:
        return False
    return isinstance(middleware, type) and issubclass(middleware, LogtoMiddleware)


def _check_sessions() -> Iterator[CheckMessage]:
    try:
        store = import_string(f"{settings.SESSION_ENGINE}.SessionStore")
    except ImportError:
        return  # Django reports that itself.
    if issubclass(store, SignedCookieStore):
        yield _error(
            23,
            "SESSION_ENGINE keeps sessions in cookies, where nobody can end them.",
            "Use django.contrib.sessions.backends.db or cached_db.",
        )
    if settings.SESSION_COOKIE_SAMESITE == "Strict":
        yield _error(
            24,
            "SESSION_COOKIE_SAMESITE is 'Strict': whoever comes back from Logto would look signed out.",
            "Set it to 'Lax'.",
        )


def _check_urls() -> Iterator[CheckMessage]:
    sign_in = _sign_in_path()
    if sign_in is None:
        yield _error(25, "The views are not among the site's URLs.", "Add path('', include('logto_auth.urls')).")
    elif resolve_url(settings.LOGIN_URL) != sign_in:
        yield _warning(
            2,
            f"LOGIN_URL is {settings.LOGIN_URL!r}, so login_required does not lead to Logto.",
            "Set LOGIN_URL = 'logto_auth:sign-in'.",
        )


@register(Tags.security, deploy=True)
def check_deployment(**kwargs: Any) -> list[CheckMessage]:
    """What is fine on a developer's machine only."""
    return list(_check_deployment())


def _check_deployment() -> Iterator[CheckMessage]:
    if conf.endpoint.startswith("http:"):
        yield _warning(
            10, f"LOGTO_ENDPOINT is {conf.endpoint!r}, without encryption.", "Use the https address of Logto."
        )
    if conf.base_url.startswith("http:"):
        yield _warning(11, f"LOGTO_BASE_URL is {conf.base_url!r}, without encryption.", "Use the https address.")
    if not _signs_people_in():
        return
    if not settings.SESSION_COOKIE_SECURE:
        yield _warning(
            12, "SESSION_COOKIE_SECURE is off: a session could be read on the way.", "Set SESSION_COOKIE_SECURE = True."
        )
    if not settings.SESSION_COOKIE_HTTPONLY:
        yield _warning(
            13, "SESSION_COOKIE_HTTPONLY is off: any script on a page can read the session.", "Leave it True."
        )
    if settings.SESSION_COOKIE_SAMESITE in (None, False, "None"):
        yield _warning(
            14, "SESSION_COOKIE_SAMESITE is off: other sites' requests carry the session.", "Set it to 'Lax'."
        )
