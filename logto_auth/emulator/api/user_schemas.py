"""Schemas for the fields of a user, and the lengths of their columns."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.state.columns import check_length

from .schemas import object_of, optional, text

_COLUMN_LENGTHS = {"username": 128, "primaryEmail": 128, "primaryPhone": 128, "name": 128, "avatar": 2048}
_ADDRESS_KEYS = ("formatted", "streetAddress", "locality", "region", "postalCode", "country")
PROFILE_KEYS = (
    "familyName",
    "givenName",
    "middleName",
    "nickname",
    "preferredUsername",
    "profile",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "locale",
)

username = text(pattern=r"^[A-Z_a-z]\w*$")
email = text(pattern=r"^\S+@\S+\.\S+$")
phone = text(pattern=r"^\d+$")
profile_members = {
    **{key: optional(text()) for key in PROFILE_KEYS},
    "address": optional(object_of(**{key: optional(text()) for key in _ADDRESS_KEYS})),
}
profile = object_of(**profile_members)


def check_lengths(given: dict[str, Any]) -> None:
    """Raise 422 for a text that is too long for Logto's database."""
    for name, most in _COLUMN_LENGTHS.items():
        check_length(given.get(name) or "", most)
