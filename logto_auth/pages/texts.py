"""The texts of an error page."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

__all__ = ["PageText"]


@dataclass(frozen=True)
class PageText:
    """The texts of an error page. `remedy` is for the operator: staff and the log see it."""

    title: str | Promise
    text: str | Promise
    remedy: str | Promise = ""
