"""The links between the account pages, also for pages of the site that stand beside them."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from logto_auth.exceptions import LogtoError
from logto_auth.pages.navigation import NavigationEntry, optional_url
from logto_auth.sessions.principal import session_principal
from logto_auth.sessions.public_settings import account_center

__all__ = ["account_navigation", "navigation_entries", "url_of"]


# Name of the URL, label, and the field of the account center without which there is nothing to show.
NAVIGATION: tuple[tuple[str, str | Promise, str], ...] = (
    ("profile", _("Profile"), ""),
    ("security", _("Security"), ""),
    ("linked", _("Linked accounts"), "social"),
    ("sessions", _("Sessions"), ""),
    ("applications", _("Applications"), "session"),
    ("api-keys", _("API keys"), ""),
)
# The names of URLs of other parts of this package.
URLS_ELSEWHERE = {"api-keys": "logto_api_keys:list"}


def account_navigation(request: HttpRequest) -> list[NavigationEntry]:
    """Return the links to the account pages, for the context of a page of the site that extends their template.

    The context needs them as `navigation`. The list is empty for a user who is signed in without Logto, whose account
    Logto does not manage. If Logto does not respond, no page is left out.
    """
    if not session_principal(request).is_authenticated:
        return []
    try:
        fields = account_center()["fields"]
    except LogtoError:
        return navigation_entries(lambda field: "Edit")
    return navigation_entries(lambda field: str(fields.get(field, "Off")))


def navigation_entries(permission: Callable[[str], str], current: str = "") -> list[NavigationEntry]:
    """Return the links to the pages that the site has and whose field of the account center is not Off.

    `current` is the name of the page that is shown.
    """
    return [
        NavigationEntry(name, label, url, name == current)
        for name, label, field in NAVIGATION
        if not (field and permission(field) == "Off") and (url := url_of(name))
    ]


def url_of(name: str, *args: str) -> str:
    """Return the URL path of a page of the account centre, "" if the site has left that page out."""
    return optional_url(URLS_ELSEWHERE.get(name, f"logto_account:{name}"), *args)
