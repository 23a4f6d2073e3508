"""The grants that users gave to applications."""

from __future__ import annotations

from typing import Any

from flask import request

from logto_auth.emulator.api.bodies import fitted
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.api.schemas import choice, object_of, optional
from logto_auth.emulator.api.sessions_and_grants import grants_json, live_grants
from logto_auth.emulator.provider import current
from logto_auth.emulator.state.tenant import Tenant

from .routing import route

_query = object_of(appType=optional(choice("all", "firstParty", "thirdParty")))


@route("GET", "/users/:userId/grants")
def list_grants(tenant: Tenant, user_id: str) -> dict[str, Any]:
    """Return the grants of a user that have not expired. An unknown user has none."""
    wanted = fitted(request.args.to_dict(), _query, part="query").get("appType", "all")
    return grants_json(current(), user_id, wanted)


@route("DELETE", "/users/:userId/grants/:grantId", status=204)
def revoke_grant(tenant: Tenant, user_id: str, grant_id: str) -> None:
    """End a grant with its tokens."""
    if grant_id not in {grant.id for grant in live_grants(current(), user_id)}:
        raise APIError("oidc.invalid_grant", 404)
    current().instances.revoke_grant(grant_id)
