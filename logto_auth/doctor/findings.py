"""The results of an examination. An examination that fails is a finding, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db.migrations import exceptions as migration_errors

from logto_auth.exceptions import ConfigurationError, LogtoError
from logto_auth.oidc.errors import single_line

__all__ = [
    "LEVELS",
    "Finding",
    "Level",
    "described",
    "errors_as_failures",
    "failure",
    "findings_or_ok",
    "ok",
    "skipped",
    "warning",
]

# Errors of a project's code, settings or database. Their texts name modules, settings and tables. The texts of other
# errors may contain a value that Logto sent, which may be a secret.
PROJECT_ERRORS = (
    ImportError,
    SyntaxError,
    NameError,
    AttributeError,
    ImproperlyConfigured,
    DatabaseError,
    LogtoError,
    migration_errors.AmbiguityError,
    migration_errors.BadMigrationError,
    migration_errors.CircularDependencyError,
    migration_errors.InconsistentMigrationHistory,
    migration_errors.NodeNotFoundError,
)

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
    found = list(errors_as_failures(findings, check))
    yield from found or [ok(check, message)]


def errors_as_failures(findings: Iterable[Finding], check: str) -> Iterator[Finding]:
    """Yield the findings. If the examination raises an error, yield a failure of `check` for it."""
    try:
        yield from findings
    except (ConfigurationError, LogtoError) as error:
        yield failure(check, str(error), "Correct this, then run the command again for the remaining checks.")
    except Exception as error:  # settings, URLconf, database and proxies may be broken in any way
        yield failure(
            check, f"This could not be examined: {described(error)}", "Correct this, then run the command again."
        )


def described(error: Exception) -> str:
    """Return the kind of an error with its text on one line, or with its place in the code."""
    kind = type(error).__name__
    if isinstance(error, PROJECT_ERRORS):
        return f"{kind}: {single_line(str(error).strip()) or 'no text'}"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{Path(trace.tb_frame.f_code.co_filename).name}, line {trace.tb_lineno}" if trace else "an unknown place"
    return f"{kind} in {place}"
