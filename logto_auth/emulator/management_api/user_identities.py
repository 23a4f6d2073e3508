"""Accounts at social providers that are linked to a user."""

from __future__ import annotations

from typing import Any

from flask import Response

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.api.schemas import anything, object_of, optional, text
from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.state.json_columns import jsonb
from logto_auth.emulator.state.tenant import Tenant

from . import users
from .lookup import existing
from .routing import route


@route("GET", "/users/:userId/identities/:target")
def show_identity(tenant: Tenant, user_id: str, target: str) -> dict[str, Any]:
    return {"identity": jsonb(_identity(tenant, user_id, target))}


@route("PUT", "/users/:userId/identities/:target")
def set_identity(tenant: Tenant, user_id: str, target: str) -> Response:
    user = existing(tenant.users, user_id)
    given = body(object_of(userId=text(), details=optional(anything)))
    owner = tenant.find_user_by_identity(target, given["userId"])
    if owner is not None and owner is not user:
        raise APIError("user.identity_already_in_use")
    status = 200 if target in user.identities else 201
    tenant.update_user(user.id, identities={**user.identities, target: given})
    return json_response(jsonb(user.identities), status=status)


@route("DELETE", "/users/:userId/identities/:target")
def remove_identity(tenant: Tenant, user_id: str, target: str) -> dict[str, Any]:
    _identity(tenant, user_id, target)
    identities = tenant.users[user_id].identities
    kept = {name: identity for name, identity in identities.items() if name != target}
    return users.as_json(tenant, tenant.update_user(user_id, identities=kept))


def _identity(tenant: Tenant, user_id: str, target: str) -> dict[str, Any]:
    identities = existing(tenant.users, user_id).identities
    if target not in identities:
        raise APIError("user.identity_not_exist", 404)
    identity: dict[str, Any] = identities[target]
    return identity
