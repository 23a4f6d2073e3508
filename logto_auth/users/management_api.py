"""Claims from a user object of the Management API or of a webhook. Pure.

The result has only the claims that a sign-in with the same scopes has, so that one mapping of fields serves both. A
value of an unexpected type is treated as missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

# Python's integers may be too large for a float.
MAX_MILLISECONDS = 10**15

# The claims of texts of the user object, by scope and by Logto's name.
ACCOUNT_CLAIMS = {
    "profile": {"name": "name", "avatar": "picture", "username": "username"},
    "email": {"primaryEmail": "email"},
    "phone": {"primaryPhone": "phone_number"},
}
PROFILE_CLAIMS = {
    "familyName": "family_name",
    "givenName": "given_name",
    "middleName": "middle_name",
    "nickname": "nickname",
    "preferredUsername": "preferred_username",
    "profile": "profile",
    "website": "website",
    "gender": "gender",
    "birthdate": "birthdate",
    "zoneinfo": "zoneinfo",
    "locale": "locale",
}


def claims_of(user: Mapping[str, Any], issuer: str, scopes: Collection[str]) -> dict[str, Any]:
    """Return the claims of a user object. It has no roles and no organizations, so the claims have none."""
    return {
        "iss": issuer,
        "sub": user["id"],
        **claims_of_account(user, scopes),
        **claims_of_profile(user.get("profile"), scopes),
        **claims_of_custom_data(user.get("customData"), scopes),
    }


def claims_of_account(user: Mapping[str, Any], scopes: Collection[str]) -> dict[str, Any]:
    """Return the claims of a user object, without those of its `profile` and its `customData`.

    A null value gives a null claim. A value that is missing gives none: webhooks may report parts of a user.
    """
    claims = {
        claim: user[name]
        for scope, names in ACCOUNT_CLAIMS.items()
        for name, claim in names.items()
        if scope in scopes and name in user and isinstance(user[name], str | None)
    }
    for claim in claims.keys() & {"email", "phone_number"}:
        claims[f"{claim}_verified"] = bool(claims[claim])
    if "profile" in scopes:
        # The profile may override it.
        claims |= {"preferred_username": claims["username"]} if claims.get("username") else {}
        times = {"updated_at": user.get("updatedAt"), "created_at": user.get("createdAt")}
        claims |= {name: value for name, value in times.items() if type(value) is int}
    if "identities" in scopes and isinstance(user.get("identities"), dict):
        claims["identities"] = user["identities"]
    return claims


def claims_of_profile(profile: Any, scopes: Collection[str]) -> dict[str, Any]:
    """Return the claims of the `profile` of a user."""
    if not isinstance(profile, dict):
        return {}
    claims: dict[str, Any] = {}
    if "profile" in scopes:
        values = {claim: _text(profile, name) for name, claim in PROFILE_CLAIMS.items()}
        claims |= {claim: value for claim, value in values.items() if value is not None}
    if "address" in scopes and isinstance(profile.get("address"), dict):
        claims["address"] = profile["address"]
    return claims


def claims_of_custom_data(custom_data: Any, scopes: Collection[str]) -> dict[str, Any]:
    """Return the claims of the `customData` of a user."""
    return {"custom_data": custom_data} if "custom_data" in scopes and isinstance(custom_data, dict) else {}


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) else None


def changed_at(user: Mapping[str, Any]) -> float | None:
    """Return when the user object was last changed at Logto, in seconds; None if it has no valid `updatedAt`."""
    milliseconds = user.get("updatedAt")
    return milliseconds / 1000 if type(milliseconds) is int and 0 <= milliseconds < MAX_MILLISECONDS else None
