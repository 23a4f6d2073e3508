"""The organizations of a user or of a machine-to-machine application, with the roles held in each."""

from __future__ import annotations

from typing import Any

from flask import Response

from logto_auth.emulator.state import rbac
from logto_auth.emulator.state.records import Organization
from logto_auth.emulator.state.tenant import Tenant

from .lookup import existing
from .organizations import as_json, named_roles_as_json
from .paging import optionally_paged
from .routing import route


@route("GET", "/users/:userId/organizations")
def list_organizations_of_user(tenant: Tenant, user_id: str) -> list[dict[str, Any]]:
    user = existing(tenant.users, user_id)
    joined = rbac.memberships(tenant, user.id)
    return [_membership_as_json(tenant, organization, organization.members[user.id]) for organization in joined]


@route("GET", "/applications/:id/organizations")
def list_organizations_of_application(tenant: Tenant, id: str) -> Response:
    application = existing(tenant.applications, id, "applications")
    joined = [each for each in tenant.organizations.values() if application.id in each.applications]
    return optionally_paged(
        joined,
        lambda organization: _membership_as_json(tenant, organization, organization.applications[application.id]),
    )


def _membership_as_json(tenant: Tenant, organization: Organization, role_names: list[str]) -> dict[str, Any]:
    return {**as_json(organization), "organizationRoles": named_roles_as_json(tenant, role_names)}
