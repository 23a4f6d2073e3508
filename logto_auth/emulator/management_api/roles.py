"""`/api/roles` (logto.md, 7.5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from flask import Response, request

from logto_auth.emulator.state.application import Application
from logto_auth.emulator.state.records import MANAGEMENT_API_RESOURCE, Resource, Role, Scope, User
from logto_auth.emulator.state.tenant import Tenant

from . import resources, users
from .api_errors import APIError, not_found, unknown_reference
from .paging import optionally_paged, paged
from .routing import announce, body, route
from .schemas import boolean, choice, list_of, object_of, optional, text
from .search import is_searched, searched

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


def shown(role: Role) -> dict[str, Any]:
    """Return a role as the API shows it."""
    return {
        "tenantId": "default",
        "id": role.id,
        "name": role.name,
        "description": role.description,
        "type": role.type,
        "isDefault": role.is_default,
    }


def existing(tenant: Tenant, role_id: str) -> Role:
    """Return the role of a route."""
    if role_id not in tenant.roles:
        raise not_found()
    return tenant.roles[role_id]


def named(tenant: Tenant, names: Iterable[str]) -> list[Role]:
    """Return the roles of these names."""
    names = set(names)
    return [role for role in tenant.roles.values() if role.name in names]


def held(tenant: Tenant, role_id: str, names: Sequence[str]) -> Role:
    """Return the role of a route, which has to be among those held."""
    role = existing(tenant, role_id)
    if role.name not in names:
        raise not_found()
    return role


def assignable(tenant: Tenant, role_ids: Sequence[str], type: str, code: str) -> list[Role]:
    """Return the roles of these ids. Another type of role is refused with `code`."""
    if any(role_id not in tenant.roles for role_id in role_ids):
        raise unknown_reference()
    roles = [tenant.roles[role_id] for role_id in dict.fromkeys(role_ids)]
    if any(role.type != type for role in roles):
        raise APIError(code)
    return roles


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
    return paged(found, len(found), lambda role: _shown_with_holders(tenant, role))


@route("POST", "/roles", event="Role.Created")
def create_role(tenant: Tenant) -> dict[str, Any]:
    given = body(_new)
    _refuse_internal(given["name"])
    scopes = _existing_scopes(tenant, given.get("scopeIds", []))
    type = given.get("type", "User")
    _check_assignment(scopes, type)
    role = tenant.add_role(
        given["name"],
        type=type,
        description=given["description"],
        is_default=given.get("isDefault", False),
    )
    _add_scopes(role, scopes)
    if scopes:
        data = [resources.shown_scope(resource, scope) for resource, scope in scopes]
        announce("Role.Scopes.Updated", status=200, after={"data": data, "roleId": role.id})
    return shown(role)


@route("GET", "/roles/:id")
def show_role(tenant: Tenant, id: str) -> dict[str, Any]:
    return shown(existing(tenant, id))


@route("PATCH", "/roles/:id", event="Role.Data.Updated")
def change_role(tenant: Tenant, id: str) -> dict[str, Any]:
    role, given = existing(tenant, id), body(_changes)
    if "name" in given:
        _refuse_internal(given["name"])
        tenant.rename_role(role, given["name"])
    role.description = given.get("description", role.description)
    role.is_default = given.get("isDefault", role.is_default)
    return shown(role)


@route("DELETE", "/roles/:id", status=204, event="Role.Deleted")
def delete_role(tenant: Tenant, id: str) -> None:
    tenant.delete_role(existing(tenant, id))


# Permissions


@route("GET", "/roles/:id/scopes")
def list_scopes(tenant: Tenant, id: str) -> Response:
    return optionally_paged(tenant.scopes_held(existing(tenant, id).scopes), resources.shown_scope_with_resource)


@route("POST", "/roles/:id/scopes", status=201, event="Role.Scopes.Updated")
def add_scopes(tenant: Tenant, id: str) -> list[dict[str, Any]]:
    role, scope_ids = existing(tenant, id), body(object_of(scopeIds=list_of(text(at_least=1), at_least=1)))["scopeIds"]
    scopes = _existing_scopes(tenant, scope_ids)
    _check_assignment(scopes, role.type)
    if any(scope.name in role.scopes.get(resource.indicator, ()) for resource, scope in scopes):
        raise APIError("role.scope_exists")
    _add_scopes(role, scopes)
    return [resources.shown_scope(resource, scope) for resource, scope in tenant.scopes_held(role.scopes)]


@route("DELETE", "/roles/:id/scopes/:scopeId", status=204, event="Role.Scopes.Updated")
def remove_scope(tenant: Tenant, id: str, scope_id: str) -> None:
    role = existing(tenant, id)
    for resource, scope in tenant.scopes_held(role.scopes):
        if scope.id == scope_id:
            kept = [name for name in role.scopes[resource.indicator] if name != scope.name]
            role.scopes = {**role.scopes, resource.indicator: kept}
            return
    raise not_found()


# Who holds it


@route("GET", "/roles/:id/users")
def list_users(tenant: Tenant, id: str) -> Response:
    holders = tenant.users_with_role(existing(tenant, id).name)
    if not is_searched():
        return paged(reversed(holders), len(holders), lambda sub: users.shown(tenant.users[sub]))
    found = users.found_users(tenant.users[sub] for sub in reversed(holders))
    return paged(found, len(found), users.shown)


@route("POST", "/roles/:id/users", status=201)
def add_users(tenant: Tenant, id: str) -> None:
    role, user_ids = existing(tenant, id), body(object_of(userIds=list_of(text(at_least=1), at_least=1)))["userIds"]
    if role.type != "User":
        raise APIError("user.invalid_role_type")
    holders = _all_known(tenant.users, user_ids)
    if any(role.name in user.roles for user in holders):
        raise APIError("role.user_exists")
    for user in holders:
        tenant.update_user(user.id, roles=[*user.roles, role.name])


@route("DELETE", "/roles/:id/users/:userId", status=204)
def remove_user(tenant: Tenant, id: str, user_id: str) -> None:
    user = users.existing(tenant, user_id)
    role = held(tenant, id, user.roles)
    tenant.update_user(user.id, roles=[name for name in user.roles if name != role.name])


def _shown_with_holders(tenant: Tenant, role: Role) -> dict[str, Any]:
    holders = tenant.users_with_role(role.name)
    featured = [tenant.users[sub] for sub in islice(holders, _FEATURED)]
    applications = applications_with(tenant, role)
    return {
        **shown(role),
        "usersCount": len(holders),
        "featuredUsers": [{"id": user.id, "avatar": user.avatar, "name": user.name} for user in featured],
        "applicationsCount": len(applications),
        "featuredApplications": [
            {"id": application.id, "name": application.name, "type": application.type}
            for application in applications[:_FEATURED]
        ],
    }


def applications_with(tenant: Tenant, role: Role) -> list[Application]:
    """Return the applications that hold a role."""
    return [application for application in tenant.applications.values() if role.name in application.roles]


def _names_held(holder: User | Application | None) -> list[str]:
    return holder.roles if holder is not None else []


def _all_known(users_by_id: dict[str, User], user_ids: Sequence[str]) -> list[User]:
    if any(user_id not in users_by_id for user_id in user_ids):
        raise unknown_reference()
    return [users_by_id[user_id] for user_id in dict.fromkeys(user_ids)]


def _existing_scopes(tenant: Tenant, scope_ids: Sequence[str]) -> list[tuple[Resource, Scope]]:
    scopes = tenant.find_scopes(scope_ids)
    if scopes is None:
        raise unknown_reference()
    return scopes


def _add_scopes(role: Role, scopes: Iterable[tuple[Resource, Scope]]) -> None:
    for resource, scope in scopes:
        role.scopes = {**role.scopes, resource.indicator: [*role.scopes.get(resource.indicator, ()), scope.name]}


def _check_assignment(scopes: Iterable[tuple[Resource, Scope]], type: str) -> None:
    if type == "User" and any(resource.indicator == MANAGEMENT_API_RESOURCE for resource, _ in scopes):
        raise APIError("role.management_api_scopes_not_assignable_to_user_role")


def _refuse_internal(name: str) -> None:
    if name.startswith(_INTERNAL_PREFIX):
        raise APIError("role.internal_role_violation", 403)
