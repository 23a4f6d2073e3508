"""A progress bar for terminals."""

from __future__ import annotations

import time

from django.core.management.base import OutputWrapper

WIDTH = 30
# Short enough to show progress, and long enough to cost little.
INTERVAL_SECONDS = 0.1


class ProgressBar:
    """A line on `stream` that is overwritten. Shows nothing if the stream is not a terminal."""

    def __init__(self, stream: OutputWrapper) -> None:
        self._stream = stream
        self._is_shown = stream.isatty()
        self._next_at = 0.0
        self._line = ""

    def show(self, label: str, done: int, total: int | None) -> None:
        """Show how much is done; without a `total`, only the number."""
        if not self._is_shown or (time.monotonic() < self._next_at and done != total):
            return
        self._next_at = time.monotonic() + INTERVAL_SECONDS
        if total:
            filled = min(WIDTH, WIDTH * done // total)
            self._write(f"{label:<14}[{'#' * filled}{' ' * (WIDTH - filled)}] {done:,} of {total:,}")
        else:
            self._write(f"{label:<14}{done:,}")

    def clear(self) -> None:
        """Remove the line, so that something else can be written."""
        if self._line:
            self._write("")

    def _write(self, line: str) -> None:
        self._stream.write("\r" + line.ljust(len(self._line)) + ("" if line else "\r"), style_func=str, ending="")
        self._stream.flush()
        self._line = line
