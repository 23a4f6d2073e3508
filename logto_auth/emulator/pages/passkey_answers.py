"""What a page's script tells about a passkey, and the address for which passkeys of a page are valid."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from flask import request


def passkey_answer() -> dict[str, Any]:
    """Return the JSON of the submitted credential, or {}."""
    try:
        value = json.loads(request.form.get("credential", ""))
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def rp_id() -> str:
    """Return the host name of this page."""
    return urlsplit(request.host_url).hostname or ""


def page_origin() -> str:
    """Return the origin of this page."""
    return request.host_url.rstrip("/")
