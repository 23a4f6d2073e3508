"""What a database refuses is left out, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DataError, IntegrityError, OperationalError

from logto_auth.storable import write_storable

EMOJI = "\U0001f600"


def refusing(accepts: Any, error: Exception) -> Any:
    """Return a function that writes values, if `accepts` is true of each text."""

    def write(values: dict[str, Any]) -> dict[str, Any]:
        if not all(accepts(value) for value in values.values() if isinstance(value, str)):
            raise error
        return values

    return write


def has_no_emoji(text: str) -> bool:
    return EMOJI not in text


@pytest.mark.parametrize(
    "error",
    [DataError(1406), OperationalError(1366, "Incorrect string value"), UnicodeEncodeError("latin-1", "", 0, 1, "")],
)
@pytest.mark.parametrize(
    ("accepts", "stored"),
    [
        (lambda text: True, {"name": f"Zoë {EMOJI}", "city": "Rome", "level": 1}),
        (has_no_emoji, {"name": "Zoë", "city": "Rome", "level": 1}),
        (str.isascii, {"city": "Rome", "level": 1}),
    ],
    ids=["all", "basic-plane", "ascii"],
)
def test_mildest_version_is_stored(accepts: Any, stored: dict[str, Any], error: Exception, caplog: Any) -> None:
    values = {"name": f"Zoë {EMOJI}", "city": "Rome", "level": 1}
    assert write_storable(values, refusing(accepts, error)) == stored
    assert ("name" in caplog.text) == (stored != values)
    assert "Zoë" not in caplog.text


@pytest.mark.parametrize("error", [OperationalError(2006, "gone away"), IntegrityError(), OperationalError()])
def test_other_error_is_raised_at_once(error: Exception) -> None:
    calls = []

    def write(values: dict[str, Any]) -> None:
        calls.append(values)
        raise error

    with pytest.raises(type(error)):
        write_storable({"name": EMOJI}, write)
    assert len(calls) == 1


def test_last_refusal_is_raised() -> None:
    with pytest.raises(DataError):
        write_storable({"name": "Rome"}, refusing(lambda text: False, DataError()))
