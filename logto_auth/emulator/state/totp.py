"""Codes of authenticator apps: time-based one-time passwords with Logto's parameters.

Source: RFC 6238 with SHA-1, steps of 30 seconds and 6 digits; RFC 4226, section 5.3.
"""

from __future__ import annotations

import hmac
import re
import secrets
import time
from base64 import b32decode, b32encode
from urllib.parse import quote

STEP_SECONDS = 30
_DIGITS = 6
_SECRET_BYTES = 20
# Base32 in groups of eight characters; the last group may be shorter and is padded (RFC 4648, section 6).
_BASE32 = re.compile(r"([2-7A-Z]{8})*([2-7A-Z]{2}={6}|[2-7A-Z]{4}={4}|[2-7A-Z]{5}={3}|[2-7A-Z]{7}=)?")


def new_totp_secret() -> str:
    """Return a new secret of 32 Base32 characters."""
    return b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def totp_secret_is_well_formed(secret: str) -> bool:
    """Return whether Logto accepts the secret: 16 to 32 characters of padded Base32."""
    return 16 <= len(secret) <= 32 and _BASE32.fullmatch(secret) is not None


def totp_code(secret: str, at: float | None = None) -> str:
    """Return the code that an authenticator app shows for the secret. `at` is in seconds; the default is now.

    Raise ValueError if the secret is no Base32.
    """
    return _code_of_step(secret, int(time.time() if at is None else at) // STEP_SECONDS)


def accepts_totp_code(secret: str, code: str, at: float) -> bool:
    """Return whether the code is that of the current step, the one before or the one after (RFC 6238, section 5.2)."""
    return totp_step(secret, code, at) is not None


def totp_step(secret: str, code: str, at: float) -> int | None:
    """Return the number of the time step of an accepted code, or None."""
    now = int(at) // STEP_SECONDS
    codes = {each: _code_of_step(secret, each) for each in (now, now - 1, now + 1)}
    return next((each for each in codes if hmac.compare_digest(code.encode(), codes[each].encode())), None)


def totp_uri(secret: str, *, service: str, account: str) -> str:
    """Return the URI that an authenticator app reads from a QR code."""
    issuer = quote(service, safe="")
    return f"otpauth://totp/{issuer}:{quote(account, safe='')}?secret={secret}&issuer={issuer}"


def _code_of_step(secret: str, step: int) -> str:
    digest = hmac.digest(b32decode(secret), step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}}"
