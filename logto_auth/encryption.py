"""Encryption of data that this site stores outside its process: tokens in the database, pending sign-ins in cookies.

Data that anybody may read, but only this site may write, is authenticated instead: see `authenticate`.

The keys are derived from `SECRET_KEY`, one for each purpose. Data encrypted or authenticated under one of
`SECRET_KEY_FALLBACKS` is still accepted.
"""

from __future__ import annotations

import hmac
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

__all__ = ["authenticate", "decrypt", "encrypt", "is_authentic"]


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


@hide_frames
def authenticate(message: str, *, purpose: str) -> str:
    """Return the HMAC-SHA256 of `message`: 64 hexadecimal characters, which only this site can compute."""
    return _mac(_derive_key(purpose, settings.SECRET_KEY), message)


@hide_frames
def is_authentic(message: str, mac: str, *, purpose: str) -> bool:
    """Return whether `authenticate` has returned `mac` for `message`, under a key that the settings still contain."""
    return any(
        hmac.compare_digest(_mac(_derive_key(purpose, secret_key), message).encode(), mac.encode())
        for secret_key in _secret_keys()
    )


def _mac(key: bytes, message: str) -> str:
    return hmac.digest(key, message.encode(), "sha256").hex()


def _fernet(purpose: str) -> MultiFernet:
    return _build_fernet(purpose, _secret_keys())


def _secret_keys() -> tuple[str | bytes, ...]:
    return (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


# Keyed by the secrets themselves, so that a changed setting takes effect at once.
@lru_cache(maxsize=16)
def _build_fernet(purpose: str, secret_keys: tuple[str | bytes, ...]) -> MultiFernet:
    return MultiFernet([Fernet(urlsafe_b64encode(_derive_key(purpose, secret_key))) for secret_key in secret_keys])


@lru_cache(maxsize=16)
def _derive_key(purpose: str, secret_key: str | bytes) -> bytes:
    hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"logto_auth." + purpose.encode())
    return hkdf.derive(force_bytes(secret_key))
