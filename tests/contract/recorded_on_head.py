"""The recordings of each version that the emulator shows.

The recordings in `1.42/` are of the development head, except those in `1.42/console/`, which are of 1.42.0. The tables
below name what the released 1.42.0 does not have, with the field of `LogtoVersion`. Proved on a real 1.42.0.
"""

from __future__ import annotations

from typing import Any

from tests.recorded import recording

# The folder of recordings by version.
FOLDERS = {"1.41": "1.41", "1.42": "1.42", "head": "1.42"}
PENDING_KEYS = {"cimdClientId": "users_have_cimd_client_id"}
PENDING_ITEMS = {"urn:logto:scope:trusted_devices": "has_trusted_devices_scope"}
# Recordings of what 1.42.0 refuses, and the field.
PENDING_ANSWERS = {
    "organizations/accepted_role_empty": "members_take_empty_role_lists",
    "organizations/accepted_role_no_body": "members_take_empty_role_lists",
}
_NO_VALUES = {"code": "entity.invalid_input", "message": "Invalid input. Value list must not be empty."}


def recorded_for(name: str, version: str) -> Any:
    """Return a recording as this version shows it."""
    value = recording(name, FOLDERS[version])
    if version == "1.42" and name in PENDING_ANSWERS:
        return {**value, "status": 422, "body": _NO_VALUES}
    return of_version(value, version)


def of_version(value: Any, version: str) -> Any:
    """Return a recorded value as this version shows it: 1.42 without the keys and items of lists that are pending."""
    if version != "1.42":
        return value
    if isinstance(value, dict):
        return {key: of_version(inner, version) for key, inner in value.items() if key not in PENDING_KEYS}
    if isinstance(value, list):
        return [of_version(inner, version) for inner in value if inner not in _ITEMS]
    return value


_ITEMS = tuple(PENDING_ITEMS)
