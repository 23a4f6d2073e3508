"""What a run has done so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

__all__ = ["Report"]

# What is counted, in the order in which it is shown. One user may count for several.
CREATED, LINKED, UPDATED, UNCHANGED = "created", "linked", "updated", "unchanged"
DEACTIVATED, REACTIVATED = "deactivated", "reactivated"
CONFLICTS, REFUSED, UNKNOWN, NOT_LISTED = "conflicts", "refused", "unknown", "not listed"
OUTCOMES = (CREATED, LINKED, UPDATED, UNCHANGED, DEACTIVATED, REACTIVATED, CONFLICTS, REFUSED, UNKNOWN, NOT_LISTED)


class Report:
    """Counts of outcomes. Messages about single users are passed to `say` and not stored, so memory use stays flat."""

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        self.counts = Counter(counts or {})

    def add(self, outcome: str, number: int = 1) -> None:
        """Count an outcome."""
        self.counts[outcome] += number

    def conflict(self, outcome: str, text: str) -> None:
        """Count an outcome that needs attention, and pass on the message."""
        self.add(outcome)
        self.say(text)

    def say(self, text: str) -> None:
        """Pass on a message. Does nothing unless overridden."""

    def detail(self, text: str) -> None:
        """Pass on a message that is only of interest on request. Does nothing unless overridden."""

    def account(self, kind: str, account: Any, values: Mapping[str, Any]) -> None:
        """Report what became of an account, and the values for Logto. Does nothing unless overridden."""

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Report how far a stage is; `total` is None if unknown. Does nothing unless overridden."""


def report_not_listed(report: Report, number: int, what: str) -> None:
    """Report that Logto has not listed some objects, though it counts them."""
    report.add(NOT_LISTED, number)
    report.say(f"Logto has not listed {number} of the {what}. The next run may find them.")
