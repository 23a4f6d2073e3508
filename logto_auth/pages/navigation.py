"""The links between pages that belong together."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.functional import Promise

__all__ = ["NavigationEntry"]


class NavigationEntry(NamedTuple):
    """A link of the navigation."""

    name: str
    label: str | Promise
    url: str
    is_current: bool
