"""The type of a problem that a system check reports. `docs/reference/checks.md` is generated from its instances."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.checks import CheckMessage, Error, Warning


@dataclass(frozen=True)
class Problem:
    """One problem with its id. `message` and `remedy` are format strings.

    The letter in the id is E for an error and W for a warning.
    """

    id: str
    message: str
    remedy: str

    def __call__(self, *, hint: str = "", **values: object) -> CheckMessage:
        """Return the message of a check, with `hint` in place of the remedy if there is a more precise one."""
        level = Error if self.id.startswith("logto_auth.E") else Warning
        return level(self.message.format(**values), hint=hint or self.remedy.format(**values), id=self.id)
