"""Encryption of data that this site stores outside its process: tokens in the database, pending sign-ins in cookies.

The keys are derived from `SECRET_KEY`, one for each purpose. Data encrypted under one of `SECRET_KEY_FALLBACKS` can
still be decrypted.
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

from .oidc.secrets import hide_frames

__all__ = ["decrypt", "encrypt"]


@hide_frames
def encrypt(value: dict[str, Any], *, purpose: str) -> str:
    """Return the JSON object `value` as encrypted and authenticated ASCII text. Raise TypeError if it is not JSON."""
    plain = json.dumps(value, separators=(",", ":")).encode()
    return _fernet(purpose).encrypt(plain).decode("ascii")


@hide_frames
def decrypt(text: str, *, purpose: str) -> dict[str, Any] | None:
    """Return the object that was encrypted for `purpose`.

    Return None if the text was altered, was not made by this site, or was encrypted under a key that the settings no
    longer contain.
    """
    try:
        value: dict[str, Any] = json.loads(_fernet(purpose).decrypt(text.encode()))
    except (InvalidToken, ValueError):
        return None
    return value


def _fernet(purpose: str) -> MultiFernet:
    return _build_fernet(purpose, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


# Keyed by the secrets themselves, so that a changed setting takes effect at once.
@lru_cache(maxsize=16)
def _build_fernet(purpose: str, secret_keys: tuple[str | bytes, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derive_key(purpose, secret_key)) for secret_key in secret_keys])


def _derive_key(purpose: str, secret_key: str | bytes) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"logto_auth." + purpose.encode())
    return urlsafe_b64encode(hkdf.derive(force_bytes(secret_key)))
