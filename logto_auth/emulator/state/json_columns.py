"""Helpers for values that Logto stores in JSON columns: the order of keys, and single keys as attributes."""

from __future__ import annotations

from typing import Any, Generic, TypeVar, cast, overload

_Value = TypeVar("_Value")


def jsonb(value: Any) -> Any:
    """Return the value in the order of PostgreSQL's `jsonb`: keys by length, then by bytes."""
    if isinstance(value, dict):
        return {key: jsonb(value[key]) for key in sorted(value, key=lambda key: (len(key.encode()), key.encode()))}
    return [jsonb(each) for each in value] if isinstance(value, list) else value


class JsonKey(Generic[_Value]):
    """A key of a JSON column as an attribute. Like Logto, it does not store the default."""

    def __init__(self, column: str, key: str, default: _Value) -> None:
        self._column, self._key, self._default = column, key, default

    @overload
    def __get__(self, owner: None, kind: type) -> JsonKey[_Value]: ...

    @overload
    def __get__(self, owner: object, kind: type) -> _Value: ...

    def __get__(self, owner: object | None, kind: type) -> JsonKey[_Value] | _Value:
        if owner is None:
            return self
        column: dict[str, Any] = getattr(owner, self._column)
        return cast(_Value, column.get(self._key, self._default))

    def __set__(self, owner: object, value: _Value) -> None:
        getattr(owner, self._column)[self._key] = value


def cleaned(value: Any) -> Any:
    """Return the JSON value without nulls and empty values at any depth. Logto cleans connector configs this way."""
    if isinstance(value, dict):
        return {
            name: inner for name, inner in ((name, cleaned(each)) for name, each in value.items()) if _is_full(inner)
        }
    if isinstance(value, list):
        return [inner for inner in map(cleaned, value) if _is_full(inner)]
    return value


def _is_full(value: Any) -> bool:
    return value is not None and value != "" and value != {} and value != []
