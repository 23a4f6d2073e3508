"""Just-in-time provisioning of organizations: e-mail domains, roles, and enterprise connectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import not_found
from logto_auth.emulator.api.schemas import Schema, list_of, object_of, text
from logto_auth.emulator.state.columns import check_length
from logto_auth.emulator.state.records import Organization
from logto_auth.emulator.state.tenant import Tenant
from logto_auth.emulator.state.tenant_tables import DuplicateError

from . import organization_template, sso_connectors
from .lookup import referenced
from .organizations import organization_of_path, roles_by_id
from .paging import optionally_paged
from .routing import route

_MOST_CHARACTERS = 128

_domain = text(at_least=1)
_id = text(at_least=1)
_some_ids = list_of(_id, at_least=1)


@route("GET", "/organizations/:id/jit/email-domains")
def list_domains(tenant: Tenant, id: str) -> Response:
    # An unknown organization has no domains.
    domains = tenant.organizations[id].jit_email_domains if id in tenant.organizations else []
    return optionally_paged(domains, lambda domain: _domain_as_json(id, domain))


@route("POST", "/organizations/:id/jit/email-domains", status=201)
def add_domain(tenant: Tenant, id: str) -> dict[str, Any]:
    domain = body(object_of(emailDomain=_domain))["emailDomain"]
    check_length(domain, _MOST_CHARACTERS)
    organization = organization_of_path(tenant, id)
    if domain in organization.jit_email_domains:
        raise DuplicateError("entity.unique_integrity_violation")
    organization.jit_email_domains.append(domain)
    return _domain_as_json(id, domain)


@route("PUT", "/organizations/:id/jit/email-domains", status=204)
def replace_domains(tenant: Tenant, id: str) -> None:
    """Replace all domains. Logto stores an empty text, too, and then fails to list the domains."""
    domains = _replacement("emailDomains", _domain)
    for domain in domains:
        check_length(domain, _MOST_CHARACTERS)
    organization = _organization_to_replace(tenant, id, domains)
    if organization is not None:
        organization.jit_email_domains = domains


@route("DELETE", "/organizations/:id/jit/email-domains/:emailDomain", status=204)
def remove_domain(tenant: Tenant, id: str, email_domain: str) -> None:
    domains = organization_of_path(tenant, id).jit_email_domains
    if email_domain not in domains:
        raise not_found()
    domains.remove(email_domain)


@route("GET", "/organizations/:id/jit/roles")
def list_roles(tenant: Tenant, id: str) -> Response:
    names = organization_of_path(tenant, id).jit_roles
    held = [role for role in map(tenant.find_organization_role, names) if role]
    return optionally_paged(held, organization_template.role_as_json)


@route("POST", "/organizations/:id/jit/roles", status=201)
def add_roles(tenant: Tenant, id: str) -> None:
    given = _role_names(tenant, body(object_of(organizationRoleIds=_some_ids))["organizationRoleIds"])
    organization = organization_of_path(tenant, id)
    organization.jit_roles = list(dict.fromkeys([*organization.jit_roles, *given]))


@route("PUT", "/organizations/:id/jit/roles", status=204)
def replace_roles(tenant: Tenant, id: str) -> None:
    given = _role_names(tenant, _replacement("organizationRoleIds"))
    organization = _organization_to_replace(tenant, id, given)
    if organization is not None:
        organization.jit_roles = given


@route("DELETE", "/organizations/:id/jit/roles/:organizationRoleId", status=204)
def remove_role(tenant: Tenant, id: str, organization_role_id: str) -> None:
    organization, role = (
        organization_of_path(tenant, id),
        tenant.organization_roles.get(organization_role_id),
    )
    if role is None or role.name not in organization.jit_roles:
        raise not_found()
    organization.jit_roles.remove(role.name)


@route("GET", "/organizations/:id/jit/sso-connectors")
def list_sso_connectors(tenant: Tenant, id: str) -> Response:
    linked = [tenant.sso_connectors[each] for each in organization_of_path(tenant, id).jit_sso_connectors]
    return optionally_paged(linked, sso_connectors.as_json)


@route("POST", "/organizations/:id/jit/sso-connectors", status=201)
def add_sso_connectors(tenant: Tenant, id: str) -> None:
    given = _sso_connector_ids(tenant, body(object_of(ssoConnectorIds=_some_ids))["ssoConnectorIds"])
    organization = organization_of_path(tenant, id)
    organization.jit_sso_connectors = list(dict.fromkeys([*organization.jit_sso_connectors, *given]))


@route("PUT", "/organizations/:id/jit/sso-connectors", status=204)
def replace_sso_connectors(tenant: Tenant, id: str) -> None:
    given = _sso_connector_ids(tenant, _replacement("ssoConnectorIds"))
    organization = _organization_to_replace(tenant, id, given)
    if organization is not None:
        organization.jit_sso_connectors = given


@route("DELETE", "/organizations/:id/jit/sso-connectors/:ssoConnectorId", status=204)
def remove_sso_connector(tenant: Tenant, id: str, sso_connector_id: str) -> None:
    linked = organization_of_path(tenant, id).jit_sso_connectors
    if sso_connector_id not in linked:
        raise not_found()
    linked.remove(sso_connector_id)


def _replacement(key: str, item: Schema = _id) -> list[str]:
    """Return the list of the body that replaces another. Unlike in an addition, Logto refuses a repeated value."""
    values: list[str] = body(object_of(**{key: list_of(item)}))[key]
    if len(set(values)) < len(values):
        raise DuplicateError("entity.unique_integrity_violation")
    return values


def _role_names(tenant: Tenant, role_ids: Sequence[str]) -> list[str]:
    return [role.name for role in roles_by_id(tenant, role_ids)]


def _sso_connector_ids(tenant: Tenant, connector_ids: Sequence[str]) -> list[str]:
    return [connector.id for connector in referenced(tenant.sso_connectors, connector_ids)]


def _organization_to_replace(tenant: Tenant, organization_id: str, values: Sequence[str]) -> Organization | None:
    """Return the organization whose list is replaced. Logto accepts an empty list for an unknown one: None."""
    return organization_of_path(tenant, organization_id) if values else tenant.organizations.get(organization_id)


def _domain_as_json(organization_id: str, domain: str) -> dict[str, Any]:
    return {"tenantId": "default", "organizationId": organization_id, "emailDomain": domain}
