"""A progress bar for terminals."""

from __future__ import annotations

import time
from collections import deque

from django.core.management.base import OutputWrapper

from .texts import duration, terminal_width

__all__ = ["ProgressBar"]

WIDTH = 30
# Narrower bars show too little.
MIN_WIDTH = 8
# Short enough to show progress, and long enough to cost little.
INTERVAL_SECONDS = 0.1
# The rate is that of the latest seconds: a stage may become slower.
RATE_SECONDS = 30


class ProgressBar:
    """A line on `stream` that is overwritten. Shows nothing if the stream is not a terminal.

    It fits into the terminal: a line that wraps could not be overwritten.
    """

    def __init__(self, stream: OutputWrapper) -> None:
        self._stream = stream
        self._is_shown = stream.isatty()
        self._next_at = 0.0
        self._line = ""
        self._label = ""
        self._samples: deque[tuple[float, int]] = deque()

    def show(self, label: str, done: int, total: int | None) -> None:
        """Show how much is done, how much of it in a second, and the time that is left; without a `total`, the first
        two.
        """
        if not self._is_shown:
            return
        now = time.monotonic()
        if label != self._label:
            self._label, self._next_at = label, 0.0
            self._samples.clear()
        if not self._samples or now - self._samples[-1][0] >= RATE_SECONDS / 30:
            self._samples.append((now, done))
        while now - self._samples[0][0] > RATE_SECONDS:
            self._samples.popleft()
        if now < self._next_at and done != total:
            return
        self._next_at = now + INTERVAL_SECONDS
        self._write(self._text(label, done, total, self._rate(now, done)))

    def _rate(self, now: float, done: int) -> float:
        """Return how much is done in a second, or 0 if it is not known yet."""
        at, before = self._samples[0]
        return (done - before) / (now - at) if now - at >= 1 and done > before else 0.0

    def _text(self, label: str, done: int, total: int | None, rate: float) -> str:
        speed = f", {rate:,.0f}/s" if rate >= 10 else f", {rate:.1f}/s" if rate else ""
        width = (terminal_width(self._stream) or WIDTH) - 1
        if not total:
            return f"{label:<14}{done:,}{speed}"[:width]
        left = f", {duration((total - done) / rate)} left" if rate and done < total else ""
        counts = f"{done:,} of {total:,}"
        for tail in (f"{counts}{speed}{left}", f"{counts}{left}", counts):
            room = min(WIDTH, width - 14 - 3 - len(tail))
            if room >= MIN_WIDTH:
                filled = min(room, room * done // total)
                return f"{label:<14}[{'#' * filled}{' ' * (room - filled)}] {tail}"
        return f"{label} {counts}"[:width]

    def clear(self) -> None:
        """Remove the line, so that something else can be written."""
        if self._line:
            self._write("")

    def _write(self, line: str) -> None:
        self._stream.write("\r" + line.ljust(len(self._line)) + ("" if line else "\r"), style_func=str, ending="")
        self._stream.flush()
        self._line = line
