"""A report on the terminal: messages as lines, progress as a bar, and counts at the end. Or all of it as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from logto_auth.sync import Report

from .command import LogtoCommand
from .progress import ProgressBar
from .texts import counts_text

__all__ = ["ShownReport"]


class ShownReport(Report):
    """The report of `command`, which may continue from the `counts` of an interrupted run."""

    def __init__(self, command: LogtoCommand, counts: Mapping[str, int] | None = None) -> None:
        super().__init__(counts)
        self._bar = ProgressBar(command.stderr)
        self._command = command
        self.messages: list[str] = []

    @property
    def is_verbose(self) -> bool:
        """Whether the user wants details."""
        return self._command.verbosity > 1

    def say(self, text: str) -> None:
        if self._command.is_json:
            self.messages.append(text)
            return
        self._bar.clear()
        self._command.say(text)

    def detail(self, text: str) -> None:
        if self.is_verbose:
            self.say(text)

    def progress(self, stage: str, done: int, total: int | None) -> None:
        self._bar.show(stage, done, total)

    def clear(self) -> None:
        """Remove the progress bar."""
        self._bar.clear()

    def conclude(self, outcomes: Iterable[str], *, nothing: str, is_dry: bool) -> None:
        """Write the counts in the order of `outcomes`, or the text `nothing` if there are none.

        With `--json`, make them the result of the command, with the messages.
        """
        self._bar.clear()
        names = list(outcomes)
        if self._command.is_json:
            counts = {name.lower().replace(" ", "_"): self.counts[name] for name in names}
            self._command.result = {"dry_run": is_dry, "counts": counts, "messages": self.messages}
            return
        self.say(counts_text(self.counts, names) or nothing)
        if is_dry:
            self.say("Nothing was changed (--dry-run).")
