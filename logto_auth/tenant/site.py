"""The tenant that this site needs: what `LOGTO_TENANT` declares, and the addresses that follow from the site's URLs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from urllib.parse import urljoin

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.module_loading import import_string

from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError
from logto_auth.origins import is_loopback, is_origin

from .declaration import TenantDeclaration, normal_uri

# The views that Logto's server calls.
CALLED_BY_LOGTO = ("back-channel-logout", "webhook")


def site_tenant(base_urls: Sequence[str], *, application: str = "") -> TenantDeclaration:
    """The whole declaration, for a site that is reached at `base_urls`; `application` is a name for want of another.

    Logto itself calls the first of them that it can reach. Raises ConfigurationError.
    """
    declared = declaration()
    return replace(
        declared,
        application=declared.application or application,
        application_id=conf.app_id if signs_people_in() else "",
        redirect_uris=redirect_uris(base_urls),
        post_sign_out_uris=post_sign_out_uris(base_urls),
        back_channel_logout_uri=_called("back-channel-logout", base_urls),
        webhook_url=_called("webhook", base_urls),
    )


def declaration() -> TenantDeclaration:
    """What `LOGTO_TENANT` names, a declaration of nothing without it. Raises ConfigurationError."""
    if not conf.tenant:
        return TenantDeclaration()
    try:
        declared = import_string(conf.tenant)
    except ImportError as error:
        raise ConfigurationError(f"LOGTO_TENANT is {conf.tenant!r}, which cannot be imported: {error}.") from error
    if not isinstance(declared, TenantDeclaration):
        kind = type(declared).__name__
        raise ConfigurationError(f"LOGTO_TENANT is {conf.tenant!r}, which is a {kind}, expected a TenantDeclaration.")
    return declared


def site_base_urls(given: Sequence[str]) -> list[str]:
    """The origins at which the site is reached: those given, else `LOGTO_BASE_URL`. Raises ConfigurationError."""
    base_urls = list(given) or ([conf.base_url] if conf.base_url else [])
    for url in base_urls:
        if not is_origin(url):
            raise ConfigurationError(
                f"The base URL {url!r} is not an origin without a path, such as https://shop.example."
            )
    return [normal_uri(url).rstrip("/") for url in base_urls]


def out_of_reach(base_urls: Sequence[str]) -> str:
    """What Logto will not call, and why, in a sentence; empty when it can call what it has to."""
    if not (base_urls and any(map(_path, CALLED_BY_LOGTO))) or _reachable(base_urls):
        return ""
    return (
        f"Logto cannot call this site at {', '.join(base_urls)}: it gets neither a back-channel logout URI nor a "
        "webhook, and sees sign-outs elsewhere at the next refresh."
    )


def has_addresses() -> bool:
    """Whether there is anything among the site's URLs that Logto has to know the address of."""
    return any(map(_path, ("callback", *CALLED_BY_LOGTO)))


def signs_people_in() -> bool:
    """Whether the callback is among the site's URLs; that of a site which is an API alone is not."""
    return bool(_path("callback"))


def redirect_uris(base_urls: Sequence[str]) -> list[str]:
    """Where Logto sends people back to after a sign-in."""
    return _at_each(base_urls, lambda: _path("callback"))


def post_sign_out_uris(base_urls: Sequence[str]) -> list[str]:
    """Where Logto sends people back to after a sign-out."""
    if not signs_people_in():
        return []
    return _at_each(base_urls, lambda: resolve_url(settings.LOGOUT_REDIRECT_URL or "/"))


def _called(view: str, base_urls: Sequence[str]) -> str:
    """The address at which Logto calls a view; empty where it could not, or where the site has no such view."""
    path, base_url = _path(view), _reachable(base_urls)
    return urljoin(base_url, path) if path and base_url else ""


def _reachable(base_urls: Sequence[str]) -> str:
    """The first base URL that Logto can call, empty when there is none."""
    is_beside = is_loopback(conf.endpoint)
    return next((url for url in base_urls if "*" not in url and (is_beside or not is_loopback(url))), "")


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


def _path(view: str) -> str:
    try:
        return reverse(f"logto_auth:{view}")
    except NoReverseMatch:
        return ""
