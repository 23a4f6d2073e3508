"""Texts that several commands share: numbers with nouns, durations, the width of terminals and of characters."""

from __future__ import annotations

import os
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["counted", "counts_text", "duration", "padded", "terminal_width", "width_of", "wrapped"]

DEFAULT_WIDTH = 80


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: "1 failure", "2 failures", "1,200 users"."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def counts_text(counts: Mapping[str, int], names: Iterable[str]) -> str:
    """Return the counts that are not 0, in this order: "created: 20,118, suspended: 12"."""
    return ", ".join(f"{name}: {counts[name]:,}" for name in names if counts.get(name))


def duration(seconds: float) -> str:
    """Return a duration as "8 s", "1:05 min" or "2:30 h"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"


def terminal_width(stream: Any) -> int | None:
    """Return the number of columns of the terminal that the stream is. None if it is none, such as a pipe."""
    if not stream.isatty():
        return None
    if (given := os.environ.get("COLUMNS", "")).isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(stream.fileno()).columns or DEFAULT_WIDTH
    except (OSError, ValueError):
        return DEFAULT_WIDTH


def wrapped(text: str, *, width: int | None, indent: int) -> str:
    """Return the text in lines of `width`, of which all but the first are indented. URLs and names stay whole."""
    if width is None:
        return text
    return textwrap.fill(
        text,
        max(width - 1, indent + 20),
        initial_indent=" " * indent,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )[indent:]


def width_of(text: str) -> int:
    """Return the number of columns that a terminal needs for the text. Chinese characters need two each."""
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text
    )


def padded(text: str, width: int) -> str:
    """Return the text with spaces up to this number of columns."""
    return text + " " * (width - width_of(text))
