"""Create this site's accounts at Logto, with their passwords, and link each account by its `sub`.

A linked account is skipped, so an interrupted import can simply be started again. `payloads` makes the requests,
`passwords` converts the hashes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import get_user_model
from django.db import IntegrityError, reset_queries
from django.db.models import Exists, OuterRef, QuerySet

from logto_auth.conf import conf
from logto_auth.exceptions import ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.models import LogtoIdentity, UserStatus, atomic, database
from logto_auth.users.management_api import changed_at
from logto_auth.users.rights import has_admin_rights
from logto_auth.users.suspension import suspend

from .payloads import Payload, payload_of, user_values
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
# As many as fit into the URL of one search, however long their identifiers are.
BATCH = 25
REFUSED_PAYLOAD = frozenset({400, 422})


@dataclass
class Import:
    """The import of the accounts that are not linked yet."""

    api: ManagementAPI
    report: Report
    is_dry: bool = False
    adopts_by_email: bool = False
    adopts_by_username: bool = False
    values_of: Callable[[Any], Mapping[str, Any]] = user_values

    def run(self) -> None:
        """Import all accounts that are not linked. Raise LogtoError if Logto fails; start again then."""
        total, done = unlinked().count(), 0
        for users in _in_batches(unlinked()):
            payloads = [payload_of(user, self.values_of) for user in users]
            existing = self._find_existing(payloads)
            for payload in payloads:
                self._import(payload, existing)
            done += len(users)
            self.report.progress("accounts", done, total)
            reset_queries()

    def _find_existing(self, payloads: Sequence[Payload]) -> list[User]:
        """Return the users at Logto that may have one of these identifiers. One request."""
        query: dict[str, Any] = {"mode": "exact"}
        for payload in payloads:
            for name, value in payload.identifiers.items():
                query.setdefault(f"search.{name}", []).append(value)
        return next(self.api.users.pages(**query), []) if len(query) > 1 else []

    def _import(self, payload: Payload, existing: Sequence[User]) -> None:
        if not payload.identifiers:
            remarks = "; ".join(payload.remarks)
            self._conflict(payload, f"not imported, because no identifier is left to sign in with: {remarks}")
        elif found := [user for user in existing if _shares_an_identifier(payload, user)]:
            self._adopt(payload, found)
        else:
            self._create(payload)

    # Users that Logto does not have

    def _create(self, payload: Payload) -> None:
        if not self.is_dry:
            try:
                sub = self.api.users.create(cast("NewUser", payload.values))["id"]
            except ManagementAPIError as error:
                if error.status not in REFUSED_PAYLOAD:
                    raise
                self._conflict(payload, f"not imported, because Logto refused it: {error.code}: {error.message}")
                return
            identity = self._link(payload, sub)
            if identity is None:
                return
            if not payload.user.is_active:
                suspended = self.api.users.suspend(sub)
                suspend(identity, UserStatus.SUSPENDED, changed_at(suspended) or time.time())
        self.report.add(CREATED)
        if not payload.user.is_active:
            self.report.add(SUSPENDED)
        if "passwordDigest" not in payload.values:
            self.report.add(WITHOUT_PASSWORD)
        for remark in [*payload.remarks, *_rights_at_risk(payload.user)]:
            self._say(payload, remark)

    # Users that Logto has

    def _adopt(self, payload: Payload, found: Sequence[User]) -> None:
        shared = " and ".join(
            name for name in payload.identifiers if any(_shares(payload, user, name) for user in found)
        )
        adoptable = [user for user in found if self._may_adopt(payload, user)]
        sub = found[0]["id"]
        if len(found) > 1:
            self._conflict(payload, f"not imported: more than one user at Logto has this {shared}")
        elif not adoptable:
            hint = "if it is the same user, use --adopt-by-email or --adopt-by-username"
            self._conflict(payload, f"not imported: the user {sub} at Logto has this {shared}; {hint}")
        elif has_admin_rights(payload.user):
            self._conflict(payload, "not imported: link accounts of staff by hand, in the admin")
        elif self.is_dry or self._link(payload, sub):
            self.report.add(ADOPTED)
            self._say(payload, f"linked to {sub}, who has this {shared} at Logto and keeps the password there")

    def _may_adopt(self, payload: Payload, user: User) -> bool:
        by_email = self.adopts_by_email and _shares(payload, user, "primaryEmail")
        return by_email or (self.adopts_by_username and _shares(payload, user, "username"))

    # Both

    def _link(self, payload: Payload, sub: str) -> LogtoIdentity | None:
        identity = LogtoIdentity(user=payload.user, issuer=conf.issuer, sub=sub)
        try:
            with atomic():
                identity.save(force_insert=True)
        except IntegrityError:
            self._conflict(payload, f"not linked: {sub} is linked to another account, or this account was deleted")
            return None
        return identity

    def _conflict(self, payload: Payload, text: str) -> None:
        self.report.add(CONFLICTS)
        self._say(payload, text)

    def _say(self, payload: Payload, text: str) -> None:
        self.report.say(f"{payload.user.get_username()} ({payload.user.pk}): {text}")


def unlinked() -> QuerySet[Any]:
    """Return the accounts that have no identity at this Logto."""
    linked = LogtoIdentity.objects.filter(issuer=conf.issuer, user=OuterRef("pk"))
    accounts: QuerySet[Any] = get_user_model()._default_manager.using(database()).order_by("pk")
    return accounts.exclude(Exists(linked))  # type: ignore[no-any-return]


def _in_batches(users: QuerySet[Any]) -> Iterator[list[Any]]:
    """Return the accounts in batches, by key: some databases send all rows of a cursor to the client at once."""
    batch = list(users[:BATCH])
    while batch:
        yield batch
        batch = list(users.filter(pk__gt=batch[-1].pk)[:BATCH])


def _shares_an_identifier(payload: Payload, user: User) -> bool:
    return any(_shares(payload, user, name) for name in payload.identifiers)


def _shares(payload: Payload, user: Mapping[str, Any], name: str) -> bool:
    """Return whether the user at Logto has this identifier. At Logto, case matters in usernames and not in e-mails."""
    wanted, held = payload.identifiers.get(name), user.get(name)
    if wanted is None or held is None:
        return False
    return bool(wanted.lower() == held.lower() if name == "primaryEmail" else wanted == held)


def _rights_at_risk(user: Any) -> Iterator[str]:
    """Return a remark for each flag that the first sign-in removes, because the user has no roles at Logto yet."""
    for flag, roles in (("is_staff", conf.staff_roles), ("is_superuser", conf.superuser_roles)):
        if roles and getattr(user, flag, False):
            yield f"has {flag} here: assign {' or '.join(roles)} at Logto, or the first sign-in removes it"
