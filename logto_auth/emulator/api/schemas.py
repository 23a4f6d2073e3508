"""Schemas for input, with error messages worded like those of Zod, which Logto uses.

A schema is a function: it takes a value and its path, and returns the validated value or raises `Misfit`. Keys that the
schema of an object does not know are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from logto_auth.emulator.oidc.redirect_uris import parse_url

from .errors import Issue

Path = tuple[str | int, ...]
Schema = Callable[[Any, Path], Any]


# What Zod's check of an e-mail address accepts: ASCII only.
_EMAIL = r"^(?!\.)(?!.*\.\.)([A-Z0-9_'+\-.]*)[A-Z0-9_+-]@([A-Z0-9][A-Z0-9\-]*\.)+[A-Z]{2,}$"


class _Missing:
    """The type of `MISSING`, the value of an absent key."""


MISSING = _Missing()


class Misfit(Exception):
    """A value does not match its schema. `issues` are Zod's, in order."""

    def __init__(self, *issues: Issue) -> None:
        super().__init__(issues)
        self.issues = list(issues)


def text(
    *, at_least: int = 0, at_most: int | None = None, pattern: str | None = None, url: bool = False, email: bool = False
) -> Schema:
    """Return a schema for a string."""

    def schema(value: Any, path: Path) -> Any:
        _check_type(value, str, "string", path)
        if len(value) < at_least:
            raise Misfit(_size_issue("too_small", "minimum", at_least, "string", path))
        if at_most is not None and _length(value) > at_most:
            raise Misfit(_size_issue("too_big", "maximum", at_most, "string", path))
        if pattern is not None and not _matches(pattern, value, re.ASCII):
            raise Misfit(_string_issue("regex", "Invalid", path))
        if email and not _matches(_EMAIL, value, re.ASCII | re.IGNORECASE):
            raise Misfit(_string_issue("email", "Invalid email", path))
        if url and parse_url(value) is None:
            raise Misfit(_string_issue("url", "Invalid url", path))
        return value

    return schema


def _length(value: str) -> int:
    """Return the length in JavaScript, which counts units of UTF-16: most emoji are two."""
    return len(value) + sum(letter > "\uffff" for letter in value)


def _matches(pattern: str, value: str, flags: int = 0) -> bool:
    # In JavaScript, `$` does not match before a last line break.
    return re.search(re.sub(r"\$$", r"\\Z", pattern), value, flags) is not None


def choice(*options: str) -> Schema:
    """Return a schema for one of these strings."""
    expected = " | ".join(f"'{option}'" for option in options)

    def schema(value: Any, path: Path) -> Any:
        if not isinstance(value, str):
            raise Misfit(_enum_type_issue(value, expected, path))
        if value not in options:
            message = f"Invalid enum value. Expected {expected}, received '{value}'"
            raise Misfit(
                {
                    "received": value,
                    "code": "invalid_enum_value",
                    "options": list(options),
                    "path": list(path),
                    "message": message,
                }
            )
        return value

    return schema


def literal(expected: str) -> Schema:
    """Return a schema for exactly this string."""

    def schema(value: Any, path: Path) -> Any:
        if value == expected:
            return value
        received = {} if value is MISSING else {"received": value}
        message = f'Invalid literal value, expected "{expected}"'
        issue = {"code": "invalid_literal", "expected": expected, "path": list(path), "message": message}
        raise Misfit({**received, **issue})

    return schema


def integer(*, at_least: int | None = None, at_most: int | None = None) -> Schema:
    """Return a schema for a whole number."""

    def schema(value: Any, path: Path) -> Any:
        number(value, path)
        if int(value) != value:
            raise Misfit(_issue("invalid_type", path, "Expected integer, received float", "integer", "float"))
        if at_least is not None and value < at_least:
            raise Misfit(_size_issue("too_small", "minimum", at_least, "number", path))
        if at_most is not None and value > at_most:
            raise Misfit(_size_issue("too_big", "maximum", at_most, "number", path))
        return int(value)

    return schema


def number(value: Any, path: Path) -> Any:
    """Accept a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Misfit(_type_issue("number", value, path))
    return value


def number_of(*, at_least: float) -> Schema:
    """Return a schema for a number, also one with a fraction."""

    def schema(value: Any, path: Path) -> Any:
        if number(value, path) < at_least:
            raise Misfit(_size_issue("too_small", "minimum", at_least, "number", path))
        return value

    return schema


def boolean(value: Any, path: Path) -> Any:
    """Accept a boolean."""
    return _check_type(value, bool, "boolean", path)


def anything(value: Any, path: Path) -> Any:
    """Accept any JSON object."""
    return _check_type(value, dict, "object", path)


def list_of(item: Schema, *, at_least: int = 0, at_most: int | None = None) -> Schema:
    """Return a schema for a list."""

    def schema(value: Any, path: Path) -> Any:
        _check_type(value, list, "array", path)
        if len(value) < at_least:
            raise Misfit(_size_issue("too_small", "minimum", at_least, "array", path))
        if at_most is not None and len(value) > at_most:
            raise Misfit(_size_issue("too_big", "maximum", at_most, "array", path))
        return [fitted for _, fitted in _fitted(((index, item, each) for index, each in enumerate(value)), path)]

    return schema


def record_of(item: Schema) -> Schema:
    """Return a schema for an object with any keys, whose values match `item`."""

    def schema(value: Any, path: Path) -> Any:
        _check_type(value, dict, "object", path)
        return dict(_fitted(((name, item, each) for name, each in value.items()), path))

    return schema


def object_of(**members: Schema) -> Schema:
    """Return a schema for an object with these keys, in this order."""

    def schema(value: Any, path: Path) -> Any:
        _check_type(value, dict, "object", path)
        given = ((name, member, value.get(name, MISSING)) for name, member in members.items())
        return {name: fitted for name, fitted in _fitted(given, path) if fitted is not MISSING}

    return schema


def strict_object_of(**members: Schema) -> Schema:
    """Return a schema for an object with these keys, in this order, and no others."""
    known = object_of(**members)

    def schema(value: Any, path: Path) -> Any:
        issues: list[Issue] = []
        fitted: Any = None
        try:
            fitted = known(value, path)
        except Misfit as misfit:
            issues += misfit.issues
        unknown = [name for name in value if name not in members] if isinstance(value, dict) else []
        if unknown:
            names = ", ".join(f"'{name}'" for name in unknown)
            message = f"Unrecognized key(s) in object: {names}"
            issues.append({"code": "unrecognized_keys", "keys": unknown, "path": list(path), "message": message})
        if issues:
            raise Misfit(*issues)
        return fitted

    return schema


def optional(inner: Schema) -> Schema:
    """Return a schema that accepts an absent key too."""
    return lambda value, path: MISSING if value is MISSING else inner(value, path)


def with_default(inner: Schema, default: Any) -> Schema:
    """Return a schema that takes `default` in place of an absent key, as Zod's `default` does."""
    return lambda value, path: inner(default if value is MISSING else value, path)


def nullable(inner: Schema) -> Schema:
    """Return a schema that accepts null too."""
    return lambda value, path: None if value is None else inner(value, path)


def or_empty(inner: Schema) -> Schema:
    """Return a schema that accepts the empty string too."""

    def schema(value: Any, path: Path) -> Any:
        if value == "":
            return value
        try:
            return inner(value, path)
        except Misfit as misfit:
            literal = {
                "received": value,
                "code": "invalid_literal",
                "expected": "",
                "path": list(path),
                "message": 'Invalid literal value, expected ""',
            }
            raise Misfit(_union_issue([misfit.issues, [literal]], path)) from None

    return schema


def union(*members: Schema) -> Schema:
    """Return a schema that accepts what one of these accepts."""

    def schema(value: Any, path: Path) -> Any:
        errors = []
        for member in members:
            try:
                return member(value, path)
            except Misfit as misfit:
                errors.append(misfit.issues)
        raise Misfit(_union_issue(errors, path))

    return schema


def discriminated(key: str, **members: Schema) -> Schema:
    """Return a schema for an object whose `key` names one of the members, which is its schema."""

    def schema(value: Any, path: Path) -> Any:
        _check_type(value, dict, "object", path)
        if value.get(key) not in members:
            expected = " | ".join(f"'{name}'" for name in members)
            raise Misfit(
                {
                    "code": "invalid_union_discriminator",
                    "options": list(members),
                    "path": [*path, key],
                    "message": f"Invalid discriminator value. Expected {expected}",
                }
            )
        return members[value[key]](value, path)

    return schema


def custom(check: Callable[[Any], bool], inner: Schema, *, message: str = "Invalid input") -> Schema:
    """Return a schema with an additional check, reported as Zod's `custom` issue."""

    def schema(value: Any, path: Path) -> Any:
        if not check(inner(value, path)):
            raise Misfit({"code": "custom", "message": message, "path": list(path)})
        return value

    return schema


def _fitted(members: Any, path: Path) -> list[tuple[Any, Any]]:
    """Return each key with its validated value. Raise one Misfit with the issues of all members."""
    fitted, issues = [], []
    for key, schema, value in members:
        try:
            fitted.append((key, schema(value, (*path, key))))
        except Misfit as misfit:
            issues += misfit.issues
    if issues:
        raise Misfit(*issues)
    return fitted


def _check_type(value: Any, kind: type, name: str, path: Path) -> Any:
    if not isinstance(value, kind):
        raise Misfit(_type_issue(name, value, path))
    return value


def _type_issue(expected: str, value: Any, path: Path) -> Issue:
    received = _type_name(value)
    message = "Required" if value is MISSING else f"Expected {expected}, received {received}"
    return _issue("invalid_type", path, message, expected, received)


def _enum_type_issue(value: Any, expected: str, path: Path) -> Issue:
    received = _type_name(value)
    message = "Required" if value is MISSING else f"Expected {expected}, received {received}"
    return {
        "expected": expected,
        "received": received,
        "code": "invalid_type",
        "path": list(path),
        "message": message,
    }


def _issue(code: str, path: Path, message: str, expected: str, received: str) -> Issue:
    return {"code": code, "expected": expected, "received": received, "path": list(path), "message": message}


def _string_issue(validation: str, message: str, path: Path) -> Issue:
    return {"validation": validation, "code": "invalid_string", "message": message, "path": list(path)}


def _union_issue(errors: Sequence[list[Issue]], path: Path) -> Issue:
    errors_of_members = [{"issues": issues, "name": "ZodError"} for issues in errors]
    return {"code": "invalid_union", "unionErrors": errors_of_members, "path": list(path), "message": "Invalid input"}


def _size_issue(code: str, bound: str, value: float, kind: str, path: Path) -> Issue:
    word = {"too_small": "least", "too_big": "most"}[code]
    messages = {
        "string": f"String must contain at {word} {value} character(s)",
        "array": f"Array must contain at {word} {value} element(s)",
        "number": f"Number must be {'greater' if code == 'too_small' else 'less'} than or equal to {value}",
    }
    return {
        "code": code,
        bound: value,
        "type": kind,
        "inclusive": True,
        "exact": False,
        "message": messages[kind],
        "path": list(path),
    }


_TYPE_NAMES: Mapping[type, str] = {
    _Missing: "undefined",
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def _type_name(value: Any) -> str:
    return _TYPE_NAMES[type(value)]
