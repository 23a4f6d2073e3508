"""Encryption of what leaves our hands for a while: tokens in the database, a started sign-in in the browser.

Keys come from `SECRET_KEY`, one for each purpose; what was encrypted under one of `SECRET_KEY_FALLBACKS` can be read.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.encoding import force_bytes


def encrypt(value: dict[str, Any], *, purpose: str) -> str:
    """The JSON object `value` as text that only this site can read, or make."""
    plain = json.dumps(value, separators=(",", ":")).encode()
    return _fernet(purpose).encrypt(plain).decode("ascii")


def decrypt(text: str, *, purpose: str) -> dict[str, Any] | None:
    """What was encrypted for `purpose`, or None when this site did not make it or no longer has the key."""
    try:
        value: dict[str, Any] = json.loads(_fernet(purpose).decrypt(text.encode()))
    except (InvalidToken, ValueError):
        return None
    return value


def _fernet(purpose: str) -> MultiFernet:
    return _build(purpose, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=16)
def _build(purpose: str, secret_keys: tuple[str | bytes, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derive(purpose, key)) for key in secret_keys])


def _derive(purpose: str, secret_key: str | bytes) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"logto_auth." + purpose.encode())
    return urlsafe_b64encode(hkdf.derive(force_bytes(secret_key)))
