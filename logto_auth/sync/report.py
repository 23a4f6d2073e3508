"""What a run has done so far, for whoever shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

# What is counted, in the order in which it is shown. One person may count for several.
CREATED, LINKED, UPDATED, UNCHANGED = "created", "linked", "updated", "unchanged"
DEACTIVATED, REACTIVATED = "deactivated", "reactivated"
CONFLICTS, REFUSED, UNKNOWN = "conflicts", "refused", "unknown"
OUTCOMES = (CREATED, LINKED, UPDATED, UNCHANGED, DEACTIVATED, REACTIVATED, CONFLICTS, REFUSED, UNKNOWN)


class Report:
    """Counts; what has to be looked at one by one is handed on and not kept, so that memory stays flat."""

    def __init__(self, counts: Mapping[str, int] | None = None) -> None:
        self.counts = Counter(counts or {})

    def add(self, outcome: str, number: int = 1) -> None:
        """Count something."""
        self.counts[outcome] += number

    def conflict(self, outcome: str, text: str) -> None:
        """Count something that somebody should look at, and say it."""
        self.add(outcome)
        self.say(text)

    def say(self, text: str) -> None:
        """Tell something. To be overridden."""

    def progress(self, stage: str, done: int, total: int | None) -> None:
        """Tell how far a stage is; `total` is None where nobody knows. To be overridden."""
