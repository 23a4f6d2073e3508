"""The values of claims for the fields of the site's user model, fitted to these fields. No database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils.module_loading import import_string

from logto_auth.conf import conf
from logto_auth.oidc.claims import storable
from logto_auth.oidc.types import Claims

from .rights import Rights, flags

logger = logging.getLogger("logto_auth")

# RFC 2606, section 2: mail to this domain can never be delivered.
PLACEHOLDER_DOMAIN = "logto.invalid"


def values_for(user_model: type[AbstractBaseUser], claims: Claims, rights: Rights | None) -> dict[str, Any]:
    """Return the values of fields and flags of an account. Raise SignInRefused if the function of the site does."""
    return {**field_values(user_model, claims), **flags(user_model, rights)}


def changed_values(user: AbstractBaseUser, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of `values` that differ from `user`. A username is left out: it never changes."""
    username = username_field(type(user))
    kept = None if isinstance(username, models.EmailField) else username.name
    return {name: value for name, value in values.items() if name != kept and getattr(user, name) != value}


def username_field(user_model: type[AbstractBaseUser]) -> models.Field[Any, Any]:
    """Return the field that `USERNAME_FIELD` names."""
    field = user_model._meta.get_field(user_model.USERNAME_FIELD)  # type: ignore[attr-defined]
    assert isinstance(field, models.Field)
    return field


def field_values(user_model: type[AbstractBaseUser], claims: Claims) -> dict[str, Any]:
    """Return what `LOGTO_USER_FIELDS` gives for the fields that the user model has, fitted to these fields."""
    user_fields: Callable[[Claims], Mapping[str, Any]] = import_string(conf.user_fields)
    fitted = {}
    for name, value in user_fields(claims).items():
        try:
            field = user_model._meta.get_field(name)
            value = _storable(value)
        except FieldDoesNotExist:
            continue
        except RecursionError:
            logger.warning("The value for the field %s is nested too deeply. The field is not changed.", name)
            continue
        fitted[name] = _fit(field, value, claims["sub"]) if isinstance(field, models.CharField) else value
    return fitted


def _storable(value: Any) -> Any:
    """Return `value` without the characters that no database stores, in all its texts."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {_storable(key): _storable(each) for key, each in value.items()}
    return [_storable(each) for each in value] if isinstance(value, list) else value


def missing_fields(user: AbstractBaseUser) -> list[str]:
    """Return the names of the fields in which a new account must have a value and `user` has none."""
    return [field.name for field in user._meta.concrete_fields if _is_missing(field, vars(user).get(field.attname))]


def _is_missing(field: models.Field[Any, Any], value: Any) -> bool:
    is_set_on_save = field.primary_key or getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    if is_set_on_save or getattr(field, "generated", False):
        return False
    # A second "" would violate the unique constraint.
    return not field.null and (value is None or (value == "" and field.unique))


def faulty_fields(user: AbstractBaseUser) -> list[str]:
    """Return the names of the fields that have no value and need one, or whose value is not valid. No query."""
    missing = missing_fields(user)
    return missing + [
        field.name
        for field in user._meta.concrete_fields
        if field.name not in missing and not _is_valid(field, vars(user).get(field.attname))
    ]


def _is_valid(field: models.Field[Any, Any], value: Any) -> bool:
    # Whether the row of a foreign key exists would be a query.
    if field.is_relation or value in (None, ""):
        return True
    try:
        field.run_validators(field.to_python(value))
    except (TypeError, ValidationError, ValueError):
        return False
    return True


def no_value(field: models.Field[Any, Any], sub: str) -> str | None:
    """Return the value that means "none": NULL if allowed, a placeholder if the field is unique, else ""."""
    if field.null:
        return None
    if not field.unique:
        return ""
    return f"{sub}@{PLACEHOLDER_DOMAIN}" if isinstance(field, models.EmailField) else sub


def _fit(field: models.CharField[Any, Any], value: Any, sub: str) -> Any:
    if not isinstance(value, str):
        return value
    if isinstance(field, models.EmailField):
        # A truncated e-mail is another e-mail: store all of it or none.
        is_whole = len(value) <= (field.max_length or len(value)) and _is_email(value)
        return value if is_whole else no_value(field, sub)
    return value[: field.max_length] if value or not field.null else None


def _is_email(value: str) -> bool:
    try:
        validate_email(value)
    except ValidationError:
        return False
    return True
