"""What the service returns: API keys, as frozen values."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from django.views.decorators.debug import sensitive_variables

from logto_auth.management_api.answers import plain_text, read
from logto_auth.oidc.secrets import Secret

__all__ = ["ApiKey", "NewApiKey", "api_key_in", "key_id_of", "new_api_key_in"]

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
# What `key_id_of` returns.
KEY_ID = re.compile(r"[0-9a-f]{32}")
# So that the digest is not that of any other use of a hash of a key.
ID_PREFIX = b"logto_auth.api_keys\n"


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """An API key of a user, without its value. Times are aware, in UTC."""

    id: str
    """32 hexadecimal digits, from the value of the key: the same after the key is renamed. It is no secret."""
    name: str
    """The name, as Logto has it. Logto's names are unique among the keys of a user."""
    created_at: datetime
    expires_at: datetime | None
    """When the key stops to work; None if it never does."""

    @property
    def is_expired(self) -> bool:
        """Whether the key works no more."""
        return self.expires_at is not None and self.expires_at <= datetime.now(timezone.utc)


@dataclass(frozen=True, kw_only=True)
class NewApiKey(ApiKey):
    """An API key that was just made."""

    value: Secret = field(repr=False)
    """What a client sends in `Authorization: Bearer`. Show it once, and store it nowhere."""


def key_id_of(value: Secret) -> str:
    """Return the id of the key with this value."""
    # The value has 190 random bits, so nothing can be learnt of it from the digest.
    return hashlib.sha256(ID_PREFIX + value.reveal().encode("utf-8", "surrogatepass")).hexdigest()[:32]


def api_key_in(row: Mapping[str, Any]) -> ApiKey:
    """Return the key in an answer of the Management API. Raise ManagementAPIError if it is none."""
    key = new_api_key_in(row)
    return ApiKey(id=key.id, name=key.name, created_at=key.created_at, expires_at=key.expires_at)


@sensitive_variables()
@read
def new_api_key_in(row: Mapping[str, Any]) -> NewApiKey:
    """Return the key in an answer of the Management API with its value. Raise ManagementAPIError if it is none."""
    if not isinstance(row["value"], str):
        raise TypeError
    return NewApiKey(
        id=key_id_of(Secret(row["value"])),
        name=plain_text(row["name"]),
        created_at=EPOCH + timedelta(milliseconds=row["createdAt"]),
        expires_at=_expiry(row["expiresAt"]),
        value=Secret(row["value"]),
    )


def _expiry(milliseconds: float | None) -> datetime | None:
    if milliseconds is None:
        return None
    try:
        return EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        # Later than the year 9999, as another client of the Management API may have set it.
        return None
