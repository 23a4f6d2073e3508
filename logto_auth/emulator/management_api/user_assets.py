"""`/api/user-assets`: uploads. The emulator has no storage, like a Logto without one configured."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.state.tenant import Tenant

from .routing import route


@route("GET", "/user-assets/service-status")
def show_status(tenant: Tenant) -> dict[str, Any]:
    return {"status": "not_configured"}


@route("POST", "/user-assets")
def upload(tenant: Tenant) -> None:
    raise APIError("storage.not_configured", 400)
