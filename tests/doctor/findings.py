"""The findings of the doctor, as lines of text."""

from __future__ import annotations

from collections.abc import Callable

API = "https://bookstore.example/api"

Found = Callable[..., list[str]]


def only(lines: list[str]) -> str:
    """Return the only line."""
    (line,) = lines
    return line
