"""Values of unique fields: usernames, and other values that only one account may have.

This module has the rules. The caller passes `is_taken`, which looks in the database: `provisioning` for one user,
`sync` for a page of users.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.db import models

from .fields import no_value, username_field
from .look_alikes import looks_like_another

Candidates: TypeAlias = "Mapping[models.Field[Any, Any], Sequence[str | None]]"
"""For each unique field, the values that an account may get, the best first."""
IsTaken: TypeAlias = "Callable[[models.Field[Any, Any], str], bool]"
"""Whether another account has this value."""


def candidates_for_new(user_model: type[AbstractBaseUser], values: Mapping[str, Any], sub: str) -> Candidates:
    """Return the candidates for a new account, the username among them."""
    username = username_field(user_model)
    candidates = {username: _usernames(username, values.get(username.name), sub)}
    for field in unique_text_fields(user_model, values):
        if field is not username and values[field.name]:
            candidates[field] = _with_placeholders(field, values[field.name], sub)
    return candidates


def candidates_for_existing(user_model: type[AbstractBaseUser], values: Mapping[str, Any]) -> Candidates:
    """Return the candidates for an existing account: each value of `values` and no other."""
    return {field: [values[field.name]] for field in unique_text_fields(user_model, values) if values[field.name]}


def settle(values: dict[str, Any], candidates: Candidates, is_taken: IsTaken, *, is_new: bool) -> None:
    """Change `values` so that no other account has any of them.

    A new account gets the first candidate that is free. An existing account keeps the value that it has.
    """
    for field, wanted in candidates.items():
        if is_new:
            values[field.name] = _first_free(field, wanted, is_taken)
        elif wanted[0] and is_taken(field, wanted[0]):
            del values[field.name]


def unique_text_fields(
    user_model: type[AbstractBaseUser], names: Iterable[str]
) -> Iterator[models.CharField[Any, Any]]:
    """Return the unique text fields among the fields called `names`."""
    for name in names:
        field = user_model._meta.get_field(name)
        if isinstance(field, models.CharField) and field.unique:
            yield field


def _first_free(field: models.Field[Any, Any], wanted: Sequence[str | None], is_taken: IsTaken) -> str | None:
    # The last candidate is random or derived from the user's own id, so it is not checked.
    return next((value for value in wanted if not value or not is_taken(field, value)), wanted[-1])


def _with_placeholders(field: models.Field[Any, Any], wanted: str | None, sub: str) -> Sequence[str | None]:
    # Two subs may differ in case only, and this database may treat them as the same text.
    other = f"{sub}-{hashlib.sha256(sub.encode()).hexdigest()[:8]}"
    return [*([wanted] if wanted else []), no_value(field, sub), no_value(field, other)]


def _usernames(field: models.Field[Any, Any], wanted: str | None, sub: str) -> Sequence[str | None]:
    """Return the wanted name if it is valid, then readable names that stay the same for this user."""
    if isinstance(field, models.EmailField):
        return _with_placeholders(field, wanted, sub)
    # As Django's forms and `create_user()` do.
    name = field.model.normalize_username(wanted or "")  # type: ignore[attr-defined]
    name = "" if looks_like_another(name) else _valid_name(field, name)
    # Another account may have this sub as its username, so the last candidate is random.
    names = (name, f"{name}-{sub}" if name else "", sub, f"{sub}-{secrets.token_hex(4)}")
    fitting = [each for each in names if each and len(each) <= (field.max_length or 150)]
    return fitting or [sub[: field.max_length]]


def _valid_name(field: models.Field[Any, Any], wanted: str) -> str:
    """Return `wanted` without the characters that the validators of the field refuse; "" if that is not enough."""
    for name in (wanted, "".join(c if c.isalnum() else "-" for c in wanted).strip("-")):
        try:
            field.run_validators(name)
        except ValidationError:
            continue
        return name
    return ""
