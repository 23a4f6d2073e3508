"""An account of this site as a user of Logto's, and what of it Logto does not take. No network, no database."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from .passwords import DoesNotFit, digest_of

# Logto's own patterns, and the lengths of its columns.
USERNAME = re.compile(r"[A-Z_a-z]\w*", re.ASCII)
EMAIL = re.compile(r"\S+@\S+\.\S+")
PHONE = re.compile(r"[0-9]+")
MAX_LENGTH = 128
IDENTIFIERS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "username": (USERNAME, "it may have letters, digits and underscores, and begins with no digit"),
    "primaryEmail": (EMAIL, "it is no address"),
    "primaryPhone": (PHONE, "it is to be digits alone, those of the country first"),
}


@dataclass
class Payload:
    """What Logto is to be told of an account."""

    user: Any
    values: dict[str, Any]
    remarks: list[str] = field(default_factory=list)
    """What Logto does not take, and what that means for the person."""

    @property
    def identifiers(self) -> dict[str, str]:
        """What the person could sign in with."""
        return {name: self.values[name] for name in IDENTIFIERS if name in self.values}


def user_values(user: Any) -> dict[str, Any]:
    """What Logto is told of an account unless the site says otherwise, but for its password: `POST /users` at Logto.

    A function of the site's own may call it and add to what it returns, such as `primaryPhone` or `customData`.
    """
    username_field = user._meta.get_field(user.USERNAME_FIELD)
    names = {"givenName": getattr(user, "first_name", ""), "familyName": getattr(user, "last_name", "")}
    return {
        "username": "" if isinstance(username_field, models.EmailField) else user.get_username(),
        "primaryEmail": getattr(user, user.get_email_field_name(), ""),
        "name": user.get_full_name() if hasattr(user, "get_full_name") else "",
        "profile": {name: value for name, value in names.items() if value},
    }


def payload_of(user: Any, values_of: Callable[[Any], Mapping[str, Any]]) -> Payload:
    """What Logto is to be told of `user`, with its password where Logto can check it."""
    payload = Payload(user, {name: value for name, value in values_of(user).items() if value})
    for name, (pattern, reason) in IDENTIFIERS.items():
        value = payload.values.get(name)
        if value is not None and not (len(value) <= MAX_LENGTH and pattern.fullmatch(value)):
            del payload.values[name]
            payload.remarks.append(f"{name} {value!r} is left out, for Logto would refuse it: {reason}")
    if "name" in payload.values:
        payload.values["name"] = payload.values["name"][:MAX_LENGTH]
    try:
        payload.values |= digest_of(user.password).payload
    except DoesNotFit as error:
        payload.remarks.append(f"without a password: {error}; they choose one at Logto by 'Forgot password'")
    return payload
