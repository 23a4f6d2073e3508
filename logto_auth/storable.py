"""Texts that a database does not accept: MySQL's `utf8mb3` has no emoji, and Latin-1 has no Chinese.

Such a text is shortened or dropped, so that a name never prevents a sign-in.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import DataError, OperationalError

T = TypeVar("T")

logger = logging.getLogger("logto_auth")

# Errors that may mean that a database or a model does not accept a value: `is_refused_value` decides.
VALUE_ERRORS = (DataError, OperationalError, TypeError, ValidationError, ValueError)
# Errors of MySQL and MariaDB about characters. The driver mysqlclient reports them as OperationalError.
CHARACTER_ERRORS = {1267, 1300, 1366, 1977, 3854}
LAST_OF_BASIC_PLANE = "\uffff"


def is_refused_value(error: Exception) -> bool:
    """Return whether one of `VALUE_ERRORS` is about a value. If not, the database itself has a problem."""
    return not isinstance(error, OperationalError) or bool(error.args and error.args[0] in CHARACTER_ERRORS)


def write_storable(values: Mapping[str, Any], write: Callable[[dict[str, Any]], T]) -> T:
    """Return `write(values)`. If the database refuses a value, call `write` again with less text.

    The second call is without the characters that `utf8mb3` lacks, such as emoji. The third is without the texts that
    are not ASCII. The names of shortened values are logged, unless `write` returns something false. `write` must use a
    savepoint of its own. Raise the last error if the database accepts no version.
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
