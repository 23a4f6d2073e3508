"""The database that this package writes to: its transactions, locks and deadlocks."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.apps import apps
from django.db import OperationalError, connections, models, router, transaction

__all__ = ["atomic", "database", "is_deadlock", "locked", "non_atomic", "repeat_after_deadlock"]

Row = TypeVar("Row", bound=models.Model)
Result = TypeVar("Result")
View = TypeVar("View", bound=Callable[..., object])

MAX_TRIES = 8
LONGEST_WAIT_SECONDS = 0.1
MYSQL_DEADLOCK = 1213
POSTGRESQL_DEADLOCK = "40P01"


def database() -> str:
    """Return the alias of the database to which the tables of this package and the users are written.

    A decision about an account reads from it as well, because a replica may lack the newest rows.
    """
    return router.db_for_write(apps.get_model("logto_auth", "LogtoIdentity"))


def atomic() -> transaction.Atomic:
    """Return a transaction of `database()`. Without the alias, Django's is one of the database `default`."""
    return transaction.atomic(using=database())


def non_atomic(view: View) -> View:
    """Return `view`, to which `ATOMIC_REQUESTS` does not apply.

    What a failure of the view would undo here has happened at Logto all the same.
    """
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


def locked(rows: models.QuerySet[Row]) -> models.QuerySet[Row]:
    """Return `rows` with a lock on each until the end of the transaction, taken in the order of their keys.

    Two transactions that lock the same rows in different orders would wait for each other. The keys stay unlocked where
    the database can do so: PostgreSQL checks foreign keys to these rows at the end of a transaction, which would wait.
    """
    can_spare_keys = connections[database()].features.has_select_for_no_key_update
    return rows.order_by("pk").select_for_update(no_key=can_spare_keys)  # type: ignore[no-any-return]


def repeat_after_deadlock(change: Callable[[], Result]) -> Result:
    """Call `change`, which must be safe to repeat, until it ends without a deadlock, and return its result.

    Rows are locked in one order where several change (`locked`). But MariaDB and MySQL may also lock rows that a query
    only passes on its way, and their manuals ask for such a repetition. In a transaction of the caller, `change` is
    called once, because the database has rolled all of it back.
    """
    for tries_left in reversed(range(MAX_TRIES)):
        try:
            return change()
        except OperationalError as error:
            if not tries_left or not is_deadlock(error) or connections[database()].in_atomic_block:
                raise
        time.sleep(random.uniform(0, LONGEST_WAIT_SECONDS))  # noqa: S311
    raise AssertionError("The last try returns or raises.")


def is_deadlock(error: OperationalError) -> bool:
    """Return whether the database has rolled back this transaction, so that another one could go on."""
    # psycopg has `sqlstate`, psycopg2 `pgcode`; the drivers of MySQL have a number as the first argument.
    cause = error.__cause__
    state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return state == POSTGRESQL_DEADLOCK or error.args[:1] == (MYSQL_DEADLOCK,)
