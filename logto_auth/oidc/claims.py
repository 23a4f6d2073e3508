"""Read claims as text or as a list of names. A claim of another type counts as missing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, NoReturn, TypeGuard

from .types import Claims

__all__ = [
    "MAX_CLIENT_ID_LENGTH",
    "MAX_NAME_LENGTH",
    "frozen",
    "is_name",
    "is_numeric_date",
    "names_in",
    "seconds_since_authentication",
    "storable",
    "text",
]

MAX_NAME_LENGTH = 255
# That of a client whose ID is the URL of its metadata document (CIMD). No column stores it.
MAX_CLIENT_ID_LENGTH = 2048

# In the year 5138. Every later calculation with such a time still fits into a datetime.
_MAX_NUMERIC_DATE = 1e11


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


def is_name(value: object, *, max_length: int = MAX_NAME_LENGTH) -> TypeGuard[str]:
    """Return whether `value` can be the name or the ID of an object in Logto.

    It is text of 1 to 255 printable characters, so that a database can store it and a log can show it.
    """
    return isinstance(value, str) and 0 < len(value) <= max_length and value.isprintable()


def is_numeric_date(value: object) -> TypeGuard[float]:
    """Return whether `value` can be a time in seconds since the epoch (RFC 7519, section 2)."""
    # In Python, JSON's true is an int, 1e400 is infinity, and an integer may have thousands of digits.
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < _MAX_NUMERIC_DATE


def seconds_since_authentication(claims: Claims, now: float | None = None, *, leeway_seconds: int = 60) -> float | None:
    """Return how many seconds ago the user authenticated at Logto.

    Return None when `auth_time` is missing, is not a time, or is in the future: such a time never counts as recent. By
    `leeway_seconds` the clocks may differ. `now` is in seconds since the epoch, by default the present time.
    """
    auth_time = claims.get("auth_time")
    if not is_numeric_date(auth_time):
        return None
    age = (time.time() if now is None else now) - auth_time
    return age if age >= -leeway_seconds else None


def frozen(claims: Claims) -> Claims:
    """Return a copy of `claims` that cannot be changed, nor can the objects and lists in it.

    Verified claims are shared between requests. The copy is still a dict with dicts and lists in it, so that it can be
    serialized as JSON and pickled. `copy.deepcopy(claims)` returns plain dicts and lists, which can be changed.
    """
    return _FrozenDict({name: _frozen_value(value) for name, value in claims.items()})


def _frozen_value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return frozen(value)
    return _FrozenList(map(_frozen_value, value)) if isinstance(value, list) else value


def _refuse_change(self: object, *args: object, **options: object) -> NoReturn:
    raise TypeError("Claims cannot be changed, because requests share them. Change a copy: copy.deepcopy(claims).")


class _FrozenDict(dict[str, Any]):
    __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse_change

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (dict(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        return {name: deepcopy(value, memo) for name, value in self.items()}


class _FrozenList(list[Any]):
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse_change
    append = clear = extend = insert = pop = remove = reverse = sort = _refuse_change

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        return [deepcopy(value, memo) for value in self]
