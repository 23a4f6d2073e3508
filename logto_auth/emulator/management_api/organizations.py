"""`/api/organizations`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from flask import Response, request

from logto_auth.emulator.api.bodies import body, changes
from logto_auth.emulator.api.errors import APIError
from logto_auth.emulator.api.schemas import anything, boolean, nullable, object_of, optional, text
from logto_auth.emulator.state.json_columns import jsonb
from logto_auth.emulator.state.records import Organization, OrganizationRole
from logto_auth.emulator.state.tenant import Tenant

from .lookup import of_path, referenced
from .paging import paged
from .routing import route
from .search import like_pattern

_FEATURED = 3

_LOGOS = ("logoUrl", "darkLogoUrl", "favicon", "darkFavicon")

_name = text(at_least=1, at_most=128)
_rest = {
    "description": optional(nullable(text(at_most=256))),
    "customData": optional(anything),
    "isMfaRequired": optional(boolean),
    "color": optional(anything),
    "branding": optional(object_of(**dict.fromkeys(_LOGOS, optional(text(url=True))))),
    "customCss": optional(nullable(text())),
}
_ATTRIBUTES = {
    "name": "name",
    "description": "description",
    "customData": "custom_data",
    "isMfaRequired": "is_mfa_required",
    "color": "color",
    "branding": "branding",
    "customCss": "custom_css",
}


def as_json(organization: Organization) -> dict[str, Any]:
    """Return an organization as the API shows it."""
    return {
        "tenantId": "default",
        "id": organization.id,
        "name": organization.name,
        "description": organization.description,
        "customData": jsonb(organization.custom_data),
        "isMfaRequired": organization.is_mfa_required,
        "color": organization.color,
        "branding": organization.branding,
        "customCss": organization.custom_css,
        "createdAt": organization.created_at,
    }


def organization_of_path(tenant: Tenant, organization_id: str) -> Organization:
    """Return the organization that the path names. Raise APIError."""
    return of_path(tenant.organizations, organization_id, "organizations")


def named_roles_as_json(tenant: Tenant, names: Iterable[str]) -> list[dict[str, Any]]:
    """Return the organization roles of these names by name, with only the fields that are shown beside a member."""
    roles = [tenant.find_organization_role(name) for name in sorted(names)]
    return [{"id": role.id, "name": role.name} for role in roles if role]


def roles_by_id(tenant: Tenant, role_ids: Iterable[str], type: str | None = None) -> list[OrganizationRole]:
    """Return the organization roles of these ids. Raise APIError for an unknown id and for a role of another type."""
    roles = referenced(tenant.organization_roles, role_ids)
    if any(type not in {None, role.type} for role in roles):
        raise APIError("entity.db_constraint_violated")
    return roles


def matches(query: str, *texts: str | None) -> bool:
    """Return whether one of the texts contains the query `q`, in any case. It may have SQL's wildcards % and _."""
    pattern = re.compile(like_pattern(f"%{query}%"), re.DOTALL | re.IGNORECASE)
    return any(pattern.fullmatch(text) for text in texts if text)


@route("GET", "/organizations")
def list_organizations(tenant: Tenant) -> Response:
    query, is_featured = request.args.get("q", ""), request.args.get("showFeatured") in {"true", "1"}
    found = [
        organization
        for organization in reversed(tenant.organizations.values())
        if matches(query, organization.id, organization.name)
    ]
    return paged(found, len(found), lambda each: {**as_json(each), **(_featured(tenant, each) if is_featured else {})})


@route("POST", "/organizations", status=201, event="Organization.Created")
def create_organization(tenant: Tenant) -> dict[str, Any]:
    given = body(object_of(name=_name, **_rest))
    organization = tenant.add_organization(given["name"])
    _change(organization, given)
    return as_json(organization)


@route("GET", "/organizations/:id")
def show_organization(tenant: Tenant, id: str) -> dict[str, Any]:
    return as_json(organization_of_path(tenant, id))


@route("PATCH", "/organizations/:id", event="Organization.Data.Updated")
def change_organization(tenant: Tenant, id: str) -> dict[str, Any]:
    given = changes(object_of(name=optional(_name), **_rest))
    organization = organization_of_path(tenant, id)
    _change(organization, given)
    return as_json(organization)


@route("DELETE", "/organizations/:id", status=204, event="Organization.Deleted")
def delete_organization(tenant: Tenant, id: str) -> None:
    tenant.delete_organization(organization_of_path(tenant, id).id)


def _change(organization: Organization, given: dict[str, Any]) -> None:
    for name, value in given.items():
        setattr(organization, _ATTRIBUTES[name], value)


def _featured(tenant: Tenant, organization: Organization) -> dict[str, Any]:
    members = [tenant.users[sub] for sub in list(organization.members)[:_FEATURED]]
    return {
        "usersCount": len(organization.members),
        "featuredUsers": [{"id": user.id, "avatar": user.avatar, "name": user.name} for user in members],
    }
