"""The links between pages that belong together."""

from __future__ import annotations

from typing import NamedTuple

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise

__all__ = ["NavigationEntry", "optional_url"]


class NavigationEntry(NamedTuple):
    """A link of the navigation."""

    name: str
    label: str | Promise
    url: str
    is_current: bool


def optional_url(name: str, *args: str) -> str:
    """Return the URL path of the page with this URL name, "" if the site has left it out."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
