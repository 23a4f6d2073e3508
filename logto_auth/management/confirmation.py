"""Ask the user to confirm a change."""

from __future__ import annotations

import sys

from django.core.management.base import CommandError

from .command import INTERRUPTED, LogtoCommand

__all__ = ["confirm"]


def confirm(command: LogtoCommand, *, is_confirmed: bool, question: str = "Continue?") -> None:
    """Return if the user confirms, or has confirmed by `--yes`. Raise CommandError otherwise.

    The question goes to stderr, so that it is seen if the output goes to a file.
    """
    if is_confirmed:
        return
    command.stderr.write(command.styled(f"{question} [y/N] ", "WARNING", command.stderr), style_func=str, ending="")
    command.stderr.flush()
    try:
        answer = sys.stdin.readline()
    except KeyboardInterrupt:
        command.stderr.write("", style_func=str)
        raise CommandError("Interrupted, nothing was changed.", returncode=INTERRUPTED) from None
    if not (answer.endswith("\n") and sys.stdin.isatty()):
        # Only the Enter key of a terminal has ended the line of the question.
        command.stderr.write("", style_func=str)
    if answer.strip().lower() not in ("y", "yes"):
        raise CommandError("Aborted, nothing was changed. Use --yes in non-interactive runs.")
