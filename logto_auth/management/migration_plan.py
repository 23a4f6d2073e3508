"""What `manage.py logto_migrate plan` finds out and shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from logto_auth.conf import conf
from logto_auth.sync import importing
from logto_auth.sync.payloads import IDENTIFIERS
from logto_auth.users.rights import has_admin_rights

from .command import LogtoCommand
from .shown_report import ShownReport
from .texts import counted, duration

__all__ = ["MigrationPlan", "PlanReport", "plan_lines"]

# Each kind with its line. `{rest}` depends on whether the site has the password migration.
IMPORTED = {
    importing.WITH_PASSWORD: "with their password",
    importing.PASSWORD_MOVES: "without a password, {rest}",
    importing.NEW_PASSWORD: 'without a password: "Forgot password" at Logto',
    importing.LINKED_TO_EXISTING: "linked to a user whom Logto has already, with the password there",
}
NOT_IMPORTED = {
    importing.NO_IDENTIFIER: "no identifier that Logto accepts",
    importing.DUPLICATE: "another account has the same identifier, and comes first",
    importing.TAKEN: "a user at Logto has the identifier: see --adopt-by-email and --adopt-by-username",
    importing.TAKEN_TWICE: "several users at Logto have the identifiers",
    importing.TAKEN_STAFF: "staff whose identifier a user at Logto has: link them in the admin",
    importing.LINKED_TWICE: "the user at Logto is linked to another account",
    importing.REFUSED: "Logto refuses the values",
}
INACTIVE, STAFF, NO_METHOD = "inactive", "staff", "no_sign_in_method"
NOTES = {
    INACTIVE: "inactive: suspended at Logto",
    STAFF: "staff or superusers: their passwords never move at a sign-in",
    NO_METHOD: "have no identifier with which Logto's sign-in page accepts a password",
}
# Identifiers of the sign-in page, and the fields of a user.
METHODS = {"username": "username", "email": "primaryEmail", "phone": "primaryPhone"}
assert set(METHODS.values()) == set(IDENTIFIERS)


class PlanReport(ShownReport):
    """Counts what would become of each account. Names the accounts with `--verbosity 2` only."""

    def __init__(self, command: LogtoCommand, methods: frozenset[str]) -> None:
        super().__init__(command)
        self.kinds: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self._methods = methods

    def say(self, text: str) -> None:
        if self.is_verbose:
            super().say(text)

    def account(self, kind: str, account: Any, values: Mapping[str, Any]) -> None:
        self.kinds[kind] += 1
        if kind not in IMPORTED or kind == importing.LINKED_TO_EXISTING:
            return
        self.notes[INACTIVE] += not account.is_active
        self.notes[STAFF] += has_admin_rights(account)
        if not any(name in values for name in self._methods):
            self.notes[NO_METHOD] += 1
            self.detail(
                f"{account.get_username()} ({account.pk}): has no identifier with which the sign-in page accepts a "
                "password"
            )


@dataclass
class MigrationPlan:
    """What an import would do, and what it needs."""

    accounts: int
    linked: int
    kinds: Mapping[str, int]
    notes: Mapping[str, int]
    has_password_migration: bool
    """Whether this site has the app that checks passwords for Logto."""
    has_email_connector: bool
    """Whether Logto can send the codes of "Forgot password"."""
    rate: float | None
    """Requests per second, if they are limited."""
    messages: list[str] = field(default_factory=list)

    @property
    def data(self) -> dict[str, Any]:
        """The plan for JSON."""
        return {
            "accounts": self.accounts,
            "linked": self.linked,
            "imported": {name: self.kinds[name] for name in IMPORTED},
            "not_imported": {name: self.kinds[name] for name in NOT_IMPORTED},
            "notes": {name: self.notes[name] for name in NOTES},
            "password_migration": self.has_password_migration,
            "email_connector": self.has_email_connector,
            "messages": self.messages,
        }


def plan_lines(plan: MigrationPlan) -> Iterator[str]:
    """Yield the lines for people."""
    yield f"Accounts: {plan.accounts:,}, of which {plan.linked:,} are linked to a user at {conf.endpoint} already."
    rest = (
        "which moves at the first sign-in"
        if plan.has_password_migration
        else 'which can move at the first sign-in (password migration); else "Forgot password"'
    )
    for title, kinds in (("Imported", IMPORTED), ("Not imported", NOT_IMPORTED)):
        total = sum(plan.kinds[name] for name in kinds)
        yield f"{title}: {total:,}"
        for name, text in kinds.items():
            if plan.kinds[name]:
                yield f"{plan.kinds[name]:>10,}  {text.format(rest=rest)}"
    if any(plan.notes.values()):
        yield "Of those imported:"
        yield from (f"{plan.notes[name]:>10,}  {text}" for name, text in NOTES.items() if plan.notes[name])
    created = sum(plan.kinds[name] for name in IMPORTED) - plan.kinds[importing.LINKED_TO_EXISTING]
    if created and plan.rate:
        yield f"Time: about {duration(created / plan.rate)}, at {plan.rate:g} requests a second."
    if plan.kinds[importing.NEW_PASSWORD] and not plan.has_email_connector:
        yield (
            f"{counted(plan.kinds[importing.NEW_PASSWORD], 'user')} must choose a password by e-mail, and Logto has "
            "no e-mail connector: `manage.py logto_connectors factories` lists them."
        )
    if sum(plan.kinds[name] for name in NOT_IMPORTED) or plan.notes[NO_METHOD]:
        yield "`-v 2` names the accounts."
