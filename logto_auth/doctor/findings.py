"""The results of an examination."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["LEVELS", "Finding", "Level", "failure", "findings_or_ok", "ok", "skipped", "warning"]

Level = Literal["ok", "skipped", "warning", "failure"]
# From best to worst.
LEVELS: tuple[Level, ...] = ("ok", "skipped", "warning", "failure")


@dataclass(frozen=True)
class Finding:
    """The result of one check: its name, how bad the result is, what was found, and what to do about a problem."""

    check: str
    level: Level
    message: str
    remedy: str = ""


def ok(check: str, message: str) -> Finding:
    """Return the finding that there is no problem."""
    return Finding(check, "ok", message)


def skipped(check: str, message: str) -> Finding:
    """Return the finding that something was not examined."""
    return Finding(check, "skipped", message)


def warning(check: str, message: str, remedy: str) -> Finding:
    """Return a problem that does not break sign-ins, or not always."""
    return Finding(check, "warning", message, remedy)


def failure(check: str, message: str, remedy: str) -> Finding:
    """Return a problem that breaks sign-ins."""
    return Finding(check, "failure", message, remedy)


def findings_or_ok(findings: Iterable[Finding], check: str, message: str) -> Iterator[Finding]:
    """Yield the findings, or the finding that there is no problem if there are none."""
    found = list(findings)
    yield from found or [ok(check, message)]
