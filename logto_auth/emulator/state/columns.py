"""How values get into Logto's database: texts, and JSON columns.

PostgreSQL stores no NUL character: Logto answers 500. It stores no half of a surrogate pair in JSON: Logto answers 422.
In a text, Node.js replaces such a half. Logto stores an empty text as NULL. Source: tried with Logto 1.42.
"""

from __future__ import annotations

import re
from typing import Any

from .refusals import Failed, Refused

__all__ = ["check_length", "check_text", "stored_json", "stored_text"]

_HALF_PAIR = re.compile("[\ud800-\udfff]")


def check_text(value: str) -> None:
    """Raise Failed for a text with which PostgreSQL runs no statement, not even a search."""
    if "\0" in value:
        raise Failed


def check_length(value: str, most: int) -> None:
    """Raise 422 `entity.value_too_long` if a text is longer than its column."""
    if len(value) > most:
        data = {"message": f"value too long for type character varying({most})"}
        raise Refused("entity.value_too_long", 422, data=data)


def stored_text(value: str | None) -> str | None:
    """Return what a column for texts has after `value` was written to it. Raise Failed."""
    if not value:
        return None
    check_text(value)
    return _HALF_PAIR.sub("\N{REPLACEMENT CHARACTER}", value)


def stored_json(value: Any) -> Any:
    """Return the value. Raise Failed or Refused if a JSON column cannot store it."""
    for text in _texts(value):
        check_text(text)
        if _HALF_PAIR.search(text):
            raise Refused("entity.invalid_input", 422, reason="Value list must not be empty.")
    return value


def _texts(value: Any) -> list[str]:
    """Return the keys and texts in a JSON value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, each in value.items() for text in [*_texts(key), *_texts(each)]]
    return [text for each in value for text in _texts(each)] if isinstance(value, list) else []
