"""Reading claims as what they should be: text, or a list of names. Anything else counts as missing."""

from __future__ import annotations

import time

from .types import Claims


def text(claims: Claims, name: str) -> str:
    """A claim as text; empty when it is missing, null or not text. Never with what databases cannot store: a NUL, or
    half a surrogate pair."""
    value = claims.get(name)
    return value.replace("\x00", "").encode(errors="ignore").decode().strip() if isinstance(value, str) else ""


def names_in(claims: Claims, name: str) -> list[str] | None:
    """The texts in a list claim, None when it is missing or not a list. What cannot be a name is passed over: half a
    surrogate pair or a NUL is text to JSON, and to no database."""
    value = claims.get(name)
    if not isinstance(value, list):
        return None
    return [entry for entry in value if is_name(entry)]


def is_name(value: object) -> bool:
    """Whether `value` can be the name or the id of anything at Logto."""
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable()


def seconds_since_authentication(claims: Claims) -> float | None:
    """How long ago the person proved at Logto who they are; None when Logto did not say, or not in numbers."""
    auth_time = claims.get("auth_time")
    if isinstance(auth_time, bool) or not isinstance(auth_time, int | float):
        return None
    return time.time() - auth_time
