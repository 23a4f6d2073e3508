"""A report on the terminal: messages as lines, progress as a bar, and counts at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.core.management.base import BaseCommand

from logto_auth.sync import Report

from .progress import ProgressBar


class ShownReport(Report):
    """The report of `command`, which may continue from the `counts` of an interrupted run."""

    def __init__(self, command: BaseCommand, counts: Mapping[str, int] | None = None) -> None:
        super().__init__(counts)
        self._bar = ProgressBar(command.stderr)
        self._command = command

    def say(self, text: str) -> None:
        self._bar.clear()
        self._command.stdout.write(text)

    def progress(self, stage: str, done: int, total: int | None) -> None:
        self._bar.show(stage, done, total)

    def conclude(self, outcomes: Iterable[str], *, nothing: str, is_dry: bool) -> None:
        """Write the counts in the order of `outcomes`, or the text `nothing` if there are none."""
        counts = [f"{name}: {self.counts[name]:,}" for name in outcomes if self.counts[name]]
        self.say(", ".join(counts) or nothing)
        if is_dry:
            self.say("Nothing was changed (--dry-run).")
