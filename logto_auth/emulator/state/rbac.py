"""Role-based access control: the current permissions of users and applications."""

from __future__ import annotations

from collections.abc import Iterable

from .application_record import Application
from .records import ORGANIZATIONS_RESOURCE, Organization, unique
from .tenant import Tenant


def resource_scopes_of_user(
    tenant: Tenant, sub: str, indicator: str, *, client: Application, organization_id: str | None = None
) -> list[str]:
    """Return the permissions of a user on a resource.

    Global roles always count. Organization roles count for `organization_id`, or if it is None for all organizations of
    the user. For the reserved organizations resource the result is the whole template; tokens are limited to the
    permissions held when they are issued.
    """
    if indicator == ORGANIZATIONS_RESOURCE:
        return _allowed(tenant.organization_scopes, client.organization_scopes, client)
    user = tenant.users[sub]
    organizations = [each for each in memberships(tenant, sub) if organization_id in {None, each.id}]
    held = [
        *_scopes_of_roles(tenant, user.roles, indicator),
        *(
            scope
            for organization in organizations
            for scope in _scopes_of_organization_roles(tenant, organization.members[sub], indicator)
        ),
    ]
    enabled = [*client.resource_scopes.get(indicator, ()), *client.organization_resource_scopes.get(indicator, ())]
    return _allowed(_known_on(tenant, indicator, held), enabled, client)


def consented_scopes(
    tenant: Tenant, sub: str, indicator: str, *, client: Application, organization_ids: Iterable[str]
) -> list[str]:
    """Return the permissions on a resource that a user can give to a client of others.

    Those of global roles that `resource_scopes` has, and those of roles in the chosen organizations that
    `organization_resource_scopes` has.
    """
    if indicator == ORGANIZATIONS_RESOURCE:
        return _allowed(tenant.organization_scopes, client.organization_scopes, client)
    chosen = set(organization_ids)
    own = _scopes_of_roles(tenant, tenant.users[sub].roles, indicator)
    in_organizations = [
        scope
        for organization in memberships(tenant, sub)
        if organization.id in chosen
        for scope in _scopes_of_organization_roles(tenant, organization.members[sub], indicator)
    ]
    given = [
        *_allowed(own, client.resource_scopes.get(indicator, ()), client),
        *_allowed(in_organizations, client.organization_resource_scopes.get(indicator, ()), client),
    ]
    return _known_on(tenant, indicator, given)


def organization_scopes_of_user(tenant: Tenant, sub: str, organization_id: str) -> list[str]:
    """Return the organization permissions of a user in one organization."""
    return _organization_scopes(tenant, tenant.organizations[organization_id].members.get(sub, []))


def resource_scopes_of_application(
    tenant: Tenant, client: Application, indicator: str, *, organization_id: str | None = None
) -> list[str]:
    """Return the permissions of a machine-to-machine application. In an organization only its roles there count."""
    if organization_id is None:
        held = _scopes_of_roles(tenant, client.roles, indicator)
    else:
        roles = tenant.organizations[organization_id].applications.get(client.id, [])
        held = _scopes_of_organization_roles(tenant, roles, indicator)
    return _known_on(tenant, indicator, held)


def organization_scopes_of_application(tenant: Tenant, client: Application, organization_id: str) -> list[str]:
    """Return the organization permissions of a machine-to-machine application in one organization."""
    return _organization_scopes(tenant, tenant.organizations[organization_id].applications.get(client.id, []))


def memberships(tenant: Tenant, sub: str) -> list[Organization]:
    """Return the organizations of a user."""
    return [organization for organization in list(tenant.organizations.values()) if sub in organization.members]


def _scopes_of_roles(tenant: Tenant, names: Iterable[str], indicator: str) -> list[str]:
    roles = [role for role in list(tenant.roles.values()) if role.name in set(names)]
    return [scope for role in roles for scope in role.scopes.get(indicator, ())]


def _scopes_of_organization_roles(tenant: Tenant, names: Iterable[str], indicator: str) -> list[str]:
    roles = [role for role in map(tenant.find_organization_role, names) if role]
    return [scope for role in roles for scope in role.resource_scopes.get(indicator, ())]


def _organization_scopes(tenant: Tenant, names: Iterable[str]) -> list[str]:
    roles = [role for role in map(tenant.find_organization_role, names) if role]
    return unique(scope for role in roles for scope in role.scopes)


def _known_on(tenant: Tenant, indicator: str, held: Iterable[str]) -> list[str]:
    resource = tenant.find_resource(indicator)
    return [scope for scope in unique(held) if resource is not None and scope in resource.scopes]


def _allowed(scopes: Iterable[str], enabled: Iterable[str], client: Application) -> list[str]:
    """Return the scopes that the client may receive. A third-party application needs them enabled."""
    enabled = set(enabled)
    return [scope for scope in scopes if not client.is_third_party or scope in enabled]
