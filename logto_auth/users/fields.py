"""What claims mean for the fields of the site's user model, made to fit them.

No database: whoever asks brings what is taken, `provisioning` for one person at a time, `syncing` for a hundred.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.module_loading import import_string

from logto_auth.conf import conf
from logto_auth.oidc.types import Claims
from logto_auth.users.claims import Rights, rights

# RFC 2606, section 2: mail to this domain can never reach anyone.
PLACEHOLDER_DOMAIN = "logto.invalid"


def values_for(user_model: type[AbstractBaseUser], claims: Claims, rights: Rights | None) -> dict[str, Any]:
    """What fields and flags of an account are to be, by these claims and rights. Raises SignInRefused when the site's
    function does."""
    return {**field_values(user_model, claims), **_flags(user_model, rights)}


def rights_of(claims: Claims) -> Rights | None:
    """What the roles in these claims mean here; None when the claims have no roles."""
    return rights(
        claims,
        staff_roles=conf.staff_roles,
        superuser_roles=conf.superuser_roles,
        groups_by_role=conf.groups_by_role,
    )


def changed_values(user: AbstractBaseUser, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` that `user` has not yet; never a username, which stays as it was given."""
    username = username_field(type(user))
    kept = None if isinstance(username, models.EmailField) else username.name
    return {name: value for name, value in values.items() if name != kept and getattr(user, name) != value}


def username_field(user_model: type[AbstractBaseUser]) -> models.Field[Any, Any]:
    field = user_model._meta.get_field(user_model.USERNAME_FIELD)  # type: ignore[attr-defined]
    assert isinstance(field, models.Field)
    return field


def unique_text_fields(
    user_model: type[AbstractBaseUser], names: Iterable[str]
) -> Iterator[models.CharField[Any, Any]]:
    """Those of the fields that nobody may share with anybody."""
    for name in names:
        field = user_model._meta.get_field(name)
        if isinstance(field, models.CharField) and field.unique:
            yield field


# Fields and flags


def field_values(user_model: type[AbstractBaseUser], claims: Claims) -> dict[str, Any]:
    """What the mapping gives, for the fields that the user model has."""
    user_fields: Callable[[Claims], Mapping[str, Any]] = import_string(conf.user_fields)
    fitted = {}
    for name, value in user_fields(claims).items():
        try:
            field = user_model._meta.get_field(name)
        except FieldDoesNotExist:
            continue
        fitted[name] = _fit(field, value, claims["sub"]) if isinstance(field, models.CharField) else value
    return fitted


def _fit(field: models.CharField[Any, Any], value: Any, sub: str) -> Any:
    if not isinstance(value, str):
        return value
    value = value.replace("\x00", "")
    if isinstance(field, models.EmailField):
        # Half an address is another address: keep it whole or not at all.
        is_whole = len(value) <= (field.max_length or len(value)) and _is_email(value)
        return value if is_whole else _no_value(field, sub)
    return value[: field.max_length] if value or not field.null else None


def _is_email(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True


def _no_value(field: models.Field[Any, Any], sub: str) -> str | None:
    """What stands for "none" in a field: null where it may be, a placeholder where it must be unique, else nothing."""
    if field.null:
        return None
    if not field.unique:
        return ""
    return f"{sub}@{PLACEHOLDER_DOMAIN}" if isinstance(field, models.EmailField) else sub


def _flags(user_model: type[AbstractBaseUser], rights: Rights | None) -> dict[str, bool]:
    """The flags that roles decide about, as far as the user model has them."""
    if rights is None:
        return {}
    flags = {"is_staff": rights.is_staff, "is_superuser": rights.is_superuser}
    return {name: value for name, value in flags.items() if value is not None and hasattr(user_model, name)}


# What a new account gets where nobody may have what another has


def candidate_values(
    user_model: type[AbstractBaseUser], values: Mapping[str, Any], sub: str
) -> dict[models.Field[Any, Any], Sequence[str | None]]:
    """By unique field what a new account may get there, the best first: see `first_available`."""
    username = username_field(user_model)
    found = {username: _usernames(username, values.get(username.name), sub)}
    for field in unique_text_fields(user_model, values):
        if field is not username and values[field.name]:
            found[field] = _values(field, values[field.name], sub)
    return found


def first_available(wanted: Sequence[str | None], is_taken: Callable[[str], bool]) -> str | None:
    """The first that nobody has. Chance sees to the last one: it is taken as it is."""
    return next((value for value in wanted if not value or not is_taken(value)), wanted[-1])


def _values(field: models.Field[Any, Any], wanted: str | None, sub: str) -> Sequence[str | None]:
    # Somebody may have a sub that differs in case only, and this database take the two for the same text.
    other = f"{sub}-{hashlib.sha256(sub.encode()).hexdigest()[:8]}"
    return [*([wanted] if wanted else []), _no_value(field, sub), _no_value(field, other)]


def _usernames(field: models.Field[Any, Any], wanted: str | None, sub: str) -> Sequence[str | None]:
    """The wanted name if it is valid, else a readable one that stays the same for this person."""
    if isinstance(field, models.EmailField):
        return _values(field, wanted, sub)
    name = _valid_name(field, wanted or "")
    # Somebody may have taken even another person's sub for a username; then chance decides.
    names = (name, f"{name}-{sub}" if name else "", sub, f"{sub}-{secrets.token_hex(4)}")
    fitting = [each for each in names if each and len(each) <= (field.max_length or 150)]
    return fitting or [sub[: field.max_length]]


def _valid_name(field: models.Field[Any, Any], wanted: str) -> str:
    """`wanted` without what the field's validators refuse."""
    for name in (wanted, "".join(c if c.isalnum() else "-" for c in wanted).strip("-")):
        try:
            field.run_validators(name)
        except ValidationError:
            continue
        return name
    return ""
