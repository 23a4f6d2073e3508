"""Limits for wrong attempts and for messages, by the emulator's clock.

Source: recorded from Logto 1.42. The tenant sets the first limit in its `sentinelPolicy`; the second is fixed.
"""

from __future__ import annotations

from .clock import Clock

_WINDOW_SECONDS = 3600
_MESSAGES = 10
_MESSAGE_SECONDS = 600


class WrongAttempts:
    """Counts wrong passwords and codes, by user or address, within one hour."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: dict[str, list[float]] = {}
        self._blocked_until: dict[str, float] = {}

    def report(self, target: str, *, is_right: bool, most: int, lockout_minutes: int) -> float | None:
        """Count an attempt. Return the time until which the target is blocked, or None if it is not.

        The attempt that reaches the limit is blocked, and then right attempts are, too.
        """
        now = self._clock.precise()
        if self._blocked_until.get(target, 0) > now:
            return self._blocked_until[target]
        recent = [at for at in self._wrong.get(target, []) if at > now - _WINDOW_SECONDS]
        if len(recent) + (not is_right) >= most:
            self._wrong[target] = recent
            self._blocked_until[target] = now + lockout_minutes * 60
            return self._blocked_until[target]
        self._wrong[target] = recent if is_right else [*recent, now]
        return None


class MessageLimit:
    """Counts messages by recipient: ten within ten minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: dict[str, list[float]] = {}

    def is_reached(self, recipient: str) -> bool:
        now = self._clock.precise()
        recent = [at for at in self._sent.get(_key(recipient), []) if at > now - _MESSAGE_SECONDS]
        self._sent[_key(recipient)] = recent
        return len(recent) >= _MESSAGES

    def count(self, recipient: str) -> None:
        self._sent.setdefault(_key(recipient), []).append(self._clock.precise())


def _key(recipient: str) -> str:
    """Return the recipient without differences that do not count. Upper case does not count in e-mails."""
    return recipient.strip().lower()
