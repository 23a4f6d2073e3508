"""Field values and role names from claims. Pure: no database, no settings."""

from __future__ import annotations

from typing import Any

from logto_auth.oidc.claims import names_in, text
from logto_auth.oidc.types import Claims

__all__ = ["user_fields"]

# The fields that `user_fields` has values for.
FIELDS = frozenset({"username", "email", "first_name", "last_name"})


def user_fields(claims: Claims) -> dict[str, Any]:
    """Return values for the fields of Django's user model, by field name.

    One rule for all fields: a claim that is null empties its field, because Logto has no value any more; a claim that
    is missing, or not a text, gives no value, so the field keeps its own (decision 0033). `username` is used for new
    accounts only. This is the default of `LOGTO_USER_FIELDS`; a function of the site may call it and add to the result.
    """
    fields: dict[str, Any] = {"username": text(claims, "username") or text(claims, "preferred_username")}
    if _is_reported(claims, "email"):
        fields["email"] = text(claims, "email")
    given_name, family_name = text(claims, "given_name"), text(claims, "family_name")
    if given_name or family_name:
        fields["first_name"], fields["last_name"] = given_name, family_name
    elif _is_reported(claims, "name"):
        # Where to split a full name depends on the culture, so it is not split.
        fields["first_name"], fields["last_name"] = text(claims, "name"), ""
    return fields


def _is_reported(claims: Claims, name: str) -> bool:
    """Return whether Logto has reported the claim, as a text or as null."""
    return name in claims and isinstance(claims[name], str | None)


def role_names(claims: Claims) -> frozenset[str] | None:
    """Return the names in the `roles` claim; None if the claim is missing or not a list."""
    return frozenset(names) if (names := names_in(claims, "roles")) is not None else None
