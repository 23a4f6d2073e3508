"""The exception for what Logto refuses, in APIs and on pages alike."""

from __future__ import annotations

from typing import Any


class Refused(Exception):
    """Logto refuses a change or a verification. `code`, `status` and `data` are those of its APIs.

    `values` fill the placeholders of the message.
    """

    def __init__(self, code: str, status: int = 400, *, data: Any = None, **values: Any) -> None:
        super().__init__(code)
        self.code, self.status, self.data, self.values = code, status, data, values


class Failed(Exception):
    """Logto fails: its APIs answer 500 without a code."""


def permission_denied() -> Refused:
    """Return the error for a missing, unknown, expired, unverified or foreign verification record."""
    return Refused("verification_record.permission_denied", 401)


def record_not_found() -> Refused:
    """Return the error for a record in the body of a request that is unknown, expired or not verified."""
    return Refused("verification_record.not_found")
