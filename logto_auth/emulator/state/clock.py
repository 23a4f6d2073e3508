"""The emulator's clock. Tests advance it instead of waiting."""

from __future__ import annotations

import time
from datetime import datetime, timezone


class Clock:
    """The system time plus an offset."""

    def __init__(self) -> None:
        self.offset_seconds = 0.0

    def now(self) -> int:
        """Return the time in whole seconds, as tokens use it."""
        return int(self.precise())

    def now_ms(self) -> int:
        """Return the time in milliseconds, as the Management API uses it."""
        return int(self.precise() * 1000)

    def now_iso(self) -> str:
        """Return the time as ISO text with milliseconds, as webhooks and factors use it."""
        moment = datetime.fromtimestamp(self.precise(), timezone.utc)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"

    def precise(self) -> float:
        """Return the time in seconds with a fraction."""
        return time.time() + self.offset_seconds

    def advance(self, seconds: float) -> None:
        """Move the clock forward by `seconds`. A negative number sets it back."""
        self.offset_seconds += seconds

    def reset(self) -> None:
        """Set the clock to the system time."""
        self.offset_seconds = 0.0
