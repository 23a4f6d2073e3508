"""Logto's user object, as its webhooks and its Management API have it, in the words of claims. Pure.

Only claims whose scope the site asks for: what a sign-in does not tell, no webhook shall. Whatever has not the type
that Logto gives it counts as missing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timezone
from typing import Any, TypeGuard

from .oidc.types import Claims

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


def claims_of_user(user: Mapping[str, Any], scopes: Collection[str]) -> Claims:
    """The claims of a user object, but for those in its `profile` and its `customData`."""
    claims: dict[str, Any] = {}
    if "profile" in scopes:
        claims |= {
            "name": _text(user, "name"),
            "picture": _text(user, "avatar"),
            "username": _text(user, "username"),
            **{claim: user[name] for name, claim in _TIMES.items() if _is_number(user.get(name))},
        }
        if claims["username"]:
            claims["preferred_username"] = claims["username"]
    if "email" in scopes:
        email = _text(user, "primaryEmail")
        claims |= {"email": email, "email_verified": bool(email)}
    if "phone" in scopes:
        phone_number = _text(user, "primaryPhone")
        claims |= {"phone_number": phone_number, "phone_number_verified": bool(phone_number)}
    if "identities" in scopes and isinstance(user.get("identities"), dict):
        claims["identities"] = user["identities"]
    return claims


def claims_of_profile(profile: Any, scopes: Collection[str]) -> Claims:
    """The claims of a user's `profile`."""
    if not isinstance(profile, dict):
        return {}
    claims: dict[str, Any] = {}
    if "profile" in scopes:
        values = {claim: _text(profile, name) for name, claim in PROFILE_CLAIMS.items()}
        claims |= {claim: value for claim, value in values.items() if value is not None}
    if "address" in scopes and isinstance(profile.get("address"), dict):
        claims["address"] = profile["address"]
    return claims


def claims_of_custom_data(custom_data: Any, scopes: Collection[str]) -> Claims:
    """The claims of a user's `customData`."""
    return {"custom_data": custom_data} if "custom_data" in scopes and isinstance(custom_data, dict) else {}


def changed_at(user: Mapping[str, Any]) -> datetime | None:
    """When the user object became what it is; None when it does not say."""
    milliseconds = user.get("updatedAt")
    if not _is_number(milliseconds):
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc)
    except (OverflowError, OSError, ValueError):
        return None


_TIMES = {"createdAt": "created_at", "updatedAt": "updated_at"}


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value if isinstance(value, str) else None


def _is_number(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
