"""What an examination finds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "skipped", "warning", "failure"]


@dataclass(frozen=True)
class Finding:
    """One line: what was looked at, how it is, and what to do about it where it is not well."""

    check: str
    level: Level
    message: str
    remedy: str = ""


def ok(check: str, message: str) -> Finding:
    """It is well."""
    return Finding(check, "ok", message)


def skipped(check: str, message: str) -> Finding:
    """It could not be looked at."""
    return Finding(check, "skipped", message)


def warning(check: str, message: str, remedy: str) -> Finding:
    """It works, or may work, and should be otherwise."""
    return Finding(check, "warning", message, remedy)


def failure(check: str, message: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check, "failure", message, remedy)


def or_ok(findings: Iterable[Finding], check: str, message: str) -> Iterator[Finding]:
    """The findings, or that all is well where there are none."""
    found = list(findings)
    yield from found or [ok(check, message)]
