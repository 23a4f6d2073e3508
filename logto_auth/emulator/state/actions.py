"""What a tenant's script for failed sign-ins with a password may do. Source: recorded from Logto 1.42, and its source.

The sign-in is refused as before for every result that is not exactly one of the two that Logto knows.
"""

from __future__ import annotations

from typing import Any

from .records import User
from .sign_in_rules import SignInRefused
from .tenant import Tenant
from .tenant_tables import DuplicateError

AFTER_PASSWORD, AFTER_SIGN_IN = ACTION_TYPES = ("action.postFirstFactorVerification", "action.postSignIn")
# The fields of a user that a script may set, and their names here.
FIELDS = {
    "username": "username",
    "primaryEmail": "primary_email",
    "primaryPhone": "primary_phone",
    "name": "name",
    "avatar": "avatar",
    "customData": "custom_data",
    "profile": "profile",
}
OBJECTS = frozenset({"customData", "profile"})
IDENTIFIERS = {"username": "username", "email": "primaryEmail", "phone": "primaryPhone"}


def identifier_of(typed: str) -> dict[str, str]:
    """Return what was typed as the sign-in page of Logto submits it."""
    kind = "email" if "@" in typed else "phone" if typed.isascii() and typed.isdigit() else "username"
    return {"type": kind, "value": typed}


def user_of_action(user: User) -> dict[str, Any]:
    """Return a user as a script sees it: without a sign of whether there is a password."""
    return {"id": user.id, **{name: getattr(user, field) for name, field in FIELDS.items()}}


def apply_result(
    tenant: Tenant, result: Any, *, identifier: dict[str, str], user: User | None, password: str
) -> User | None:
    """Create or change the user as the script wants, with the password, and return it; None if the sign-in is refused.

    Raise SignInRefused with Logto's code if the result does not fit to the sign-in.
    """
    if not (
        isinstance(result, dict)
        and result.get("action") in {"createUser", "updateUser"}
        and result.get("passwordVerified") is True
        and _is_profile(result.get("user"))
    ):
        return None
    profile: dict[str, Any] = result["user"]
    _check_identifier(identifier, profile)
    if (result["action"] == "createUser") != (user is None):
        raise SignInRefused("session.identity_conflict", "The account is another one.", status=409)
    values = {FIELDS[name]: value for name, value in profile.items()}
    try:
        if user is None:
            typed = {FIELDS[IDENTIFIERS[identifier["type"]]]: identifier["value"]}
            return tenant.add_user(**{**typed, **values}, password=password)
        if "custom_data" in values:
            values["custom_data"] = {**user.custom_data, **values["custom_data"]}
        return tenant.update_user(user.id, **values, password=password, password_digest=None)
    except DuplicateError as error:
        raise SignInRefused(error.code, str(error)) from error


def _is_profile(values: Any) -> bool:
    """Return whether Logto accepts these values of a user. It refuses all others, and all unknown ones."""
    if not isinstance(values, dict) or values.keys() - FIELDS.keys():
        return False
    return all(
        isinstance(value, dict) if name in OBJECTS else value is None or isinstance(value, str)
        for name, value in values.items()
    )


def _check_identifier(identifier: dict[str, str], profile: dict[str, Any]) -> None:
    typed = identifier["value"]
    returned = profile.get(IDENTIFIERS[identifier["type"]], typed)
    folded = identifier["type"] == "email" and isinstance(returned, str)
    if (returned.lower() != typed.lower()) if folded else returned != typed:
        raise SignInRefused(
            "action.sign_in_identifier_changed",
            "The action cannot change the sign-in identifier used for this verification.",
        )
