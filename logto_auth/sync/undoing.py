"""Delete the users at Logto whom `logto_migrate import` has created, if they have never signed in.

Passwords of this site stay as they are. What cannot be undone is counted: users who have signed in at Logto, and users
who were there before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, reset_queries

from logto_auth.conf import conf
from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.transport import PAGE_SIZE
from logto_auth.models import LogtoIdentity
from logto_auth.transactions import atomic

from .importing import CONCURRENCY, find_existing, in_batches, unlinked
from .in_order import InOrder, in_order
from .marks import is_marked
from .payloads import payload_of, user_values
from .report import Report

if TYPE_CHECKING:
    from logto_auth.management_api.types import User

__all__ = ["FINDINGS", "UNDOABLE", "UNDO_OUTCOMES", "Undo"]

# Outcomes. The first one counts what `find` finds, and the second one what `run` has deleted.
UNDOABLE, UNDONE = "can be deleted", "deleted"
SIGNED_IN, OTHERS, MISSING, FAILED = "have signed in", "not created by logto_migrate", "not at Logto", "not deleted"
FINDINGS = (UNDOABLE, SIGNED_IN, OTHERS, MISSING)
UNDO_OUTCOMES = (UNDONE, SIGNED_IN, OTHERS, MISSING, FAILED)
REASONS = {
    SIGNED_IN: "has signed in at Logto",
    OTHERS: "logto_migrate has not created this user",
    MISSING: "Logto has no such user",
}


@dataclass(frozen=True)
class _Found:
    """A user at Logto, the account that it was created for, and the link of the two if there is one."""

    account: Any
    user: User
    identity: LogtoIdentity | None


@dataclass
class Undo:
    """The rollback of an import."""

    api: ManagementAPI
    report: Report
    values_of: Callable[[Any], Mapping[str, Any]] = user_values
    concurrency: int = CONCURRENCY

    def find(self) -> None:
        """Count what can be undone and what stays. Change nothing. Raise LogtoError if Logto fails."""
        for found in self._batches(names_rest=True):
            self.report.add(UNDOABLE, len(found))

    def run(self) -> None:
        """Unlink and delete the users. Raise LogtoError if Logto fails; start again then."""
        with in_order(
            self.concurrency, prepare=lambda results: None, on_stop=self._stop, on_error=self._say_error
        ) as queue:
            for found in self._batches(names_rest=False):
                # First, so that the webhook about the deletion does not deactivate the account. A user who is not
                # deleted after that is found by the mark.
                identities = [each.identity.pk for each in found if each.identity is not None]
                with atomic():
                    LogtoIdentity.objects.filter(pk__in=identities).delete()
                self._delete(found, queue)
                queue.handle_all()
                reset_queries()

    def _delete(self, found: Sequence[_Found], queue: InOrder) -> None:
        for each in found:
            queue.submit(partial(_delete, self.api, each), partial(self._handle_deletion, each))

    def _handle_deletion(self, found: _Found, result: ManagementAPIError | str) -> None:
        sub = found.user["id"]
        if result == UNDONE:
            self.report.add(UNDONE)
            return
        if isinstance(result, str):
            self.report.add(result)
            self.report.say(f"{found.account.get_username()} ({found.account.pk}), {sub}: stays: {REASONS[result]}")
        else:
            self.report.conflict(FAILED, f"{sub}: not deleted: {result}")
        self._link_again(found)

    def _link_again(self, found: _Found) -> None:
        """Link the user as before. A sign-in may have done it meanwhile."""
        if found.identity is not None:
            with suppress(IntegrityError), atomic():
                found.identity.save(force_insert=True)

    def _batches(self, *, names_rest: bool) -> Iterator[list[_Found]]:
        """Yield the users that can be deleted. With `names_rest`, count and name those who stay."""
        linked = LogtoIdentity.objects.filter(issuer=conf.issuer).order_by("pk")
        total, done, last_key = linked.count(), 0, 0
        self.report.progress("linked", 0, total)
        while identities := list(linked.filter(pk__gt=last_key).select_related("user")[:PAGE_SIZE]):
            last_key = identities[-1].pk
            users = {user["id"]: user for user in self.api.users.with_ids([each.sub for each in identities])}
            yield [found for each in identities if (found := self._linked(each, users.get(each.sub), names_rest))]
            done += len(identities)
            self.report.progress("linked", min(done, total), total)
        # Users of a run that was killed before it had linked them.
        accounts = unlinked()
        total, done = accounts.count(), 0
        for batch in in_batches(accounts):
            payloads = [payload_of(account, self.values_of) for account in batch]
            existing = find_existing(self.api, payloads)
            yield [
                _Found(account, user, None)
                for account in batch
                for user in existing
                if not _reason_to_stay(user, account)
            ]
            done += len(batch)
            self.report.progress("not linked", min(done, total), total)

    def _linked(self, identity: LogtoIdentity, user: User | None, names_rest: bool) -> _Found | None:
        account = identity.user
        outcome = MISSING if user is None else _reason_to_stay(user, account)
        if user is not None and not outcome:
            return _Found(account, user, identity)
        if names_rest:
            self.report.add(outcome)
            self.report.detail(f"{account.get_username()} ({account.pk}), {identity.sub}: stays: {REASONS[outcome]}")
        return None

    def _stop(self, number: int) -> None:
        if number:
            self.report.say(f"Stopping: waiting for the answers to {number} requests.")

    def _say_error(self, error: Exception) -> None:
        self.report.say(f"Another request failed too: {error}")


def _reason_to_stay(user: User, account: Any) -> str:
    """Return OTHERS or SIGNED_IN if the user at Logto must not be deleted, and "" otherwise."""
    if not is_marked(user, account):
        return OTHERS
    return SIGNED_IN if user["lastSignInAt"] is not None else ""


def _delete(api: ManagementAPI, found: _Found) -> ManagementAPIError | str:
    """Delete a user at Logto. Return Logto's error if it refuses, and otherwise the outcome.

    The user is read again, because the user may have signed in meanwhile. It runs in a thread: without queries.
    """
    sub = found.user["id"]
    try:
        if reason := _reason_to_stay(api.users.get(sub), found.account):
            return reason
        api.users.delete(sub)
    except ManagementAPIError as error:
        if error.is_not_found:
            return UNDONE
        if error.status >= 500 or error.status in (401, 403, 429):
            raise
        return error
    return UNDONE
