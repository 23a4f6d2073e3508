"""The page to which a sign-in leads: a page of this site, or of one of `LOGTO_NEXT_ORIGINS`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from posixpath import normpath
from urllib.parse import unquote, urljoin, urlsplit

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, URLResolver, get_resolver, get_script_prefix, get_urlconf, reverse
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, get_language_from_path, override

from logto_auth.conf import conf
from logto_auth.tenant.declaration import normalize_uri

__all__ = ["is_allowed_next", "is_path_of", "is_sign_in_path", "safe_next_url", "view_url", "with_query"]

# In characters of the percent-encoded URL. The cookie of the pending sign-in has no room for more.
MAX_NEXT_LENGTH = 1024
# Names of the views that a sign-in never returns to.
SIGN_IN_VIEWS = (
    "sign-in",
    "callback",
    "sign-out",
    "sign-out-others",
    "back-channel-logout",
    "choose-organization",
)
SIGN_IN_NAMES = tuple(f"logto_auth:{name}" for name in SIGN_IN_VIEWS)


def safe_next_url(request: HttpRequest, url: str | None) -> str:
    """Return `url` if it leads to a page of this site, except the sign-in pages, or to one of `LOGTO_NEXT_ORIGINS`.

    Otherwise return `LOGIN_REDIRECT_URL`.
    """
    if url and is_allowed_next(request, url):
        return url
    return resolve_url(settings.LOGIN_REDIRECT_URL)


def is_allowed_next(request: HttpRequest, url: str) -> bool:
    """Return whether `url` leads to a page of this site, except the sign-in pages, or to one of `LOGTO_NEXT_ORIGINS`.

    Each `next` that comes from outside is checked by this function.
    """
    # Percent-encoding turns one character into up to twelve.
    if len(url) > MAX_NEXT_LENGTH or not url.isprintable() or len(iri_to_uri(url)) > MAX_NEXT_LENGTH:
        return False
    if url_has_allowed_host_and_scheme(url, {request.get_host()}, require_https=request.is_secure()):
        # A browser reads a relative URL, such as "?page=2", as relative to the callback, and a backslash as a slash.
        # Without a host, `urljoin` returns some paths that are no longer absolute, and some that look like a host.
        callback = urljoin("http://localhost", view_url("callback"))
        path = urlsplit(urljoin(callback, url.strip().replace("\\", "/"))).path
        # Browsers read `%2E` as a dot.
        return not is_sign_in_path(normpath(unquote(path)))
    origins = {normalize_uri(origin) for origin in conf.next_origins}
    # Django's function refuses what browsers and Python read differently. It does not compare schemes.
    hosts = {urlsplit(origin).netloc for origin in origins}
    return url_has_allowed_host_and_scheme(url, hosts) and f"{url}/".startswith(tuple(origins))


def is_sign_in_path(path: str) -> bool:
    """Return whether `path`, as in `request.path`, is that of a sign-in page in any language.

    A sign-in never leads to these pages. They run with a session that Logto has not confirmed.
    """
    return is_path_of(path, SIGN_IN_NAMES)


def is_path_of(path: str, names: tuple[str, ...]) -> bool:
    """Return whether `path`, as in `request.path`, is that of one of these views in any language.

    False if the URLconf lacks one of them.
    """
    prefix, resolver = get_script_prefix(), get_resolver(get_urlconf())
    languages = {get_language_from_path("/" + path.removeprefix(prefix)), settings.LANGUAGE_CODE, get_language()}
    return any(path in _paths(names, resolver, prefix, language) for language in languages if language)


# Each button of a page asks for it. A changed URLconf has another resolver.
@lru_cache(maxsize=128)
def _paths(names: tuple[str, ...], resolver: URLResolver, prefix: str, language: str) -> frozenset[str]:
    with override(language), suppress(NoReverseMatch):
        return frozenset(map(reverse, names))
    return frozenset()  # a host of the site without these pages


def view_url(name: str) -> str:
    """Return the URL of the view `logto_auth:name`.

    It is a path, except on a host of the site whose own URLconf (`request.urlconf`) lacks the view. There it is the
    URL of the view in `ROOT_URLCONF`, at `LOGTO_BASE_URL`.
    """
    try:
        return reverse(f"logto_auth:{name}")
    except NoReverseMatch:
        return urljoin(conf.base_url, reverse(f"logto_auth:{name}", urlconf=settings.ROOT_URLCONF))


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """Return `url` with `parameters` in its query, in place of those of the same name."""
    if not parameters:
        return url
    path, _, present = url.partition("?")
    query = QueryDict(present, mutable=True)
    for name, value in parameters.items():
        query[name] = value
    return f"{path}?{query.urlencode(safe='/')}"
