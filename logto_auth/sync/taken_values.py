"""Which values of unique fields are taken, looked up for a page of users at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.db.models.functions import Upper

from logto_auth.conf import conf
from logto_auth.oidc.claims import text
from logto_auth.transactions import database
from logto_auth.users.unique_values import Candidates, candidates_for_existing, candidates_for_new, settle

from . import report as outcomes
from .planned_user import PlannedUser
from .report import Report


def settle_unique_values(users: Sequence[PlannedUser], report: Report) -> None:
    """Change the planned values so that no two accounts share one, as a sign-in does. One query for each field."""
    user_model = get_user_model()
    candidates = [_candidates(user_model, user) for user in users]
    taken = TakenValues(candidates)
    for user, wanted in zip(users, candidates, strict=True):
        if not wanted:
            continue
        before = {field: user.values.get(field.name) for field in wanted}
        owner = user.identity.user_id if user.identity is not None else None
        settle(user.values, wanted, partial(taken, besides=owner), is_new=user.is_new)
        for field, value in before.items():
            settled = user.values.get(field.name)
            taken.add(field, settled)
            if value and settled != value:
                _report_conflict(user, field, value, settled, report)


def _candidates(user_model: type[AbstractBaseUser], user: PlannedUser) -> Candidates:
    if user.is_new:
        return candidates_for_new(user_model, user.values, user.payload["id"])
    return candidates_for_existing(user_model, user.values)


def _report_conflict(
    user: PlannedUser, field: models.Field[Any, Any], value: str, settled: str | None, report: Report
) -> None:
    instead = f"the account gets {settled!r}" if user.is_new else "the account keeps its own"
    report.conflict(outcomes.CONFLICTS, f"{user.payload['id']}: {field.name} {value!r} is not available; {instead}")


class TakenValues:
    """The wanted values that are taken, by an account or by a user of the same page."""

    def __init__(self, wanted: Iterable[Candidates]) -> None:
        values: defaultdict[models.Field[Any, Any], set[str]] = defaultdict(set)
        for candidates in wanted:
            for field, texts in candidates.items():
                # Few users need more than their first candidate.
                values[field].update(filter(None, texts[:1]))
        self._owners = {field: _owners(field, texts) for field, texts in values.items()}

    def __call__(self, field: models.Field[Any, Any], value: str, *, besides: Any) -> bool:
        """Return whether an account other than the one with the key `besides` has the value."""
        owners = self._owners[field]
        if value.casefold() not in owners:
            owners.update(_owners(field, [value]))
        return bool(owners[value.casefold()] - {besides})

    def add(self, field: models.Field[Any, Any], value: str | None) -> None:
        """Remember that the value will be stored."""
        if value:
            self._owners[field].setdefault(value.casefold(), set()).add("a user of this page")


def _owners(field: models.Field[Any, Any], values: Iterable[str]) -> dict[str, set[Any]]:
    """Return the keys of the accounts that have each value, in upper or lower case, by casefolded value. One query."""
    owners: dict[str, set[Any]] = {value.casefold(): set() for value in values}
    # Databases and Python agree about the case of ASCII only.
    folded = [value.upper() if value.isascii() else Upper(models.Value(value)) for value in sorted(owners)]
    rows = field.model._base_manager.using(database()).annotate(_folded=Upper(field.name)).filter(_folded__in=folded)
    for pk, value in rows.values_list("pk", field.name):
        owners.setdefault(value.casefold(), set()).add(pk)
    return owners


def find_possible_links(users: Sequence[PlannedUser]) -> None:
    """Mark new users whose e-mail an account has, if the site links by e-mail; one query in that case.

    `users.linking` decides about them one by one.
    """
    new = [user for user in users if user.is_new]
    emails = {text(user.claims, "email") for user in new} - {""}
    if not conf.link_by_email or not emails:
        return
    user_model = get_user_model()
    email_field = user_model._meta.get_field(user_model.get_email_field_name())
    assert isinstance(email_field, models.Field)
    owners = _owners(email_field, emails)
    for user in new:
        user.may_be_linked = bool(owners.get(text(user.claims, "email").casefold()))
