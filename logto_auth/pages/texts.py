"""The texts of an error page."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

__all__ = ["PageText", "whole_minutes"]


@dataclass(frozen=True)
class PageText:
    """The texts of an error page. `remedy` is for the operator: staff and the log see it."""

    title: str | Promise
    text: str | Promise
    remedy: str | Promise = ""


def whole_minutes(seconds: int) -> int:
    """Return how many minutes a user has to wait, rounded up; at least one."""
    return max(1, -(-seconds // 60))
