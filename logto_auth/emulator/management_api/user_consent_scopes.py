"""What third-party applications may ask users for, and the ceiling for dynamic clients: `user-consent-scopes`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flask import abort

from logto_auth.emulator.api.bodies import body, fitted
from logto_auth.emulator.api.errors import APIError, no_values, not_found
from logto_auth.emulator.api.schemas import Schema, choice, list_of, object_of, optional, text
from logto_auth.emulator.oidc.claims import CLAIMS_BY_SCOPE, TRUSTED_DEVICES_SCOPE
from logto_auth.emulator.state.consent_scopes import ConsentScopes
from logto_auth.emulator.state.records import Resource, Scope, unique
from logto_auth.emulator.state.tenant import Tenant

from .lookup import api_scopes_by_id, existing
from .resources import names_by_indicator, names_without
from .routing import route

_TYPES = ("organization-scopes", "resource-scopes", "organization-resource-scopes", "user-scopes")
_OF_APPLICATION = "/applications/:applicationId/user-consent-scopes"
_OF_DYNAMIC_CLIENTS = "/cimd/user-consent-scopes"


@route("GET", _OF_APPLICATION)
def show_of_application(tenant: Tenant, application_id: str) -> dict[str, Any]:
    return _as_json(tenant, existing(tenant.applications, application_id, "applications"))


@route("POST", _OF_APPLICATION, status=201)
def add_to_application(tenant: Tenant, application_id: str) -> None:
    given = body(_schema(tenant))
    application = existing(tenant.applications, application_id, "applications")
    if not application.is_third_party:
        raise APIError("application.third_party_application_only")
    _check_ids(tenant, given)
    # Logto inserts each list of ids at once, also an empty one. Its ceiling for dynamic clients takes empty lists.
    if [] in (given.get(key) for key in ("organizationScopes", "resourceScopes", "organizationResourceScopes")):
        raise no_values()
    _add(tenant, application, given)


@route("DELETE", f"{_OF_APPLICATION}/:scopeType/:scopeId", status=204)
def remove_from_application(tenant: Tenant, application_id: str, scope_type: str, scope_id: str) -> None:
    _check_type(scope_type)
    _remove(tenant, existing(tenant.applications, application_id, "applications"), scope_type, scope_id)


@route("GET", _OF_DYNAMIC_CLIENTS)
def show_of_dynamic_clients(tenant: Tenant) -> dict[str, Any]:
    return _as_json(tenant, _ceiling(tenant))


@route("POST", _OF_DYNAMIC_CLIENTS, status=201)
def add_to_dynamic_clients(tenant: Tenant) -> None:
    ceiling, given = _ceiling(tenant), body(_schema(tenant))
    _check_ids(tenant, given)
    _add(tenant, ceiling, given)


@route("DELETE", f"{_OF_DYNAMIC_CLIENTS}/:scopeType/:scopeId", status=204)
def remove_from_dynamic_clients(tenant: Tenant, scope_type: str, scope_id: str) -> None:
    ceiling = _ceiling(tenant)
    _check_type(scope_type)
    _remove(tenant, ceiling, scope_type, scope_id)


def _ceiling(tenant: Tenant) -> ConsentScopes:
    if not tenant.version.has_cimd:
        abort(404)
    return tenant.cimd_ceiling


def _schema(tenant: Tenant) -> Schema:
    known = [
        scope
        for scope in CLAIMS_BY_SCOPE
        if scope != "openid" and (scope != TRUSTED_DEVICES_SCOPE or tenant.version.has_trusted_devices_scope)
    ]
    ids = optional(list_of(text()))
    return object_of(
        organizationScopes=ids,
        resourceScopes=ids,
        organizationResourceScopes=ids,
        userScopes=optional(list_of(choice(*known))),
    )


def _check_type(scope_type: str) -> None:
    fitted({"scopeType": scope_type}, object_of(scopeType=choice(*_TYPES)), part="params")


# Changes


def _add(tenant: Tenant, scopes: ConsentScopes, given: Mapping[str, Sequence[str]]) -> None:
    scopes.user_scopes = unique([*scopes.user_scopes, *given.get("userScopes", ())])
    added = _organization_names(tenant, given.get("organizationScopes", ()))
    scopes.organization_scopes = unique([*scopes.organization_scopes, *added])
    scopes.resource_scopes = _with_ids(tenant, scopes.resource_scopes, given.get("resourceScopes", ()))
    scopes.organization_resource_scopes = _with_ids(
        tenant, scopes.organization_resource_scopes, given.get("organizationResourceScopes", ())
    )


def _check_ids(tenant: Tenant, given: Mapping[str, Sequence[str]]) -> None:
    """Raise 422 for unknown permissions, and for those of the Management API."""
    of_apis = api_scopes_by_id(tenant)
    of_organizations = {scope.id for scope in tenant.organization_scopes.values()}
    invalid = {
        "invalidOrganizationScopes": [id for id in given.get("organizationScopes", ()) if id not in of_organizations],
        "invalidResourceScopes": [id for id in given.get("resourceScopes", ()) if id not in of_apis],
        "invalidOrganizationResourceScopes": [
            id for id in given.get("organizationResourceScopes", ()) if id not in of_apis
        ],
    }
    if any(invalid.values()):
        raise APIError("application.user_consent_scopes_not_found", data=invalid)
    wanted = [*given.get("resourceScopes", ()), *given.get("organizationResourceScopes", ())]
    if any(of_apis[id][0].indicator == tenant.management_api_resource for id in wanted):
        raise APIError("application.consent_management_api_scopes_not_allowed")


def _with_ids(tenant: Tenant, held: Mapping[str, Sequence[str]], ids: Iterable[str]) -> Mapping[str, Sequence[str]]:
    of_apis = api_scopes_by_id(tenant)
    return names_by_indicator([*tenant.scopes_held(held), *(of_apis[id] for id in unique(ids))])


def _organization_names(tenant: Tenant, ids: Iterable[str]) -> list[str]:
    wanted = set(ids)
    return [scope.name for scope in tenant.organization_scopes.values() if scope.id in wanted]


def _remove(tenant: Tenant, scopes: ConsentScopes, scope_type: str, scope_id: str) -> None:
    """Remove a scope, or raise 404 if it is not there."""
    if scope_type == "resource-scopes":
        scopes.resource_scopes = names_without(tenant, scopes.resource_scopes, scope_id)
    elif scope_type == "organization-resource-scopes":
        scopes.organization_resource_scopes = names_without(tenant, scopes.organization_resource_scopes, scope_id)
    elif scope_type == "organization-scopes":
        names = _organization_names(tenant, [scope_id])
        scopes.organization_scopes = _without(scopes.organization_scopes, names[0] if names else "")
    else:
        scopes.user_scopes = _without(scopes.user_scopes, scope_id)


def _without(names: Sequence[str], unwanted: str) -> list[str]:
    if unwanted not in names:
        raise not_found()
    return [name for name in names if name != unwanted]


# JSON


def _as_json(tenant: Tenant, scopes: ConsentScopes) -> dict[str, Any]:
    template = tenant.organization_scopes.values()
    return {
        "organizationScopes": [_scope_json(scope) for scope in template if scope.name in scopes.organization_scopes],
        "resourceScopes": _by_resource(tenant.scopes_held(scopes.resource_scopes)),
        "organizationResourceScopes": _by_resource(tenant.scopes_held(scopes.organization_resource_scopes)),
        "userScopes": sorted(scopes.user_scopes),
    }


def _by_resource(held: Iterable[tuple[Resource, Scope]]) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for resource, scope in held:
        shown = {"id": resource.id, "name": resource.name, "indicator": resource.indicator}
        rows.setdefault(resource.id, {"resource": shown, "scopes": []})["scopes"].append(_scope_json(scope))
    return list(rows.values())


def _scope_json(scope: Scope) -> dict[str, Any]:
    return {"id": scope.id, "name": scope.name, "description": scope.description}
