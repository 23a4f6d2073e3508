"""Read claims as text or as a list of names. A claim of another type counts as missing."""

from __future__ import annotations

import time
from typing import TypeGuard

from .types import Claims

__all__ = [
    "MAX_NAME_LENGTH",
    "is_name",
    "is_numeric_date",
    "names_in",
    "seconds_since_authentication",
    "storable",
    "text",
]

MAX_NAME_LENGTH = 255

_MAX_NUMERIC_DATE = 1e12


def text(claims: Claims, name: str) -> str:
    """Return a claim as storable text, or an empty string when it is missing, null or not text."""
    value = claims.get(name)
    return storable(value).strip() if isinstance(value, str) else ""


def storable(text: str) -> str:
    """Return `text` without NUL and lone surrogates, which databases cannot store."""
    return text.replace("\x00", "").encode(errors="ignore").decode()


def names_in(claims: Claims, name: str) -> list[str] | None:
    """Return the names in a list claim, or None when it is missing or not a list.

    Entries that cannot be a name are left out, such as text with a NUL or a lone surrogate.
    """
    value = claims.get(name)
    if not isinstance(value, list):
        return None
    return [entry for entry in value if is_name(entry)]


def is_name(value: object) -> TypeGuard[str]:
    """Return whether `value` can be the name or the ID of an object in Logto.

    It is text of 1 to 255 printable characters, so that a database can store it and a log can show it.
    """
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME_LENGTH and value.isprintable()


def is_numeric_date(value: object) -> TypeGuard[float]:
    """Return whether `value` can be a time in seconds since the epoch (RFC 7519, section 2)."""
    # In Python, JSON's true is an int, 1e400 is infinity, and an integer may have thousands of digits.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MAX_NUMERIC_DATE


def seconds_since_authentication(claims: Claims, now: float | None = None) -> float | None:
    """Return how many seconds ago the user authenticated at Logto, or None when `auth_time` is missing or not a time.

    `now` is in seconds since the epoch, by default the present time.
    """
    auth_time = claims.get("auth_time")
    if not is_numeric_date(auth_time):
        return None
    return (time.time() if now is None else now) - auth_time
