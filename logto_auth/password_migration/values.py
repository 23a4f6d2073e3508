"""The values that this app returns. No database."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Status"]


@dataclass(frozen=True)
class Status:
    """How far the passwords have moved that Logto cannot import."""

    total: int
    """The accounts with such a password that the import has linked. Inactive accounts, staff and superusers do not
    count: their passwords never move."""
    migrated: int
    """Those of them of which this site knows that Logto has a password."""
    left: int
    """The others."""
    is_installed: bool | None
    """Whether Logto has the script and runs it; None if Logto cannot be asked."""
    is_open: bool
    """Whether this site checks passwords now: it has a key, the last day has not passed, and some are left."""
