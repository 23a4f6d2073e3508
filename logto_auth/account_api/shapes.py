"""The shape of Logto's JSON: values that do not have the type that `types` declares are left out."""

from __future__ import annotations

import types
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

__all__ = ["UNFIT", "Unfit", "fitting", "required_keys"]


class Unfit(Enum):
    """The type of `UNFIT`."""

    UNFIT = "unfit"


UNFIT = Unfit.UNFIT
"""In place of a value that is not of the expected type."""


class _NotRequired:
    """Stands for `NotRequired`, which Python 3.10 does not have."""

    def __class_getitem__(cls, item: Any) -> Any:
        return Annotated[item, "optional"]


def fitting(value: Any, kind: Any) -> Any:
    """Return JSON without the parts that do not fit the type `kind`; `UNFIT` if the whole of it does not.

    A page can then rely on the types: what has another one is missing, as if Logto had not sent it. Keys that the type
    does not name are kept. A text of a `Literal` may be another one, of a newer Logto.
    """
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if kind is Any:
        return value
    if is_typeddict(kind):
        return _object(value, kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        fits = (fitting(value, each) for each in arguments)
        return next((each for each in fits if each is not UNFIT), UNFIT)
    if origin is list:
        return _without_unfit(value, arguments[0]) if isinstance(value, list) else UNFIT
    if origin is dict:
        return _dict(value, arguments[1]) if isinstance(value, dict) else UNFIT
    return _plain(value, str if origin is Literal else kind)


def _without_unfit(value: list[Any], kind: Any) -> list[Any]:
    return [each for each in (fitting(item, kind) for item in value) if each is not UNFIT]


def _dict(value: dict[str, Any], kind: Any) -> dict[str, Any]:
    fits = {key: fitting(each, kind) for key, each in value.items()}
    return {_storable(key): each for key, each in fits.items() if each is not UNFIT}


def _object(value: Any, kind: Any) -> Any:
    if not isinstance(value, dict):
        return UNFIT
    hints = _hints(kind)
    fits = {key: fitting(each, hints[key]) if key in hints else each for key, each in value.items()}
    found = {key: each for key, each in fits.items() if each is not UNFIT}
    return found if found.keys() >= required_keys(kind) else UNFIT


def _plain(value: Any, kind: Any) -> Any:
    if kind is types.NoneType:
        return value if value is None else UNFIT
    if kind is str:
        return _storable(value) if isinstance(value, str) else UNFIT
    if kind is bool:
        return value if isinstance(value, bool) else UNFIT
    return value if isinstance(value, int | float) and not isinstance(value, bool) else UNFIT


def _storable(text: str) -> str:
    """Return the text with a question mark for each half of a surrogate pair: no page can contain one."""
    return text.encode("utf-8", "replace").decode()


@lru_cache(maxsize=64)
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind, localns={"NotRequired": _NotRequired}, include_extras=True)


@lru_cache(maxsize=64)
def required_keys(kind: Any) -> frozenset[str]:
    """Return the keys without which an object does not fit the type."""
    if not kind.__total__:
        return frozenset()
    return frozenset(name for name, hint in _hints(kind).items() if get_origin(hint) is not Annotated)
