"""The provider's cookies, each with a `.sig` companion (logto.md, 2.5)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from urllib.parse import quote, unquote

from flask import Response, request

_KEY = secrets.token_bytes(32)

SESSION = "_session"
INTERACTION = "_interaction"
RESUME = "_interaction_resume"
UI = "_logto"


def read(name: str) -> str | None:
    """Return the value of a cookie whose signature holds."""
    value = request.cookies.get(name)
    signature = request.cookies.get(f"{name}.sig", "")
    return value if value is not None and hmac.compare_digest(signature, _signature(name, value)) else None


def write(
    response: Response,
    name: str,
    value: str,
    *,
    path: str = "/",
    max_age: int | None = None,
    http_only: bool = True,
) -> None:
    """Set a cookie and its signature."""
    for key, text in ((name, value), (f"{name}.sig", _signature(name, value))):
        response.set_cookie(key, text, path=path, max_age=max_age, httponly=http_only, samesite="Lax")


def drop(response: Response, name: str, *, path: str = "/") -> None:
    """Unset a cookie and its signature."""
    for key in (name, f"{name}.sig"):
        response.delete_cookie(key, path=path, httponly=True, samesite="Lax")


def read_interaction_uid(client_id: str | None) -> str | None:
    """Return the uid of a client's interaction in this browser; without a client id, of the latest one."""
    uids = _decode(read(INTERACTION))
    uid = uids.get(client_id or "_legacy")
    return uid if isinstance(uid, str) else None


def with_interaction_uid(client_id: str, uid: str) -> str:
    """Return the new value of the interaction cookie: uids by client id, so that two apps can be signing in."""
    return encode({**_decode(read(INTERACTION)), client_id: uid, "_legacy": uid})


def encode(data: dict[str, object]) -> str:
    """Return data as a cookie value. Logto writes bare JSON; escaped, it survives every cookie parser."""
    return quote(json.dumps(data, separators=(",", ":")))


def _decode(value: str | None) -> dict[str, object]:
    try:
        data = json.loads(unquote(value or ""))
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}


def _signature(name: str, value: str) -> str:
    digest = hmac.digest(_KEY, f"{name}={value}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
