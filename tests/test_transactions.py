"""The repetition of changes that a database has broken off."""

from __future__ import annotations

import pytest
from django.db import OperationalError, transaction

from logto_auth import transactions
from logto_auth.transactions import MAX_TRIES, repeat_after_deadlock


class PostgresError(Exception):
    sqlstate = "40P01"


class OldPostgresError(Exception):
    pgcode = "40P01"


def operational_error(*args: object, cause: Exception | None = None) -> OperationalError:
    error = OperationalError(*args)
    error.__cause__ = cause
    return error


DEADLOCKS = {
    "mysql": operational_error(1213, "Deadlock found when trying to get lock"),
    "psycopg": operational_error("deadlock detected", cause=PostgresError()),
    "psycopg2": operational_error("deadlock detected", cause=OldPostgresError()),
}


class Change:
    """A change that fails with these errors, one after the other, and then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop()
        return "done"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transactions, "LONGEST_WAIT_SECONDS", 0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("database", DEADLOCKS)
def test_change_is_repeated_after_deadlock(database: str) -> None:
    change = Change(*[DEADLOCKS[database]] * (MAX_TRIES - 1))
    assert repeat_after_deadlock(change) == "done"
    assert change.calls == MAX_TRIES


@pytest.mark.django_db(transaction=True)
def test_last_deadlock_is_raised() -> None:
    change = Change(*[DEADLOCKS["mysql"]] * MAX_TRIES)
    with pytest.raises(OperationalError, match="Deadlock"):
        repeat_after_deadlock(change)


@pytest.mark.django_db(transaction=True)
def test_other_errors_are_raised_at_once() -> None:
    change = Change(operational_error(2006, "Server has gone away"))
    with pytest.raises(OperationalError, match="gone away"):
        repeat_after_deadlock(change)
    assert change.calls == 1


@pytest.mark.django_db(transaction=True)
def test_transaction_of_caller_is_not_continued() -> None:
    change = Change(DEADLOCKS["psycopg"])
    with pytest.raises(OperationalError, match="deadlock"), transaction.atomic():
        repeat_after_deadlock(change)
    assert change.calls == 1
