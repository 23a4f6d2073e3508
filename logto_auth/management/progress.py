"""A progress bar, for people at a terminal."""

from __future__ import annotations

import time

from django.core.management.base import OutputWrapper

WIDTH = 30
# Often enough to look alive, and seldom enough to cost nothing.
INTERVAL_SECONDS = 0.1


class ProgressBar:
    """One line on `stream` that is written over; nothing at all where that is no terminal."""

    def __init__(self, stream: OutputWrapper) -> None:
        self._stream = stream
        self._is_shown = stream.isatty()
        self._next_at = 0.0
        self._line = ""

    def show(self, label: str, done: int, total: int | None) -> None:
        """Say how far it is; without a `total`, how much there was."""
        if not self._is_shown or (time.monotonic() < self._next_at and done != total):
            return
        self._next_at = time.monotonic() + INTERVAL_SECONDS
        if total:
            filled = min(WIDTH, WIDTH * done // total)
            self._write(f"{label:<14}[{'#' * filled}{' ' * (WIDTH - filled)}] {done:,} of {total:,}")
        else:
            self._write(f"{label:<14}{done:,}")

    def clear(self) -> None:
        """Take the line away, for something else to be written."""
        if self._line:
            self._write("")

    def _write(self, line: str) -> None:
        self._stream.write("\r" + line.ljust(len(self._line)) + ("" if line else "\r"), style_func=str, ending="")
        self._stream.flush()
        self._line = line
