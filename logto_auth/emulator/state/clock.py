"""The emulator's clock, which tests may set ahead instead of waiting."""

from __future__ import annotations

import time


class Clock:
    """The system's time plus an offset."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0

    def now(self) -> int:
        """Return the time in seconds, as tokens carry it."""
        return int(self.precise())

    def now_ms(self) -> int:
        """Return the time in milliseconds, as Logto's users and applications carry it."""
        return int(self.precise() * 1000)

    def precise(self) -> float:
        """Return the time in seconds with its fraction."""
        return time.time() + self.offset_seconds

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass; a negative number sets the clock back."""
        self.offset_seconds += seconds

    def reset(self) -> None:
        """Return to the system's time."""
        self.offset_seconds = 0.0
