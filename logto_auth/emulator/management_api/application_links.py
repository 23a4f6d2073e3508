"""What applications are linked to: roles, organizations (logto.md, 7.3 and 7.5)."""

from __future__ import annotations

from typing import Any

from flask import Response

from logto_auth.emulator.state.application import Application
from logto_auth.emulator.state.tenant import Tenant

from . import applications, organizations, roles
from .api_errors import APIError, unknown_reference
from .paging import optionally_paged, paged
from .routing import body, route
from .schemas import list_of, object_of, text

_role_ids = object_of(roleIds=list_of(text(at_least=1)))


@route("GET", "/applications/:applicationId/roles")
def list_roles(tenant: Tenant, application_id: str) -> Response:
    held = roles.named(tenant, _machine(tenant, application_id).roles)
    return paged(held, len(held), roles.shown)


@route("POST", "/applications/:applicationId/roles", status=201)
def add_roles(tenant: Tenant, application_id: str) -> dict[str, Any]:
    application, role_ids = _machine(tenant, application_id), body(_role_ids)["roleIds"]
    given = roles.assignable(tenant, role_ids, "MachineToMachine", "application.invalid_role_type")
    added = [role for role in given if role.name not in application.roles]
    application.roles = [*application.roles, *(role.name for role in added)]
    return {"roleIds": role_ids, "addedRoleIds": [role.id for role in added]}


@route("PUT", "/applications/:applicationId/roles")
def replace_roles(tenant: Tenant, application_id: str) -> dict[str, Any]:
    application, role_ids = _machine(tenant, application_id), body(_role_ids)["roleIds"]
    given = roles.assignable(tenant, role_ids, "MachineToMachine", "application.invalid_role_type")
    application.roles = [role.name for role in given]
    return {"roleIds": role_ids}


@route("DELETE", "/applications/:applicationId/roles/:roleId", status=204)
def remove_role(tenant: Tenant, application_id: str, role_id: str) -> None:
    application = _machine(tenant, application_id)
    role = roles.held(tenant, role_id, application.roles)
    application.roles = [name for name in application.roles if name != role.name]


@route("GET", "/applications/:id/organizations")
def list_organizations(tenant: Tenant, id: str) -> Response:
    application = applications.existing(tenant, id)
    joined = [each for each in tenant.organizations.values() if application.id in each.applications]
    return optionally_paged(
        joined,
        lambda organization: {
            **organizations.shown(organization),
            "organizationRoles": organizations.shown_role_names(tenant, organization.applications[application.id]),
        },
    )


@route("GET", "/roles/:id/applications")
def list_applications(tenant: Tenant, id: str) -> Response:
    holders = roles.applications_with(tenant, roles.existing(tenant, id))
    return paged(holders, len(holders), applications.shown)


@route("POST", "/roles/:id/applications", status=201)
def add_applications(tenant: Tenant, id: str) -> None:
    role = roles.existing(tenant, id)
    given = body(object_of(applicationIds=list_of(text(at_least=1), at_least=1)))["applicationIds"]
    if any(application_id not in tenant.applications for application_id in given):
        raise unknown_reference()
    if role.type != "MachineToMachine":
        raise APIError("application.invalid_role_type")
    holders = [_machine(tenant, application_id) for application_id in dict.fromkeys(given)]
    if any(role.name in application.roles for application in holders):
        raise APIError("application.role_exists")
    for application in holders:
        application.roles = [*application.roles, role.name]


@route("DELETE", "/roles/:id/applications/:applicationId", status=204)
def remove_application(tenant: Tenant, id: str, application_id: str) -> None:
    application = applications.existing(tenant, application_id)
    role = roles.held(tenant, id, application.roles)
    application.roles = [name for name in application.roles if name != role.name]


def _machine(tenant: Tenant, application_id: str) -> Application:
    application = applications.existing(tenant, application_id)
    if application.type != "MachineToMachine":
        raise APIError("application.invalid_type")
    return application
