"""Ask the user to confirm a change."""

from __future__ import annotations

import sys

from django.core.management.base import BaseCommand, CommandError

__all__ = ["confirm"]


def confirm(command: BaseCommand, *, is_confirmed: bool) -> None:
    """Return if the user confirms, or has confirmed by `--yes`. Raise CommandError otherwise."""
    if is_confirmed:
        return
    command.stderr.write("Continue? [y/N] ", command.style.WARNING, ending="")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise CommandError("Aborted, nothing was changed. Use --yes in non-interactive runs.")
