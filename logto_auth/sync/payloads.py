"""An account of this site as a payload of `POST /users` at Logto. No network, no database."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import models

from logto_auth.users.rights import has_admin_rights

from .passwords import UnsupportedHash, digest_of, may_move

__all__ = ["user_values"]

# Logto's own patterns, and the lengths of its columns.
USERNAME = re.compile(r"[A-Z_a-z]\w*", re.ASCII)
EMAIL = re.compile(r"\S+@\S+\.\S+")
PHONE = re.compile(r"[0-9]+")
MAX_LENGTH = 128
IDENTIFIERS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "username": (USERNAME, "only letters, digits and underscores are allowed, and no digit at the start"),
    "primaryEmail": (EMAIL, "it is not an e-mail address"),
    "primaryPhone": (PHONE, "only digits are allowed, with the country code first"),
}

# A field of Logto's user, and its value.
Identifier = tuple[str, str]


@dataclass
class Payload:
    """What is sent to Logto for an account."""

    user: Any
    values: dict[str, Any]
    remarks: list[str] = field(default_factory=list)
    """What Logto does not accept, and what that means for the user."""

    @property
    def identifiers(self) -> dict[str, str]:
        """The values that the user can sign in with."""
        return {name: self.values[name] for name in IDENTIFIERS if name in self.values}

    @property
    def exact_identifiers(self) -> dict[str, Identifier]:
        """The identifiers as Logto compares them, by field."""
        return {name: exact_identifier(name, value) for name, value in self.identifiers.items()}

    @property
    def folded_identifiers(self) -> list[Identifier]:
        """The identifiers without case: a Logto can be set to ignore it in usernames too."""
        return [(name, value.casefold()) for name, value in self.identifiers.items()]


def exact_identifier(name: str, value: str) -> Identifier:
    """Return an identifier as Logto compares it: case matters in usernames, and not in e-mails."""
    return name, value.lower() if name == "primaryEmail" else value


def user_values(user: Any) -> dict[str, Any]:
    """Return what is sent to Logto for an account, without its password: the body of Logto's `POST /users`.

    This is the default of `--values`. A function of the site may call it and add to the result, such as `primaryPhone`
    or `customData`.
    """
    username_field = user._meta.get_field(user.USERNAME_FIELD)
    names = {"givenName": getattr(user, "first_name", ""), "familyName": getattr(user, "last_name", "")}
    return {
        "username": "" if isinstance(username_field, models.EmailField) else user.get_username(),
        "primaryEmail": getattr(user, user.get_email_field_name(), ""),
        "name": user.get_full_name() if hasattr(user, "get_full_name") else "",
        "profile": {name: value for name, value in names.items() if value},
    }


def can_move(user: Any) -> bool:
    """Return whether the password of an account can move at the first sign-in (decision 0055)."""
    return may_move(user.password) and user.is_active and not has_admin_rights(user)


def payload_of(user: Any, values_of: Callable[[Any], Mapping[str, Any]]) -> Payload:
    """Return the payload of `user`, with the password if Logto can check its hash."""
    payload = Payload(user, {name: value for name, value in values_of(user).items() if value})
    for name, (pattern, reason) in IDENTIFIERS.items():
        value = payload.values.get(name)
        if value is not None and not (len(value) <= MAX_LENGTH and pattern.fullmatch(value)):
            del payload.values[name]
            payload.remarks.append(f"{name} {value!r} is left out, because Logto would refuse it: {reason}")
    if "name" in payload.values:
        payload.values["name"] = payload.values["name"][:MAX_LENGTH]
    try:
        payload.values |= digest_of(user.password).payload
    except UnsupportedHash as error:
        # An account without an identifier is not imported at all.
        if payload.identifiers:
            payload.remarks.append(f"imported without a password: {error}; {_way_without_password(user)}")
    return payload


def _way_without_password(user: Any) -> str:
    """Return, in words, how a user signs in whose password Logto cannot import."""
    forgotten = "the user must use 'Forgot password' at Logto"
    if not can_move(user):
        return forgotten
    if apps.is_installed("logto_auth.password_migration"):
        return "it moves at the first sign-in"
    return f"with the password migration it moves at the first sign-in, else {forgotten}"
