"""Repeat a change that the database has broken off because of a deadlock.

Locks are taken in one order where several rows change (`models.locked`). But MariaDB and MySQL may also lock rows that
a query only passes on its way, and their manuals ask for such a repetition.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connections

from .models import database

Result = TypeVar("Result")

MAX_TRIES = 8
LONGEST_WAIT_SECONDS = 0.1
MYSQL_DEADLOCK = 1213
POSTGRESQL_DEADLOCK = "40P01"


def repeat_after_deadlock(change: Callable[[], Result]) -> Result:
    """Call `change`, which must be safe to repeat, until it ends without a deadlock, and return its result.

    In a transaction of the caller it is called once, because the database has rolled all of it back.
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
