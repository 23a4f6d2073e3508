"""The cookies of the provider. Each has a second cookie with its signature, named `<name>.sig`."""

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
    """Return the value of a cookie, or None if it is absent or its signature is wrong."""
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
    """Delete a cookie and its signature."""
    for key in (name, f"{name}.sig"):
        response.delete_cookie(key, path=path, httponly=True, samesite="Lax")


def read_interaction_uid(client_id: str | None) -> str | None:
    """Return the uid of the client's interaction in this browser. Without a client id, return the latest."""
    uids = _decode(read(INTERACTION))
    uid = uids.get(client_id or "_legacy")
    return uid if isinstance(uid, str) else None


def with_interaction_uid(client_id: str, uid: str) -> str:
    """Return the new interaction cookie. It maps client ids to uids, so that two applications can sign in at once."""
    return encode({**_decode(read(INTERACTION)), client_id: uid, "_legacy": uid})


def encode(data: dict[str, object]) -> str:
    """Return data as a cookie value. Logto writes plain JSON; quoted JSON works with every cookie parser."""
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
