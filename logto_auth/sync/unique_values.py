"""What only one account may have: user names, and whatever else the user model calls unique. For a page of people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db import models
from django.db.models.functions import Upper

from logto_auth.conf import conf
from logto_auth.oidc.claims import text
from logto_auth.users.fields import candidate_values, first_available, unique_text_fields

from . import report as outcomes
from .person import Person
from .report import Report


def settle_unique_values(people: Sequence[Person], report: Report) -> None:
    """Let nobody have what another has, as a sign-in does. One query for each unique field."""
    user_model = get_user_model()
    wanted = [(person, _candidates(user_model, person)) for person in people]
    taken = _Taken(wanted)
    for person, fields in wanted:
        for unique, candidates in fields.items():
            value = person.values.get(unique.name)
            if person.identity is None:
                person.values[unique.name] = first_available(candidates, partial(taken, unique, besides=None))
            elif value and taken(unique, value, besides=person.identity.user_id):
                del person.values[unique.name]
            settled = person.values.get(unique.name)
            taken.give(unique, settled)
            if value and settled != value:
                instead = f"the account gets {settled!r}" if person.identity is None else "the account keeps its own"
                report.conflict(
                    outcomes.CONFLICTS, f"{person.user['id']}: {unique.name} {value!r} cannot be had here; {instead}"
                )


def _candidates(
    user_model: type[AbstractBaseUser], person: Person
) -> dict[models.Field[Any, Any], Sequence[str | None]]:
    if person.identity is None:
        return dict(candidate_values(user_model, person.values, person.user["id"]))
    fields = unique_text_fields(user_model, person.values)
    return {each: [person.values[each.name]] for each in fields if person.values[each.name]}


class _Taken:
    """Which of the values that people want somebody has already, or has just been given."""

    def __init__(self, wanted: Iterable[tuple[Person, Mapping[models.Field[Any, Any], Sequence[str | None]]]]) -> None:
        values: defaultdict[models.Field[Any, Any], set[str]] = defaultdict(set)
        for _, fields in wanted:
            for unique, candidates in fields.items():
                # Few get what is not the first for them.
                values[unique].update(filter(None, candidates[:1]))
        self._owners = {unique: _owners(unique, texts) for unique, texts in values.items()}

    def __call__(self, unique: models.Field[Any, Any], value: str, *, besides: Any) -> bool:
        owners = self._owners[unique]
        if value.casefold() not in owners:
            owners.update(_owners(unique, [value]))
        return bool(owners[value.casefold()] - {besides})

    def give(self, unique: models.Field[Any, Any], value: str | None) -> None:
        """Let the value be somebody's."""
        if value:
            self._owners[unique].setdefault(value.casefold(), set()).add("somebody new")


def _owners(unique: models.Field[Any, Any], values: Iterable[str]) -> dict[str, set[Any]]:
    """By value, in whichever case, the keys of the accounts that have it. One query."""
    owners: dict[str, set[Any]] = {value.casefold(): set() for value in values}
    # Databases and Python agree about the case of ASCII only.
    folded = [value.upper() if value.isascii() else Upper(models.Value(value)) for value in sorted(owners)]
    rows = unique.model._default_manager.annotate(_folded=Upper(unique.name)).filter(_folded__in=folded)
    for pk, value in rows.values_list("pk", unique.name):
        owners.setdefault(value.casefold(), set()).add(pk)
    return owners


def find_accounts_to_link(people: Sequence[Person]) -> None:
    """Mark the new people whose e-mail an account here has, where the site links by e-mail: `provisioning` looks at
    them. One query then."""
    new = [person for person in people if person.identity is None]
    emails = {text(person.claims, "email") for person in new} - {""}
    if not conf.link_by_email or not emails:
        return
    user_model = get_user_model()
    email_field = user_model._meta.get_field(user_model.get_email_field_name())
    assert isinstance(email_field, models.Field)
    owned = _owners(email_field, emails)
    for person in new:
        person.may_be_linked = bool(owned.get(text(person.claims, "email").casefold()))
