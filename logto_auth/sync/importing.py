"""Create this site's accounts at Logto, with their passwords, and link each account by its `sub`.

A linked account is skipped, so an interrupted import can simply be started again. `payloads` makes the payloads,
`passwords` converts the hashes, `in_order` sends several requests at once.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import get_user_model
from django.db import IntegrityError, connections, reset_queries
from django.db.models import Exists, OuterRef, QuerySet

from logto_auth.batches import Cause, batch
from logto_auth.conf import conf
from logto_auth.exceptions import LogtoError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.models import LogtoIdentity, UserStatus
from logto_auth.signals import identity_linked
from logto_auth.transactions import atomic, database
from logto_auth.users.management_api import changed_at
from logto_auth.users.rights import has_admin_rights
from logto_auth.users.suspension import suspend

from .in_order import InOrder, in_order
from .marks import MARK, is_marked, mark_of
from .payloads import Identifier, Payload, can_move, exact_identifier, payload_of, user_values
from .report import Report

if TYPE_CHECKING:
    from logto_auth.management_api.types import NewUser, User

CREATED, ADOPTED, SUSPENDED, WITHOUT_PASSWORD, CONFLICTS = OUTCOMES = (
    "created",
    "adopted",
    "suspended",
    "without password",
    "conflicts",
)
# What becomes of an account, for `Report.account`.
WITH_PASSWORD, PASSWORD_MOVES, NEW_PASSWORD = "with_password", "password_moves", "new_password"
LINKED_TO_EXISTING = "linked_to_existing"
NO_IDENTIFIER, DUPLICATE, TAKEN, TAKEN_TWICE, TAKEN_STAFF, LINKED_TWICE, REFUSED = NOT_IMPORTED = (
    "no_identifier",
    "duplicate",
    "taken",
    "taken_twice",
    "taken_staff",
    "linked_twice",
    "refused",
)
# As many as fit into the URL of one search, however long their identifiers are.
BATCH = 25
REFUSED_PAYLOAD = frozenset({400, 422})
# How many requests are sent at once. A Logto with one process answers more of them no faster.
CONCURRENCY = 8
LINKED_ELSEWHERE = "not linked: {} is linked to another account, or this account was deleted"


@dataclass(frozen=True)
class _Created:
    """A user whom Logto has created, or would create."""

    payload: Payload
    sub: str
    suspended: User | None = None
    """The user after the suspension, if it was requested and Logto has done it."""
    error: LogtoError | None = None
    """Why Logto did not suspend the user."""


@dataclass
class Import:
    """The import of the accounts that are not linked yet.

    At most `concurrency` requests are sent at once. Accounts are handled in the order of their keys, so the result is
    that of one request at a time.
    """

    api: ManagementAPI
    report: Report
    is_dry: bool = False
    adopts_by_email: bool = False
    adopts_by_username: bool = False
    values_of: Callable[[Any], Mapping[str, Any]] = user_values
    concurrency: int = CONCURRENCY
    marks: bool = False
    """Whether to mark new users at Logto, and to link those that an earlier run has marked."""
    _imported: dict[int, Any] = field(default_factory=dict)
    """The keys of the accounts for which the run has created users, by the hashes of their identifiers."""
    _linked: dict[str, LogtoIdentity] = field(default_factory=dict)
    """The identities that were stored before their results are handled, by the id at Logto."""
    _adopted: set[str] = field(default_factory=set)
    """The ids of the users at Logto that a dry run would link."""
    _in_flight: Counter[Identifier] = field(default_factory=Counter)
    """The identifiers of users whose creation Logto has not answered yet, with the case folded."""
    _is_in_transaction: bool = False
    """Whether the caller has begun a transaction."""

    def run(self) -> None:
        """Import all accounts that are not linked. Raise LogtoError if Logto fails; start again then."""
        total, done = unlinked().count(), 0
        self._is_in_transaction = connections[database()].in_atomic_block
        self.report.progress("accounts", done, total)
        with in_order(
            self.concurrency, prepare=self._link_together, on_stop=self._stop, on_error=self._say_error
        ) as queue:
            for payloads, existing in self._batches(queue):
                for payload in payloads:
                    self._import(payload, existing, queue)
                done += len(payloads)
                self.report.progress("accounts", done - len(queue), total)
                reset_queries()
        self.report.progress("accounts", done, total)

    def _batches(self, queue: InOrder) -> Iterator[tuple[list[Payload], list[User]]]:
        """Yield payloads with the users at Logto who may have their identifiers; search for the next batches meanwhile.

        Users who are created meanwhile are not found. `_imported` has them.
        """
        ahead: deque[tuple[list[Payload], Future[list[User]]]] = deque()
        for users in in_batches(unlinked()):
            payloads = [self._payload(user) for user in users]
            ahead.append((payloads, queue.start(partial(find_existing, self.api, payloads))))
            if len(ahead) > 1 + self.concurrency // BATCH:
                yield _result(*ahead.popleft())
        for payloads, found in ahead:
            yield _result(payloads, found)

    def _payload(self, user: Any) -> Payload:
        payload = payload_of(user, self.values_of)
        if self.marks:
            payload.values["customData"] = {**payload.values.get("customData", {}), MARK: mark_of(user)}
        return payload

    def _import(self, payload: Payload, existing: Sequence[User], queue: InOrder) -> None:
        if any(self._in_flight[each] for each in payload.folded_identifiers):
            # Whether this account can have the identifier depends on the answer.
            queue.handle_all()
        found = [user for user in existing if _shares_an_identifier(payload, user)]
        if not payload.identifiers:
            remarks = "; ".join(payload.remarks)
            reason = f"not imported, because no identifier is left to sign in with: {remarks}"
            queue.then(partial(self._conflict, payload, NO_IDENTIFIER, reason))
        elif shared := [name for name in payload.identifiers if self._owner(payload, name) is not None]:
            owner = self._owner(payload, shared[0])
            reason = f"not imported: account {owner} has the same {' and '.join(shared)}, and comes first"
            queue.then(partial(self._conflict, payload, DUPLICATE, reason))
        elif found:
            queue.then(partial(self._adopt, payload, found))
        else:
            self._in_flight.update(payload.folded_identifiers)
            request = partial(_no_request if self.is_dry else _create, self.api, payload)
            queue.submit(request, partial(self._handle_creation, payload))

    # Users that Logto does not have

    def _handle_creation(self, payload: Payload, answer: _Created | ManagementAPIError) -> None:
        self._in_flight.subtract(payload.folded_identifiers)
        # Entries of 0 would be kept.
        self._in_flight += Counter()
        if isinstance(answer, ManagementAPIError):
            self._conflict(payload, REFUSED, f"not imported, because Logto refused it: {answer.code}: {answer.message}")
        elif self.is_dry or self._store(payload, answer):
            self._imported.update(dict.fromkeys(map(hash, payload.exact_identifiers.values()), payload.user.pk))
            self._count_created(payload)

    def _count_created(self, payload: Payload) -> None:
        self.report.add(CREATED)
        if not payload.user.is_active:
            self.report.add(SUSPENDED)
        if "passwordDigest" not in payload.values:
            self.report.add(WITHOUT_PASSWORD)
        self.report.account(_kind(payload), payload.user, payload.values)
        for remark in [*payload.remarks, *_rights_at_risk(payload.user)]:
            self._say(payload, remark)

    def _store(self, payload: Payload, created: _Created) -> bool:
        """Link the account to the new user, and store the suspension."""
        identity = self._linked.pop(created.sub, None) or self._link(payload, created.sub)
        if identity is None:
            return False
        if created.suspended is not None:
            with batch(Cause.COMMAND):
                suspend(identity, UserStatus.SUSPENDED, changed_at(created.suspended) or time.time())
        if created.error is not None:
            self._conflict(
                payload, REFUSED, f"created as {created.sub}, but not suspended at Logto: suspend the user there"
            )
            raise created.error
        return True

    def _link_together(self, results: Sequence[Any]) -> None:
        """Link the accounts of all created users in one transaction, because each commit takes time."""
        created = [] if self.is_dry else [each for each in results if isinstance(each, _Created)]
        identities = [LogtoIdentity(user=each.payload.user, issuer=conf.issuer, sub=each.sub) for each in created]
        try:
            with atomic():
                for identity in identities:
                    identity.save(force_insert=True)
        except IntegrityError:
            # `_link` finds out which of them it is.
            return
        self._linked.update({identity.sub: identity for identity in identities})
        with batch(Cause.COMMAND):
            for identity in identities:
                _send_linked(identity)

    def _owner(self, payload: Payload, name: str) -> Any:
        """Return the key of the account that the run has imported with this identifier; None if there is none."""
        return self._imported.get(hash(payload.exact_identifiers[name]))

    # Users that Logto has

    def _adopt(self, payload: Payload, found: Sequence[User]) -> None:
        shared = " and ".join(
            name for name in payload.identifiers if any(_shares(payload, user, name) for user in found)
        )
        adoptable = [user for user in found if self._may_adopt(payload, user)]
        sub = found[0]["id"]
        if len(found) == 1 and self.marks and is_marked(found[0], payload.user):
            self._take_up(payload, found[0])
        elif len(found) > 1:
            self._conflict(payload, TAKEN_TWICE, f"not imported: more than one user at Logto has this {shared}")
        elif not adoptable:
            hint = "if it is the same user, use --adopt-by-email or --adopt-by-username"
            self._conflict(payload, TAKEN, f"not imported: the user {sub} at Logto has this {shared}; {hint}")
        elif has_admin_rights(payload.user):
            self._conflict(payload, TAKEN_STAFF, "not imported: link accounts of staff by hand, in the admin")
        elif self._may_link(payload, sub):
            self.report.add(ADOPTED)
            self.report.account(LINKED_TO_EXISTING, payload.user, payload.values)
            self._say(payload, f"linked to {sub}, who has this {shared} at Logto and keeps the password there")

    def _take_up(self, payload: Payload, user: User) -> None:
        """Link the user whom an earlier run has created for this account, and could not link."""
        if not self.is_dry:
            identity = self._link(payload, user["id"])
            if identity is None:
                return
            if not payload.user.is_active:
                suspended = user if user["isSuspended"] else self.api.users.suspend(user["id"])
                with batch(Cause.COMMAND):
                    suspend(identity, UserStatus.SUSPENDED, changed_at(suspended) or time.time())
        self._count_created(payload)

    def _may_adopt(self, payload: Payload, user: User) -> bool:
        by_email = self.adopts_by_email and _shares(payload, user, "primaryEmail")
        return by_email or (self.adopts_by_username and _shares(payload, user, "username"))

    def _may_link(self, payload: Payload, sub: str) -> bool:
        """Link the account, or find out whether that is possible; return whether it is."""
        if not self.is_dry:
            return self._link(payload, sub) is not None
        if sub in self._adopted or LogtoIdentity.objects.for_sub(conf.issuer, sub).exists():
            self._conflict(payload, LINKED_TWICE, LINKED_ELSEWHERE.format(sub))
            return False
        self._adopted.add(sub)
        return True

    # Both

    def _link(self, payload: Payload, sub: str) -> LogtoIdentity | None:
        identity = LogtoIdentity(user=payload.user, issuer=conf.issuer, sub=sub)
        try:
            with atomic():
                identity.save(force_insert=True)
        except IntegrityError:
            # After Ctrl-C, the same answer may be handled again.
            stored: LogtoIdentity | None = LogtoIdentity.objects.for_sub(conf.issuer, sub).first()
            if stored is None or stored.user_id != payload.user.pk:
                self._conflict(payload, LINKED_TWICE, LINKED_ELSEWHERE.format(sub))
                return None
            return stored
        with batch(Cause.COMMAND):
            _send_linked(identity)
        return identity

    def _conflict(self, payload: Payload, kind: str, text: str) -> None:
        self.report.add(CONFLICTS)
        self.report.account(kind, payload.user, payload.values)
        self._say(payload, text)

    def _say(self, payload: Payload, text: str) -> None:
        self.report.say(f"{payload.user.get_username()} ({payload.user.pk}): {text}")

    def _stop(self, number: int) -> None:
        if number:
            self.report.say(f"Stopping: waiting for the answers to {number} requests.")
        if not self._is_in_transaction:
            # If Ctrl-C comes while Django begins a transaction, Django and the database differ in whether one is open.
            # A new connection has none.
            connections[database()].close()
            connections[database()].connect()

    def _say_error(self, error: Exception) -> None:
        self.report.say(f"Another request failed too: {error}")


def _create(api: ManagementAPI, payload: Payload) -> _Created | ManagementAPIError:
    """Create a user at Logto, suspended if the account is inactive. Return Logto's error if it refuses the values.

    It runs in a thread: without queries.
    """
    try:
        sub = api.users.create(cast("NewUser", payload.values))["id"]
    except ManagementAPIError as error:
        if error.status not in REFUSED_PAYLOAD:
            raise
        return error
    if payload.user.is_active:
        return _Created(payload, sub)
    try:
        return _Created(payload, sub, suspended=api.users.suspend(sub))
    except LogtoError as error:
        return _Created(payload, sub, error=error)


def _send_linked(identity: LogtoIdentity) -> None:
    identity_linked.send_robust(sender=type(identity.user), user=identity.user, identity=identity)


def _no_request(api: ManagementAPI, payload: Payload) -> _Created:
    return _Created(payload, "")


def _result(payloads: list[Payload], found: Future[list[User]]) -> tuple[list[Payload], list[User]]:
    return payloads, found.result()


def find_existing(api: ManagementAPI, payloads: Sequence[Payload]) -> list[User]:
    """Return the users at Logto that may have one of these identifiers. One request."""
    query: dict[str, Any] = {"mode": "exact"}
    for payload in payloads:
        for name, value in payload.identifiers.items():
            query.setdefault(f"search.{name}", []).append(value)
    return next(api.users.pages(**query), []) if len(query) > 1 else []


def unlinked() -> QuerySet[Any]:
    """Return the accounts that have no identity at this Logto."""
    linked = LogtoIdentity.objects.filter(issuer=conf.issuer, user=OuterRef("pk"))
    accounts: QuerySet[Any] = get_user_model()._default_manager.using(database()).order_by("pk")
    return accounts.exclude(Exists(linked))  # type: ignore[no-any-return]


def in_batches(users: QuerySet[Any]) -> Iterator[list[Any]]:
    """Return the accounts in batches, by key: some databases send all rows of a cursor to the client at once."""
    batch = list(users[:BATCH])
    while batch:
        yield batch
        batch = list(users.filter(pk__gt=batch[-1].pk)[:BATCH])


def _kind(payload: Payload) -> str:
    if "passwordDigest" in payload.values:
        return WITH_PASSWORD
    return PASSWORD_MOVES if can_move(payload.user) else NEW_PASSWORD


def _shares_an_identifier(payload: Payload, user: User) -> bool:
    return any(_shares(payload, user, name) for name in payload.identifiers)


def _shares(payload: Payload, user: Mapping[str, Any], name: str) -> bool:
    """Return whether the user at Logto has this identifier."""
    wanted, held = payload.exact_identifiers.get(name), user.get(name)
    return wanted is not None and held is not None and wanted == exact_identifier(name, held)


def _rights_at_risk(user: Any) -> Iterator[str]:
    """Return a remark for each flag that the first sign-in removes, because the user has no roles at Logto yet."""
    for flag, roles in (("is_staff", conf.staff_roles), ("is_superuser", conf.superuser_roles)):
        if roles and getattr(user, flag, False):
            yield f"has {flag} here: assign {' or '.join(roles)} at Logto, or the first sign-in removes it"
