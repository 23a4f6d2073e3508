"""What differs between the versions of Logto: one record, with one column for each version.

Every difference that the emulator shows is a field of `LogtoVersion`. A version is the version before it with the
fields that changed, so a new version of Logto is one more `replace`. Code asks for the field, never for the name.

Source: HTTP recorded from Logto 1.41.0 and 1.42.0, and Logto's change log.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["DEFAULT", "VERSIONS", "LogtoVersion"]


@dataclass(frozen=True, kw_only=True)
class LogtoVersion:
    """The behaviour of one version of Logto."""

    name: str
    """The name for `--like`."""
    id_token_has_typ: bool
    """The header of an ID token contains `typ`."""
    id_token_has_at_hash: bool
    """An ID token of the token endpoint contains `at_hash`."""


LOGTO_1_41 = LogtoVersion(
    name="1.41",
    id_token_has_typ=True,
    id_token_has_at_hash=True,
)
LOGTO_1_42 = replace(
    LOGTO_1_41,
    name="1.42",
    id_token_has_typ=False,
    id_token_has_at_hash=False,
)
# The development head: what is to come after 1.42.0.
LOGTO_HEAD = replace(
    LOGTO_1_42,
    name="head",
)

VERSIONS = {version.name: version for version in (LOGTO_1_41, LOGTO_1_42, LOGTO_HEAD)}
DEFAULT = LOGTO_1_42.name
