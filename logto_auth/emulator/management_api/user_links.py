"""What users are linked to: roles, organizations, accounts at social providers (logto.md, 7.4)."""

from __future__ import annotations

from typing import Any

from flask import Response

from logto_auth.emulator.oidc.http import json_response
from logto_auth.emulator.state import rbac
from logto_auth.emulator.state.json_columns import jsonb
from logto_auth.emulator.state.tenant import Tenant

from . import organizations, roles, users
from .api_errors import APIError
from .paging import paged
from .routing import body, route
from .schemas import anything, list_of, object_of, optional, text

_role_ids = object_of(roleIds=list_of(text(at_least=1)))


@route("GET", "/users/:userId/roles")
def list_roles(tenant: Tenant, user_id: str) -> Response:
    held = roles.named(tenant, users.existing(tenant, user_id).roles)
    return paged(held, len(held), roles.shown)


@route("POST", "/users/:userId/roles", status=201)
def add_roles(tenant: Tenant, user_id: str) -> dict[str, Any]:
    user, role_ids = users.existing(tenant, user_id), body(_role_ids)["roleIds"]
    given = roles.assignable(tenant, role_ids, "User", "user.invalid_role_type")
    added = [role for role in given if role.name not in user.roles]
    tenant.update_user(user.id, roles=[*user.roles, *(role.name for role in added)])
    return {"roleIds": role_ids, "addedRoleIds": [role.id for role in added]}


@route("PUT", "/users/:userId/roles")
def replace_roles(tenant: Tenant, user_id: str) -> dict[str, Any]:
    user, role_ids = users.existing(tenant, user_id), body(_role_ids)["roleIds"]
    given = roles.assignable(tenant, role_ids, "User", "user.invalid_role_type")
    tenant.update_user(user.id, roles=[role.name for role in given])
    return {"roleIds": role_ids}


@route("DELETE", "/users/:userId/roles/:roleId", status=204)
def remove_role(tenant: Tenant, user_id: str, role_id: str) -> None:
    user = users.existing(tenant, user_id)
    role = roles.held(tenant, role_id, user.roles)
    tenant.update_user(user.id, roles=[name for name in user.roles if name != role.name])


@route("GET", "/users/:userId/organizations")
def list_organizations(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    user = users.existing(tenant, user_id)
    return [
        {
            **organizations.shown(organization),
            "organizationRoles": organizations.shown_role_names(tenant, organization.members[user.id]),
        }
        for organization in rbac.memberships(tenant, user.id)
    ]


@route("GET", "/users/:userId/identities/:target")
def show_identity(tenant: Tenant, user_id: str, target: str) -> dict[str, Any]:
    return {"identity": jsonb(_identity(tenant, user_id, target))}


@route("PUT", "/users/:userId/identities/:target")
def set_identity(tenant: Tenant, user_id: str, target: str) -> Response:
    user = users.existing(tenant, user_id)
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
    return users.shown(tenant.update_user(user_id, identities=kept))


def _identity(tenant: Tenant, user_id: str, target: str) -> dict[str, Any]:
    identities = users.existing(tenant, user_id).identities
    if target not in identities:
        raise APIError("user.identity_not_exist", 404)
    identity: dict[str, Any] = identities[target]
    return identity
