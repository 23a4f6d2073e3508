"""`/api/roles`: global roles and their API permissions."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Any

from flask import Response, request

from logto_auth.emulator.api.bodies import body, changes
from logto_auth.emulator.api.errors import APIError, no_values, not_exists_with_id
from logto_auth.emulator.api.schemas import boolean, choice, list_of, object_of, optional, text
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.records import Resource, Role, Scope, User
from logto_auth.emulator.state.tenant import Tenant

from . import resources
from .lookup import api_scopes_by_id, existing, named
from .paging import optionally_paged, paged
from .routing import announce, route
from .search import searched

_SEARCHED = {"id": "id", "name": "name", "description": "description"}
_INTERNAL_PREFIX = "#internal:"
_FEATURED = 3

_name = text(at_least=1, at_most=128)
_ids = list_of(text(at_least=1))
_new = object_of(
    name=_name,
    description=_name,
    type=optional(choice("User", "MachineToMachine")),
    isDefault=optional(boolean),
    scopeIds=optional(_ids),
)
_changes = object_of(name=optional(_name), description=optional(_name), isDefault=optional(boolean))


def as_json(role: Role) -> dict[str, Any]:
    """Return a role as the API shows it."""
    return {
        "tenantId": "default",
        "id": role.id,
        "name": role.name,
        "description": role.description,
        "type": role.type,
        "isDefault": role.is_default,
    }


@route("GET", "/roles")
def list_roles(tenant: Tenant) -> Response:
    excluded = [
        *_names_held(tenant.users.get(request.args.get("excludeUserId", ""))),
        *_names_held(tenant.applications.get(request.args.get("excludeApplicationId", ""))),
    ]
    type = request.args.get("type")
    found = [
        role
        for role in searched(reversed(tenant.roles.values()), _SEARCHED)
        if role.name not in excluded and type in {None, role.type}
    ]
    return paged(found, len(found), lambda role: _with_holders_as_json(tenant, role))


@route("POST", "/roles", event="Role.Created")
def create_role(tenant: Tenant) -> dict[str, Any]:
    given = body(_new)
    _refuse_internal(given["name"])
    type = given.get("type", "User")
    role = tenant.add_role(
        given["name"],
        type=type,
        description=given["description"],
        is_default=given.get("isDefault", False),
    )
    # As in Logto, the role remains when its permissions are refused.
    if given.get("scopeIds") == []:
        raise no_values()
    scopes = _scopes(tenant, given.get("scopeIds", []))
    _check_assignment(tenant, scopes, type)
    role.scopes = resources.names_by_indicator([*tenant.scopes_held(role.scopes), *scopes])
    if scopes:
        data = [resources.scope_as_json(resource, scope) for resource, scope in scopes]
        announce("Role.Scopes.Updated", status=200, after={"roleId": role.id, "data": data})
    return as_json(role)


@route("GET", "/roles/:id")
def show_role(tenant: Tenant, id: str) -> dict[str, Any]:
    return as_json(existing(tenant.roles, id, "roles"))


@route("PATCH", "/roles/:id", event="Role.Data.Updated")
def change_role(tenant: Tenant, id: str) -> dict[str, Any]:
    role, given = existing(tenant.roles, id, "roles"), changes(_changes)
    if "name" in given:
        _refuse_internal(given["name"])
        tenant.rename_role(role, given["name"])
    role.description = given.get("description", role.description)
    role.is_default = given.get("isDefault", role.is_default)
    return as_json(role)


@route("DELETE", "/roles/:id", status=204, event="Role.Deleted")
def delete_role(tenant: Tenant, id: str) -> None:
    tenant.delete_role(existing(tenant.roles, id, "roles"))


# Permissions


@route("GET", "/roles/:id/scopes")
def list_scopes(tenant: Tenant, id: str) -> Response:
    return optionally_paged(
        tenant.scopes_held(existing(tenant.roles, id, "roles").scopes), resources.scope_with_resource_as_json
    )


@route("POST", "/roles/:id/scopes", status=201, event="Role.Scopes.Updated")
def add_scopes(tenant: Tenant, id: str) -> list[dict[str, Any]]:
    role, scope_ids = (
        existing(tenant.roles, id, "roles"),
        body(object_of(scopeIds=list_of(text(at_least=1), at_least=1)))["scopeIds"],
    )
    scopes = _scopes(tenant, scope_ids)
    _check_assignment(tenant, scopes, role.type)
    for resource, scope in scopes:
        if scope.name in role.scopes.get(resource.indicator, ()):
            raise APIError("role.scope_exists", id=scope.id)
    role.scopes = resources.names_by_indicator([*tenant.scopes_held(role.scopes), *scopes])
    return [resources.scope_as_json(resource, scope) for resource, scope in tenant.scopes_held(role.scopes)]


@route("DELETE", "/roles/:id/scopes/:scopeId", status=204, event="Role.Scopes.Updated")
def remove_scope(tenant: Tenant, id: str, scope_id: str) -> None:
    role = existing(tenant.roles, id, "roles")
    role.scopes = resources.names_without(tenant, role.scopes, scope_id)


def _with_holders_as_json(tenant: Tenant, role: Role) -> dict[str, Any]:
    holders = tenant.users_with_role(role.name)
    featured = [tenant.users[sub] for sub in islice(holders, _FEATURED)]
    applications = tenant.applications_with_role(role.name)
    return {
        **as_json(role),
        "usersCount": len(holders),
        "featuredUsers": [{"id": user.id, "avatar": user.avatar, "name": user.name} for user in featured],
        "applicationsCount": len(applications),
        "featuredApplications": [
            {"id": application.id, "name": application.name, "type": application.type}
            for application in applications[:_FEATURED]
        ],
    }


def _names_held(holder: User | Application | None) -> list[str]:
    return holder.roles if holder is not None else []


def _scopes(tenant: Tenant, scope_ids: Iterable[str]) -> list[tuple[Resource, Scope]]:
    return named(api_scopes_by_id(tenant), scope_ids, partial(not_exists_with_id, "scopes"))


def _check_assignment(tenant: Tenant, scopes: Iterable[tuple[Resource, Scope]], type: str) -> None:
    if type == "User" and any(resource.indicator == tenant.management_api_resource for resource, _ in scopes):
        raise APIError("role.management_api_scopes_not_assignable_to_user_role")


def _refuse_internal(name: str) -> None:
    if name.startswith(_INTERNAL_PREFIX):
        raise APIError("role.internal_role_violation", 403)
