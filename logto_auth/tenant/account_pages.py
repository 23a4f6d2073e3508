"""The account pages that the site's URLs include, and what they need of Logto.

The pages are in a layer above this one. They are found by their URLs, and say themselves what they need.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.conf.urls.i18n import is_language_prefix_patterns_used
from django.urls import Resolver404, get_resolver, get_script_prefix, resolve
from django.utils import translation

__all__ = ["IncludedPage", "included_pages", "is_path_of_site"]

APP_NAME = "logto_account"
# The page that shows several fields, none of which it requires.
FIELDS = {"profile": ("name", "avatar", "profile")}


@dataclass(frozen=True)
class IncludedPage:
    """An account page: the name of its URL, and the scopes and fields of the account center that it needs."""

    name: str
    scopes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def included_pages() -> list[IncludedPage]:
    """Return the account pages that the site's URLs include. Empty if they do not include `logto_auth.account.urls`."""
    return list(_pages()) if getattr(settings, "ROOT_URLCONF", None) else []


def _pages() -> Iterator[IncludedPage]:
    resolver: Any = get_resolver()
    # As `reverse` does, take the first instance if none has the name of the app.
    instances = resolver.app_dict.get(APP_NAME, [])
    if not instances:
        return
    _, included = resolver.namespace_dict[APP_NAME if APP_NAME in instances else instances[0]]
    for pattern in included.url_patterns:
        view = getattr(pattern.callback, "view_class", None)
        field = getattr(view, "field", "")
        yield IncludedPage(
            name=pattern.name or "",
            scopes=tuple(getattr(view, "scopes", ())),
            fields=FIELDS.get(pattern.name, (field,) if field else ()),
        )


def is_path_of_site(path: str) -> bool:
    """Return whether a view of the site answers at a path, or where Django redirects a request for the path."""
    prefix = get_script_prefix()
    if not path.startswith(prefix) or not getattr(settings, "ROOT_URLCONF", None):
        return False
    local = f"/{path.removeprefix(prefix)}"
    slashed = [local] if local.endswith("/") or not settings.APPEND_SLASH else [local, f"{local}/"]
    languages = [""]
    if is_language_prefix_patterns_used(settings.ROOT_URLCONF)[0]:
        languages.append(f"/{translation.get_language()}")
    return any(_is_resolved(f"{language}{each}") for language in languages for each in slashed)


def _is_resolved(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
