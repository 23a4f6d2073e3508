"""`/api/organization-roles` and `/api/organization-scopes`: the organization template."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from flask import Response, request

from logto_auth.emulator.api.bodies import body, changes
from logto_auth.emulator.api.errors import not_found
from logto_auth.emulator.api.schemas import choice, list_of, nullable, object_of, optional, text
from logto_auth.emulator.state.records import OrganizationRole, Scope
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.tenant_tables import DuplicateError

from .lookup import api_scopes_by_id, existing, of_path, referenced
from .organizations import matches
from .paging import optionally_paged, paged
from .resources import names_by_indicator, names_without
from .resources import scope_as_json as resource_scope_as_json
from .routing import announce, route

_Named = TypeVar("_Named", OrganizationRole, Scope)

_name = text(at_least=1, at_most=128)
_description = optional(nullable(text(at_most=256)))
_ids = list_of(text(at_least=1))
_some_ids = list_of(text(at_least=1), at_least=1)
_new_role = object_of(
    name=_name,
    description=_description,
    type=optional(choice("User", "MachineToMachine")),
    organizationScopeIds=optional(_ids),
    resourceScopeIds=optional(_ids),
)


def role_as_json(role: OrganizationRole) -> dict[str, Any]:
    """Return an organization role as the API shows it."""
    return {
        "tenantId": "default",
        "id": role.id,
        "name": role.name,
        "description": role.description,
        "type": role.type,
    }


def scope_as_json(scope: Scope) -> dict[str, Any]:
    """Return an organization permission as the API shows it."""
    return {"tenantId": "default", "id": scope.id, "name": scope.name, "description": scope.description}


# Roles


@route("GET", "/organization-roles")
def list_roles(tenant: Tenant) -> Response:
    query = request.args.get("q", "")
    found = [role for role in _by_name(tenant.organization_roles.values()) if matches(query, role.id, role.name)]
    return paged(found, len(found), lambda role: _role_with_scopes_as_json(tenant, role))


@route("POST", "/organization-roles", status=201, event="OrganizationRole.Created")
def create_role(tenant: Tenant) -> dict[str, Any]:
    given = body(_new_role)
    if tenant.find_organization_role(given["name"]):
        raise DuplicateError("entity.unique_integrity_violation")
    scopes = _scopes(tenant, given.get("organizationScopeIds", []))
    resource_scopes = referenced(api_scopes_by_id(tenant), given.get("resourceScopeIds", []))
    role = tenant.add_organization_role(
        given["name"],
        scopes=[scope.name for scope in scopes],
        resource_scopes=names_by_indicator(resource_scopes),
        type=given.get("type", "User"),
        description=given.get("description"),
    )
    if scopes or resource_scopes:
        announce("OrganizationRole.Scopes.Updated", status=201, after={"organizationRoleId": role.id})
    return role_as_json(role)


@route("GET", "/organization-roles/:id")
def show_role(tenant: Tenant, id: str) -> dict[str, Any]:
    # Unlike the routes of permissions, and of organizations.
    return role_as_json(existing(tenant.organization_roles, id))


@route("PATCH", "/organization-roles/:id", event="OrganizationRole.Data.Updated")
def change_role(tenant: Tenant, id: str) -> dict[str, Any]:
    role, given = (
        _role(tenant, id),
        changes(object_of(name=optional(_name), description=_description)),
    )
    tenant.rename_organization_role(role, given.get("name", role.name))
    role.description = given.get("description", role.description)
    return role_as_json(role)


@route("DELETE", "/organization-roles/:id", status=204, event="OrganizationRole.Deleted")
def delete_role(tenant: Tenant, id: str) -> None:
    tenant.delete_organization_role(_role(tenant, id))


# Organization permissions of roles


@route("GET", "/organization-roles/:id/scopes")
def list_role_scopes(tenant: Tenant, id: str) -> Response:
    # An unknown role has another error here than in a change.
    held = [tenant.organization_scopes[name] for name in existing(tenant.organization_roles, id).scopes]
    return optionally_paged(held, scope_as_json)


@route("POST", "/organization-roles/:id/scopes", status=201, event="OrganizationRole.Scopes.Updated")
def add_role_scopes(tenant: Tenant, id: str) -> None:
    scope_ids = body(object_of(organizationScopeIds=_some_ids))["organizationScopeIds"]
    role, scopes = _role(tenant, id), _scopes(tenant, scope_ids)
    role.scopes = tuple(dict.fromkeys([*role.scopes, *(scope.name for scope in scopes)]))


@route("PUT", "/organization-roles/:id/scopes", status=204, event="OrganizationRole.Scopes.Updated")
def replace_role_scopes(tenant: Tenant, id: str) -> None:
    scope_ids = body(object_of(organizationScopeIds=_ids))["organizationScopeIds"]
    role, scopes = _role(tenant, id), _scopes(tenant, scope_ids)
    role.scopes = tuple(scope.name for scope in scopes)


@route(
    "DELETE",
    "/organization-roles/:id/scopes/:organizationScopeId",
    status=204,
    event="OrganizationRole.Scopes.Updated",
)
def remove_role_scope(tenant: Tenant, id: str, organization_scope_id: str) -> None:
    role, scope = (
        _role(tenant, id),
        _scope(tenant, organization_scope_id),
    )
    if scope.name not in role.scopes:
        raise not_found()
    role.scopes = tuple(name for name in role.scopes if name != scope.name)


# API permissions of roles


@route("GET", "/organization-roles/:id/resource-scopes")
def list_role_resource_scopes(tenant: Tenant, id: str) -> Response:
    return optionally_paged(
        tenant.scopes_held(_role(tenant, id).resource_scopes),
        lambda pair: resource_scope_as_json(*pair),
    )


@route("POST", "/organization-roles/:id/resource-scopes", status=201)
def add_role_resource_scopes(tenant: Tenant, id: str) -> None:
    scope_ids = body(object_of(scopeIds=_some_ids))["scopeIds"]
    role, given = _role(tenant, id), referenced(api_scopes_by_id(tenant), scope_ids)
    role.resource_scopes = names_by_indicator([*tenant.scopes_held(role.resource_scopes), *given])


@route("PUT", "/organization-roles/:id/resource-scopes", status=204)
def replace_role_resource_scopes(tenant: Tenant, id: str) -> None:
    scope_ids = body(object_of(scopeIds=_ids))["scopeIds"]
    role, given = _role(tenant, id), referenced(api_scopes_by_id(tenant), scope_ids)
    role.resource_scopes = names_by_indicator(given)


@route("DELETE", "/organization-roles/:id/resource-scopes/:scopeId", status=204)
def remove_role_resource_scope(tenant: Tenant, id: str, scope_id: str) -> None:
    role = _role(tenant, id)
    role.resource_scopes = names_without(tenant, role.resource_scopes, scope_id)


# Organization permissions


@route("GET", "/organization-scopes")
def list_scopes(tenant: Tenant) -> Response:
    query = request.args.get("q", "")
    found = [scope for scope in _by_name(tenant.organization_scopes.values()) if matches(query, scope.id, scope.name)]
    return optionally_paged(found, scope_as_json)


@route("POST", "/organization-scopes", status=201, event="OrganizationScope.Created")
def create_scope(tenant: Tenant) -> dict[str, Any]:
    given = body(object_of(name=_name, description=_description))
    if given["name"] in tenant.organization_scopes:
        raise DuplicateError("entity.unique_integrity_violation")
    return scope_as_json(tenant.add_organization_scope(given["name"], description=given.get("description")))


@route("GET", "/organization-scopes/:id")
def show_scope(tenant: Tenant, id: str) -> dict[str, Any]:
    return scope_as_json(_scope(tenant, id))


@route("PATCH", "/organization-scopes/:id", event="OrganizationScope.Data.Updated")
def change_scope(tenant: Tenant, id: str) -> dict[str, Any]:
    scope, given = (
        _scope(tenant, id),
        changes(object_of(name=optional(_name), description=_description)),
    )
    tenant.rename_organization_scope(scope, given.get("name", scope.name))
    scope.description = given.get("description", scope.description)
    return scope_as_json(scope)


@route("DELETE", "/organization-scopes/:id", status=204, event="OrganizationScope.Deleted")
def delete_scope(tenant: Tenant, id: str) -> None:
    tenant.delete_organization_scope(_scope(tenant, id))


def _scopes(tenant: Tenant, scope_ids: Sequence[str]) -> list[Scope]:
    return referenced(_scopes_by_id(tenant), scope_ids)


def _by_name(records: Iterable[_Named]) -> list[_Named]:
    return sorted(records, key=lambda each: each.name)


def _role(tenant: Tenant, role_id: str) -> OrganizationRole:
    return of_path(tenant.organization_roles, role_id, "organization_roles")


def _scope(tenant: Tenant, scope_id: str) -> Scope:
    return of_path(_scopes_by_id(tenant), scope_id, "organization_scopes")


def _scopes_by_id(tenant: Tenant) -> dict[str, Scope]:
    return {scope.id: scope for scope in tenant.organization_scopes.values()}


def _role_with_scopes_as_json(tenant: Tenant, role: OrganizationRole) -> dict[str, Any]:
    scopes = [tenant.organization_scopes[name] for name in role.scopes]
    return {
        **role_as_json(role),
        "scopes": [{"id": scope.id, "name": scope.name} for scope in scopes],
        "resourceScopes": [
            {"id": scope.id, "name": scope.name, "resource": {"id": resource.id, "name": resource.name}}
            for resource, scope in tenant.scopes_held(role.resource_scopes)
        ],
    }
