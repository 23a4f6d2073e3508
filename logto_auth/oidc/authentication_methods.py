"""The claim with the methods by which a user has authenticated at Logto.

Logto has no such claim of its own. The custom claims script of this package adds it to JWT access tokens: the types of
the verification records of the sign-in, as Logto names them.
"""

from __future__ import annotations

from .claims import is_name
from .types import Claims

__all__ = ["CLAIM", "SECOND_FACTORS", "methods_in"]

CLAIM = "authentication_methods"

SECOND_FACTORS = (
    "Totp",
    "WebAuthn",
    "SignInPasskey",
    "BackupCode",
    "MfaEmailVerificationCode",
    "MfaPhoneVerificationCode",
)
"""The methods that are more than a password, a code to an address, or a sign-in at another provider."""

# Logto has about fifteen types, of at most 30 letters. Every session stores the list.
_MAX_METHODS = 32
_MAX_METHOD_LENGTH = 64


def methods_in(claims: Claims) -> tuple[str, ...] | None:
    """Return the methods in the claim, sorted and without repeats; None without the claim.

    A claim that is not a list of names, or that is too long, counts as missing as a whole: the script that wrote it is
    not the one of this package.
    """
    value = claims.get(CLAIM)
    if not isinstance(value, list) or len(value) > _MAX_METHODS:
        return None
    names = {entry for entry in value if is_name(entry, max_length=_MAX_METHOD_LENGTH)}
    return tuple(sorted(names)) if all(isinstance(entry, str) and entry in names for entry in value) else None
