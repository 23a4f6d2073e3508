"""Changes that belong together, such as those of one sign-in, one webhook or one page of a sync.

Each change sends its own signal. A receiver that stores something for each of them can collect it in the batch, and
store all of it at the end, in one statement.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.dispatch import Signal
from django.http import HttpRequest

__all__ = ["Batch", "Cause", "batch", "batch_ended", "current_batch"]

batch_ended = Signal()
"""Sent once at the end of a batch, in the transaction of its changes if there is one.

An exception of a receiver is an exception of the code that made the changes.

Arguments: `batch`.
"""


class Cause(Enum):
    """What causes the changes of a batch."""

    SIGN_IN = "sign_in"
    STAFF = "staff"
    USER = "user"
    LOGTO = "logto"
    COMMAND = "command"


@dataclass(kw_only=True, eq=False)
class Batch:
    """Changes that belong together."""

    cause: Cause
    request: HttpRequest | None = None
    """The request of the user who causes the changes; None for Logto and for commands."""
    user: Any = None
    """The user who has signed in; None if nobody has, or not yet."""
    claims: Mapping[str, Any] = field(default_factory=dict)
    """The claims of that user."""
    collected: list[Any] = field(default_factory=list)
    """What the receivers have collected."""
    must_be_recorded: bool = False
    """Whether a failure to record it, as a sign-in must be recorded, undoes it: see `LOGTO_AUDIT_REQUIRED`."""
    has_ended: bool = False

    def end(self) -> None:
        """Send `batch_ended`, unless it has been sent. Raise what a receiver raises."""
        if not self.has_ended:
            self.has_ended = True
            batch_ended.send(sender=Batch, batch=self)


_current: ContextVar[Batch | None] = ContextVar("logto_auth_batch", default=None)


@contextmanager
def batch(cause: Cause, request: HttpRequest | None = None, *, is_one_transaction: bool = False) -> Iterator[Batch]:
    """Let the changes of a block be one batch, which ends with the block at the latest.

    After an exception the batch ends as well, because some of its changes may be stored. With `is_one_transaction` none
    is, so that it does not end. A block in another one adds to its batch.
    """
    outer = _current.get()
    if outer is not None and not outer.has_ended:
        yield outer
        return
    new = Batch(cause=cause, request=request)
    token = _current.set(new)
    try:
        yield new
    except BaseException:
        if not is_one_transaction:
            new.end()
        raise
    else:
        new.end()
    finally:
        _current.reset(token)


def current_batch() -> Batch | None:
    """Return the batch to which a change belongs that is made now; None if it is one by itself."""
    current = _current.get()
    return current if current is not None and not current.has_ended else None
