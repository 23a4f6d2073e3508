"""`/api/resources` and their permissions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import Response, request

from logto_auth.emulator.api.bodies import body, changes
from logto_auth.emulator.api.errors import APIError, not_found
from logto_auth.emulator.api.schemas import boolean, integer, nullable, object_of, optional, text
from logto_auth.emulator.state.records import Resource, Scope
from logto_auth.emulator.state.resource_json import resource_json
from logto_auth.emulator.state.tenant import Tenant

from .lookup import existing, with_id
from .paging import optionally_paged, paged
from .routing import route
from .search import searched

_name = text(at_least=1, at_most=256)
_scope_changes = object_of(name=optional(_name), description=optional(nullable(text())))


def scope_as_json(resource: Resource, scope: Scope) -> dict[str, Any]:
    """Return a permission as the API shows it."""
    return {
        "tenantId": "default",
        "id": scope.id,
        "resourceId": resource.id,
        "name": scope.name,
        "description": scope.description,
        "createdAt": scope.created_at,
    }


def scope_with_resource_as_json(pair: tuple[Resource, Scope]) -> dict[str, Any]:
    """Return a permission with its resource."""
    return {**scope_as_json(*pair), "resource": resource_json(pair[0])}


def names_by_indicator(scopes: Iterable[tuple[Resource, Scope]]) -> dict[str, list[str]]:
    """Return the names of the permissions by resource indicator, as roles hold them."""
    held: dict[str, list[str]] = {}
    for resource, scope in scopes:
        names = held.setdefault(resource.indicator, [])
        names += [scope.name] if scope.name not in names else []
    return held


def names_without(tenant: Tenant, held: Mapping[str, Sequence[str]], scope_id: str) -> dict[str, list[str]]:
    """Return the names of the permissions that a role keeps. Raise 404 `entity.not_found` if it lacks this one."""
    scopes = tenant.scopes_held(held)
    kept = [(resource, scope) for resource, scope in scopes if scope.id != scope_id]
    if len(kept) == len(scopes):
        raise not_found()
    return names_by_indicator(kept)


@route("GET", "/resources")
def list_resources(tenant: Tenant) -> Response:
    with_scopes = request.args.get("includeScopes") in {"true", "1", "yes"}
    return optionally_paged(
        list(tenant.resources.values()),
        lambda resource: {**resource_json(resource), **({"scopes": _scopes_as_json(resource)} if with_scopes else {})},
    )


@route("POST", "/resources", status=201)
def create_resource(tenant: Tenant) -> dict[str, Any]:
    given = body(object_of(name=_name, indicator=text(at_least=1), accessTokenTtl=optional(integer(at_least=1))))
    resource = tenant.add_resource(
        given["indicator"], name=given["name"], access_token_ttl=given.get("accessTokenTtl", 3600)
    )
    return {**resource_json(resource), "scopes": []}


@route("GET", "/resources/:id")
def show_resource(tenant: Tenant, id: str) -> dict[str, Any]:
    return resource_json(existing(tenant.resources, id, "resources"))


@route("PATCH", "/resources/:id")
def change_resource(tenant: Tenant, id: str) -> dict[str, Any]:
    resource = _modifiable(tenant, id)
    given = changes(object_of(name=optional(_name), accessTokenTtl=optional(integer(at_least=1))))
    resource.name = given.get("name", resource.name)
    resource.access_token_ttl = given.get("accessTokenTtl", resource.access_token_ttl)
    return resource_json(resource)


@route("DELETE", "/resources/:id", status=204)
def delete_resource(tenant: Tenant, id: str) -> None:
    resource = existing(tenant.resources, id, "resources")
    if resource.indicator == tenant.management_api_resource:
        raise APIError("resource.cannot_delete_management_api", 400)
    tenant.delete_resource(resource)


@route("PATCH", "/resources/:id/is-default")
def change_default(tenant: Tenant, id: str) -> dict[str, Any]:
    resource, given = existing(tenant.resources, id, "resources"), body(object_of(isDefault=boolean))
    if given["isDefault"]:
        for other in tenant.resources.values():
            other.is_default = False
    resource.is_default = given["isDefault"]
    return resource_json(resource)


@route("GET", "/resources/:resourceId/scopes")
def list_scopes(tenant: Tenant, resource_id: str) -> Response:
    # An unknown resource has no permissions.
    resource = tenant.resources.get(resource_id)
    if resource is None:
        return paged([], 0, str)
    found = searched(resource.scopes.values(), {"id": "id", "name": "name", "description": "description"})
    return paged(found, len(found), lambda scope: scope_as_json(resource, scope))


@route("POST", "/resources/:resourceId/scopes", status=201, event="Scope.Created")
def create_scope(tenant: Tenant, resource_id: str) -> dict[str, Any]:
    resource = _modifiable(tenant, resource_id)
    given = body(object_of(name=_name, description=optional(nullable(text()))))
    _refuse_spaces(given["name"])
    return scope_as_json(resource, tenant.add_scope(resource, given["name"], description=given.get("description")))


@route("PATCH", "/resources/:resourceId/scopes/:scopeId", event="Scope.Data.Updated")
def change_scope(tenant: Tenant, resource_id: str, scope_id: str) -> dict[str, Any]:
    resource = _modifiable(tenant, resource_id)
    scope, given = with_id(resource.scopes.values(), scope_id), changes(_scope_changes)
    if "name" in given:
        _refuse_spaces(given["name"])
        tenant.rename_scope(resource, scope, given["name"])
    scope.description = given.get("description", scope.description)
    return scope_as_json(resource, scope)


@route("DELETE", "/resources/:resourceId/scopes/:scopeId", status=204, event="Scope.Deleted")
def delete_scope(tenant: Tenant, resource_id: str, scope_id: str) -> None:
    resource = _modifiable(tenant, resource_id)
    tenant.delete_scope(resource, with_id(resource.scopes.values(), scope_id))


def _scopes_as_json(resource: Resource) -> list[dict[str, Any]]:
    return [scope_as_json(resource, scope) for scope in resource.scopes.values()]


def _modifiable(tenant: Tenant, resource_id: str) -> Resource:
    resource = existing(tenant.resources, resource_id, "resources")
    if resource.indicator == tenant.management_api_resource:
        raise APIError("resource.cannot_modify_management_api", 400)
    return resource


def _refuse_spaces(name: str) -> None:
    if " " in name:
        raise APIError("scope.name_with_space", 400)
