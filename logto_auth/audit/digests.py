"""What is digested of events, of personal data and of seals, and how (decision 0042).

All digests are over JSON that is ASCII, with sorted keys: a database stores it as it is.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

__all__ = ["ERASURE", "EVENT", "PRUNING", "SEAL", "canonical", "digest_of", "is_digest_of", "salted", "sha256"]

# Of what a digest is. Each has a key of its own.
EVENT = "audit event"
SEAL = "audit seal"
ERASURE = "audit erasure"
PRUNING = "audit pruning"


def canonical(value: Any) -> str:
    """Return JSON. Dates, decimals, UUIDs and lazy texts become strings. Raise TypeError or ValueError for the rest."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, cls=DjangoJSONEncoder)


def salted(personal: Mapping[str, str]) -> str:
    """Return personal data as JSON with a salt. Nobody can guess it from its SHA-256 after it was erased."""
    return canonical({**personal, "salt": secrets.token_hex(16)})


def sha256(text: str) -> str:
    """Return the SHA-256 of a text: 64 hexadecimal characters."""
    return hashlib.sha256(text.encode()).hexdigest()


def digest_of(kind: str, columns: Mapping[str, Any]) -> str:
    """Return the digest that only this site can compute, with a key derived from `SECRET_KEY`."""
    # Imported here, because cryptography takes long to import, and every command imports the models.
    from logto_auth.encryption import authenticate

    return authenticate(_message(columns), purpose=kind)


def is_digest_of(kind: str, columns: Mapping[str, Any], digest: str) -> bool:
    """Return whether `digest_of` has returned `digest`, with `SECRET_KEY` or one of `SECRET_KEY_FALLBACKS`."""
    from logto_auth.encryption import is_authentic

    try:
        return is_authentic(_message(columns), digest, purpose=kind)
    except (TypeError, ValueError):
        # Somebody has stored what is not JSON, such as NaN.
        return False


def _message(columns: Mapping[str, Any]) -> str:
    # Without empty columns, so that a column of a later version does not change the digests of former rows.
    return canonical({name: value for name, value in columns.items() if value not in ("", None)})
