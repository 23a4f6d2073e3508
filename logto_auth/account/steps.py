"""The steps of forms that need more than one request, such as "enter the address" and "enter the code".

What the next step needs is in a hidden field of the page: encrypted, for one session and one form, for ten minutes.
The server keeps nothing, so that two tabs do not disturb each other.
"""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest

from logto_auth.encryption import decrypt, encrypt
from logto_auth.exceptions import SignInRequired, StepExpired
from logto_auth.oidc.secrets import hide_frames
from logto_auth.sessions.principal import session_principal

__all__ = ["STEP_SECONDS", "StepExpired", "find_step", "open_step", "seal_step"]

# As long as a code and a verification record live at Logto.
STEP_SECONDS = 600
PURPOSE = "account-step"


@hide_frames
def seal_step(
    request: HttpRequest,
    purpose: str,
    data: dict[str, Any],
    *,
    seconds: int = STEP_SECONDS,
    expires_at: float | None = None,
) -> str:
    """Return `data`, a JSON object, as a text that only `open_step` in the same session and for `purpose` reads.

    It is valid for `seconds`, or until `expires_at` if that is earlier. Raise SignInRequired if nobody is signed
    in through Logto.
    """
    until = time.time() + seconds
    content = {
        "purpose": purpose,
        "session": _session_key(request),
        "until": until if expires_at is None else min(until, expires_at),
        "data": data,
    }
    return encrypt(content, purpose=PURPOSE)


@hide_frames
def open_step(request: HttpRequest, purpose: str, text: str) -> dict[str, Any]:
    """Return the data that `seal_step` was given.

    Raise StepExpired if the text is too old, was altered, or was sealed in another session or for another purpose;
    SignInRequired if nobody is signed in through Logto.
    """
    session = _session_key(request)
    content = decrypt(text, purpose=PURPOSE)
    if content is None or content["purpose"] != purpose or content["session"] != session:
        raise StepExpired("The step of the form is not one of this session and this form.")
    if time.time() >= content["until"]:
        raise StepExpired("The step of the form has expired.")
    data: dict[str, Any] = content["data"]
    return data


@hide_frames
def find_step(request: HttpRequest, purpose: str, text: str) -> dict[str, Any] | None:
    """Return what `open_step` does; None if `text` is empty, too old, or of another session or form."""
    try:
        return open_step(request, purpose, text) if text else None
    except StepExpired:
        return None


def _session_key(request: HttpRequest) -> str:
    """Return the id of the session's row: another sign-in has another one. Raise SignInRequired without one."""
    principal = session_principal(request)
    stored = principal.stored_session if principal.is_authenticated else None
    if stored is None:
        raise SignInRequired("The request has no user who is signed in through Logto.")
    return stored.key
