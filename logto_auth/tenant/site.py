"""The declaration of this site: what `LOGTO_TENANT` declares, with the URLs that Logto needs from the URLconf."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, get_script_prefix, reverse
from django.utils import translation
from django.utils.module_loading import import_string

from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError
from logto_auth.oidc.secrets import Secret, hide_frames
from logto_auth.origins import ascii_hint, is_loopback, is_origin, is_public_host

from .account_center import AccountCenter
from .declaration import TenantDeclaration, console_errors
from .dynamic_clients import DYNAMIC_CLIENTS
from .included_urls import API_DOCS, PASSWORD_MIGRATION_URLS
from .organization_console import OrganizationConsole
from .password_migration import MIN_KEY_LENGTH
from .uris import normalize_uri

__all__ = [
    "OUTBOUND_GUARD_OFF",
    "back_channel_logout_uri",
    "has_sign_in",
    "load_console",
    "load_declaration",
    "needs_base_url",
    "outbound_guard_warning",
    "password_migration_keys",
    "post_sign_out_uris",
    "redirect_uris",
    "site_base_urls",
    "site_declaration",
    "unreachable_warning",
]

# The variable in Logto's environment that turns the outbound guard off. Logto 1.42 and newer has it, and without the
# variable sends back-channel logouts to public addresses only.
OUTBOUND_GUARD_OFF = "OIDC_PROVIDER_SSRF_PROTECTION_DISABLED=true"
# The views that Logto's server calls.
CALLED_BY_LOGTO = ("back-channel-logout", "webhook")


def site_declaration(base_urls: Sequence[str], *, application: str = "") -> TenantDeclaration:
    """Return the declaration that `LOGTO_TENANT` names, with the URLs of this site.

    The site is served at `base_urls`. Logto calls `LOGTO_INTERNAL_BASE_URL`, or the first of them that it can reach.
    `application` is the name of the application if the declaration has none. Raise ConfigurationError.
    """
    declared = load_declaration()
    return replace(
        declared,
        application=declared.application or application,
        application_id=conf.app_id if has_sign_in() else "",
        # As in `clients.token_exchange()`.
        token_exchange_id="" if has_sign_in() else conf.app_id or conf.m2m_app_id,
        redirect_uris=redirect_uris(base_urls),
        post_sign_out_uris=post_sign_out_uris(base_urls),
        back_channel_logout_uri=back_channel_logout_uri(base_urls),
        webhook_url=_url_for_logto("webhook", base_urls),
        password_migration_url=_password_migration_url(base_urls) if declared.password_migration else "",
        password_migration_key=next(iter(password_migration_keys()), None),
        api_resource=conf.api_resource,
        api_docs_id=conf.api_docs_app_id,
        api_docs_redirect_uris=_at_each(base_urls, lambda: _path("redirect", API_DOCS)),
        unknown_session_redirect_url=_absolute(declared.unknown_session_redirect_url, base_urls),
        account_center=_account_center(declared.account_center, base_urls),
    )


def load_declaration() -> TenantDeclaration:
    """Return the declaration that `LOGTO_TENANT` names, or an empty one if it is not set. Raise ConfigurationError."""
    if not conf.tenant:
        return TenantDeclaration()
    try:
        declared = import_string(conf.tenant)
    except Exception as error:  # the module of the site runs
        raise ConfigurationError(
            f"LOGTO_TENANT is {conf.tenant!r}, which cannot be imported: {type(error).__name__}: {error}."
        ) from error
    if not isinstance(declared, TenantDeclaration):
        kind = type(declared).__name__
        raise ConfigurationError(f"LOGTO_TENANT is {conf.tenant!r}, which is a {kind}, expected a TenantDeclaration.")
    return declared


def load_console() -> OrganizationConsole:
    """Return the console that the declaration has. Raise ConfigurationError if there is none, or if it has a mistake.

    A web server runs no system checks, so each use of the console has to refuse a mistake.
    """
    declared = load_declaration()
    console = declared.organization_console
    if console is None:
        raise ConfigurationError(
            "The console of organizations needs a TenantDeclaration in LOGTO_TENANT that has an organization_console."
        )
    if errors := list(console_errors(declared)):
        raise ConfigurationError(f"LOGTO_TENANT has a mistake: {' '.join(errors)}")
    return console


def site_base_urls(given: Sequence[str]) -> list[str]:
    """Return the origins at which the site is served: `given`, or else `LOGTO_BASE_URL`. Raise ConfigurationError."""
    base_urls = list(given) or ([conf.base_url] if conf.base_url else [])
    return [_base_url(url) for url in base_urls]


def _base_url(url: str) -> str:
    if not is_origin(url):
        text = f"The base URL {url!r} is not an origin without a path, such as https://shop.example."
        has_path = "/" in url.rstrip("/").partition("://")[2]
        path_hint = "For a site below a path, set FORCE_SCRIPT_NAME. " if has_path else ""
        raise ConfigurationError(f"{text} {path_hint}{ascii_hint(url)}".rstrip())
    return normalize_uri(url).rstrip("/")


def needs_base_url() -> bool:
    """Return whether the URLconf has a view whose URL Logto needs."""
    return any(map(_path, ("callback", *CALLED_BY_LOGTO))) or bool(_path("check", PASSWORD_MIGRATION_URLS))


def unreachable_warning(base_urls: Sequence[str]) -> str:
    """Return a warning if Logto cannot call the site at any of `base_urls`, or an empty text."""
    if not (base_urls and any(map(_path, CALLED_BY_LOGTO))) or _first_reachable(base_urls):
        return ""
    return (
        f"Logto cannot call this site at {', '.join(base_urls)}. It gets no back-channel logout URI and no webhook. "
        "A sign-out elsewhere does not end sessions here."
    )


def back_channel_logout_uri(base_urls: Sequence[str]) -> str:
    """Return the URL at which Logto reports sign-outs. Empty if Logto cannot call the site, or the view is missing."""
    return _url_for_logto("back-channel-logout", base_urls)


def outbound_guard_warning(base_urls: Sequence[str]) -> str:
    """Return a warning if the host of the back-channel logout URI is not public by its form, or an empty text."""
    host = urlsplit(back_channel_logout_uri(base_urls)).hostname or ""
    if not host or is_public_host(host):
        return ""
    return (
        f"Logto 1.42 and newer sends no back-channel logout to {host}, which is not a public host, unless it runs with "
        f"{OUTBOUND_GUARD_OFF}. Logto reports no error. Webhooks are not affected.{_dynamic_clients_hint()}"
    )


def _dynamic_clients_hint() -> str:
    declared = load_declaration().dynamic_clients
    needs_guard = declared is not None and declared.enabled
    return f" With the variable, Logto has none of the declared {DYNAMIC_CLIENTS}." if needs_guard else ""


def redirect_uris(base_urls: Sequence[str]) -> list[str]:
    """Return the URLs to which Logto redirects the browser after a sign-in."""
    return _at_each(base_urls, lambda: _path("callback"))


def post_sign_out_uris(base_urls: Sequence[str]) -> list[str]:
    """Return the URLs to which Logto redirects the browser after a sign-out."""
    if not has_sign_in():
        return []
    return _at_each(base_urls, lambda: resolve_url(settings.LOGOUT_REDIRECT_URL or get_script_prefix()))


def has_sign_in() -> bool:
    """Return whether the URLconf has the callback. A site that is only an API has no callback."""
    return bool(_path("callback"))


def _account_center(declared: AccountCenter | None, base_urls: Sequence[str]) -> AccountCenter | None:
    if declared is None:
        return None
    origins = declared.webauthn_related_origins
    if origins is None:
        # Browsers compare whole origins, so a wildcard matches none.
        origins = [url for url in base_urls if "*" not in url] if declared.allows_passkeys else []
    return replace(
        declared,
        webauthn_related_origins=origins,
        delete_account_url=_absolute(declared.delete_account_url, base_urls),
    )


def _url_for_logto(view: str, base_urls: Sequence[str], *, app_name: str = "logto_auth") -> str:
    """Return the URL at which Logto calls a view. Empty if Logto cannot reach it, or the URLconf lacks the view."""
    path, base_url = _path(view, app_name), _first_reachable(base_urls)
    return urljoin(base_url, path) if path and base_url else ""


def _password_migration_url(base_urls: Sequence[str]) -> str:
    """Return the URL at which Logto asks for passwords. Raise ConfigurationError if they would be sent in clear."""
    url = _url_for_logto("check", base_urls, app_name=PASSWORD_MIGRATION_URLS)
    if url and not url.startswith("https:") and not is_loopback(url) and not settings.DEBUG:
        raise ConfigurationError(
            f"password_migration is declared, and Logto would send passwords to {url}, which is not https. Serve the "
            "site at an https URL that Logto can reach, or correct LOGTO_INTERNAL_BASE_URL."
        )
    return url


@hide_frames
def password_migration_keys() -> list[Secret]:
    """Return the keys of `LOGTO_PASSWORD_MIGRATION_KEY` that are long enough."""
    keys = conf.password_migration_key
    return [Secret(key) for key in ([keys] if isinstance(keys, str) else keys) if len(key) >= MIN_KEY_LENGTH]


def _absolute(url: str, base_urls: Sequence[str]) -> str:
    """Return `url`, or the URL of a path at the first base URL without a wildcard. Empty if there is none."""
    if not url.startswith("/"):
        return url
    base_url = next((each for each in base_urls if "*" not in each), "")
    return urljoin(base_url, url) if base_url else ""


def _first_reachable(base_urls: Sequence[str]) -> str:
    """Return `LOGTO_INTERNAL_BASE_URL`, or else the first base URL that Logto can call, or an empty text."""
    if conf.internal_base_url:
        return _base_url(conf.internal_base_url)
    # Between containers, "localhost" is another machine for browsers, for Logto and for this site.
    is_local_logto = is_loopback(conf.server_endpoint)
    return next((url for url in base_urls if "*" not in url and (is_local_logto or not is_loopback(url))), "")


def _at_each(base_urls: Sequence[str], path: Callable[[], str]) -> list[str]:
    paths = _in_each_language(path)
    return list(dict.fromkeys(urljoin(url, path) for url in base_urls for path in paths if path))


def _in_each_language(path: Callable[[], str]) -> list[str]:
    if not is_language_prefix_patterns_used(settings.ROOT_URLCONF)[0]:
        return [path()]
    paths = []
    for language, _ in settings.LANGUAGES:
        with translation.override(language):
            paths.append(path())
    return paths


def _path(view: str, app_name: str = "logto_auth") -> str:
    try:
        return reverse(f"{app_name}:{view}")
    except NoReverseMatch:
        return ""
