"""Texts that a database does not accept: MySQL's `utf8mb3` has no emoji, and Latin-1 has no Chinese.

A name decorates an account. It must not lock the user out, so it is shortened or dropped where it cannot be stored.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import DataError, OperationalError

T = TypeVar("T")

logger = logging.getLogger("logto_auth")

# What a database or a model raises for values that it does not accept: if `is_refused_value` confirms it.
VALUE_ERRORS = (DataError, OperationalError, TypeError, ValidationError, ValueError)
# Errors of MySQL and MariaDB about characters. The driver mysqlclient reports them as OperationalError.
CHARACTER_ERRORS = {1267, 1300, 1366, 1977, 3854}
LAST_OF_BASIC_PLANE = "\uffff"


def is_refused_value(error: Exception) -> bool:
    """Return whether a value is at fault. If not, the database itself has a problem."""
    return not isinstance(error, OperationalError) or bool(error.args and error.args[0] in CHARACTER_ERRORS)


def write_storable(values: Mapping[str, Any], write: Callable[[dict[str, Any]], T]) -> T:
    """Return `write(values)`. If the database refuses a value, call `write` again with less text.

    First without the characters that `utf8mb3` lacks, such as emoji; then without the texts that are not ASCII. What
    was left out is logged by name, if the last call returned something true. `write` must use a savepoint of its own.
    Raise the last error if the database accepts nothing.
    """
    for version in _versions(values):
        left_out = sorted(name for name, value in values.items() if version.get(name) != value)
        try:
            result = write(version)
        except VALUE_ERRORS as error:
            if not is_refused_value(error):
                raise
            refusal = error
        else:
            if left_out and result:
                logger.warning("The database does not accept all characters of: %s. Left out.", ", ".join(left_out))
            return result
    raise refusal


def _versions(values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield dict(values)
    basic = {name: _in_basic_plane(value) if isinstance(value, str) else value for name, value in values.items()}
    if basic != values:
        yield dict(basic)
    plain = {name: value for name, value in basic.items() if not isinstance(value, str) or value.isascii()}
    if plain != basic:
        yield plain


def _in_basic_plane(text: str) -> str:
    return "".join(character for character in text if character <= LAST_OF_BASIC_PLANE).strip()
