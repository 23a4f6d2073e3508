"""The signature with which Logto's script proves that a call is its own.

It is HMAC-SHA256 in hexadecimal digits, with `LOGTO_PASSWORD_MIGRATION_KEY`, of the time in seconds, a dot and the raw
body. `tenant/password_migration.js` makes it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from logto_auth.oidc.secrets import Secret, hide_frames

__all__ = ["is_signed"]


@hide_frames
def is_signed(time: str, body: bytes, signature: str, keys: Sequence[Secret]) -> bool:
    """Return whether `signature` is the signature of time and body with one of `keys`."""
    given, signed = signature.encode("utf-8", "replace"), time.encode("utf-8", "replace") + b"." + body
    expected = [hmac.new(key.reveal().encode(), signed, hashlib.sha256).hexdigest().encode() for key in keys]
    return any(hmac.compare_digest(each, given) for each in expected)
