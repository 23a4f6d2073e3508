"""Read a call of Logto's script: who it is about, and the password. No database."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from logto_auth.oidc.secrets import Secret, hide_frames

__all__ = ["MAX_BODY_BYTES", "Call", "Refused", "read_call"]

MAX_BODY_BYTES = 16 * 1024
MAX_PASSWORD_BYTES = 4096
MAX_ID_LENGTH = 255


class Refused(Exception):
    """A call is refused. `code` and `status` are for the response. The message contains nothing of the body."""

    def __init__(self, message: str, *, code: str, status: int) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


@dataclass(frozen=True)
class Call:
    """A failed sign-in with a password, about which Logto asks."""

    sub: str | None
    """The id of the user at Logto; None if Logto has no such user."""
    subject: str
    """What attempts are counted by: the user, or the identifier that was typed."""
    password: Secret


@hide_frames
def read_call(body: bytes) -> Call:
    """Return the call in a body. Raise Refused."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError):
        raise _no_call("The body is not JSON.") from None
    if not isinstance(values, dict):
        raise _no_call("The body is not a JSON object.")
    sub, password = values.get("user_id"), values.get("password")
    if sub is not None and not _is_id(sub):
        raise _no_call("user_id is not an id.")
    if not isinstance(password, str) or not _is_storable(password):
        raise _no_call("password is not a text that can be encoded.")
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise _no_call(f"password is longer than {MAX_PASSWORD_BYTES} bytes.")
    return Call(sub, f"user {sub}" if sub else _typed(values.get("identifier")), Secret(password))


def _typed(identifier: Any) -> str:
    """Return the identifier that was typed, as attempts are counted by it. Case never makes it another one."""
    values = identifier if isinstance(identifier, dict) else {}
    return f"{values.get('type')!s:.20} {values.get('value')!s:.{MAX_ID_LENGTH}}".casefold()


def _is_id(value: Any) -> bool:
    # Databases do not store half a surrogate pair or a NUL.
    return isinstance(value, str) and 0 < len(value) <= MAX_ID_LENGTH and value.isprintable()


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_call(message: str) -> Refused:
    return Refused(message, code="invalid_request", status=400)
