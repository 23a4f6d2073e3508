"""`/api/applications`."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Response, request

from logto_auth.emulator.api.bodies import body
from logto_auth.emulator.api.errors import APIError, not_exists
from logto_auth.emulator.api.schemas import (
    anything,
    boolean,
    choice,
    custom,
    integer,
    list_of,
    nullable,
    object_of,
    optional,
    text,
)
from logto_auth.emulator.oidc.redirect_uris import redirect_uri_registrable
from logto_auth.emulator.state.application_json import application_json
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.json_columns import jsonb
from logto_auth.emulator.state.tenant import Tenant

from .lookup import existing
from .paging import optionally_paged
from .routing import route
from .search import searched

_TYPES = ("Native", "SPA", "Traditional", "MachineToMachine", "Protected", "SAML")
_SEARCHED = {"id": "id", "name": "name", "description": "description"}

_uris = list_of(custom(redirect_uri_registrable, text()))
_oidc_metadata = object_of(
    redirectUris=_uris,
    postLogoutRedirectUris=_uris,
    backchannelLogoutUri=optional(text(url=True)),
    backchannelLogoutSessionRequired=optional(boolean),
    logoUri=optional(text()),
)
_custom_metadata = object_of(
    corsAllowedOrigins=optional(list_of(text())),
    idTokenTtl=optional(integer()),
    refreshTokenTtl=optional(integer()),
    refreshTokenTtlInDays=optional(integer(at_least=1, at_most=180)),
    tenantId=optional(text()),
    alwaysIssueRefreshToken=optional(boolean),
    rotateRefreshToken=optional(boolean),
    allowTokenExchange=optional(boolean),
    isDeviceFlow=optional(boolean),
    maxAllowedGrants=optional(integer(at_least=1)),
)
_changeable = {
    "description": optional(nullable(text())),
    "oidcClientMetadata": optional(_oidc_metadata),
    "customClientMetadata": optional(_custom_metadata),
    "customData": optional(anything),
}
_new = object_of(
    name=text(at_least=1, at_most=256), type=choice(*_TYPES), **_changeable, isThirdParty=optional(boolean)
)
_changes = object_of(name=optional(text(at_least=1, at_most=256)), **_changeable)


@route("GET", "/applications")
def list_applications(tenant: Tenant) -> Response:
    types, third_party = request.args.getlist("types"), request.args.get("isThirdParty")
    excluded_role = tenant.roles.get(request.args.get("excludeRoleId", ""))
    excluded_organization = tenant.organizations.get(request.args.get("excludeOrganizationId", ""))
    found = [
        application
        for application in searched(reversed(tenant.applications.values()), _SEARCHED)
        if (not types or application.type in types)
        and (third_party is None or application.is_third_party == (third_party == "true"))
        and (excluded_role is None or excluded_role.name not in application.roles)
        and (excluded_organization is None or application.id not in excluded_organization.applications)
    ]
    return optionally_paged(found, partial(application_json, tenant))


@route("POST", "/applications")
def create_application(tenant: Tenant) -> dict[str, Any]:
    given = body(_new)
    _check_metadata(given, given["type"], is_third_party=given.get("isThirdParty", False))
    application = tenant.add_application(
        name=given["name"], type=given["type"], is_third_party=given.get("isThirdParty", False)
    )
    _change(application, given)
    return application_json(tenant, application)


@route("GET", "/applications/:id")
def show_application(tenant: Tenant, id: str) -> dict[str, Any]:
    application = existing(tenant.applications, id, "applications")
    return {**application_json(tenant, application), "isAdmin": _is_admin(tenant, application)}


@route("PATCH", "/applications/:id")
def change_application(tenant: Tenant, id: str) -> dict[str, Any]:
    application, given = existing(tenant.applications, id, "applications"), body(_changes)
    _check_metadata(given, application.type, is_third_party=application.is_third_party)
    was_device_flow = application.custom_client_metadata.get("isDeviceFlow", False)
    if given.get("customClientMetadata", {}).get("isDeviceFlow", was_device_flow) != was_device_flow:
        raise APIError("application.device_flow_not_changeable")
    _change(application, given)
    return application_json(tenant, application)


@route("DELETE", "/applications/:id", status=204)
def delete_application(tenant: Tenant, id: str) -> None:
    tenant.delete_application(existing(tenant.applications, id, "applications").id)


@route("PATCH", "/applications/:id/custom-data")
def merge_custom_data(tenant: Tenant, id: str) -> dict[str, Any]:
    if id not in tenant.applications:
        raise not_exists("application")
    application = tenant.applications[id]
    application.custom_data = {**application.custom_data, **body(anything)}
    return dict(jsonb(application.custom_data))


def _check_metadata(given: dict[str, Any], type: str, *, is_third_party: bool) -> None:
    metadata = given.get("customClientMetadata", {})
    if type == "SAML":
        raise APIError("application.use_saml_app_api", 400)
    if type == "Protected":
        raise APIError("application.protected_app_metadata_is_required", 400)
    if metadata.get("isDeviceFlow") and type != "Native":
        raise APIError("application.device_flow_native_only")
    if metadata.get("allowTokenExchange") and is_third_party:
        raise APIError("application.third_party_application_cannot_enable_token_exchange")
    if is_third_party and type not in {"Traditional", "SPA", "Native"}:
        raise APIError("application.invalid_third_party_application_type", 400)


def _change(application: Application, given: dict[str, Any]) -> None:
    """Change the application as the body says. Both metadata objects and the custom data are replaced as a whole."""
    application.name = given.get("name", application.name)
    application.description = given.get("description", application.description)
    application.custom_data = given.get("customData", application.custom_data)
    application.custom_client_metadata = given.get("customClientMetadata", application.custom_client_metadata)
    if "oidcClientMetadata" in given:
        metadata = given["oidcClientMetadata"]
        application.redirect_uris = metadata["redirectUris"]
        application.post_logout_redirect_uris = metadata["postLogoutRedirectUris"]
        application.backchannel_logout_uri = metadata.get("backchannelLogoutUri")
        application.backchannel_logout_session_required = metadata.get("backchannelLogoutSessionRequired")
        application.logo_uri = metadata.get("logoUri")


def _is_admin(tenant: Tenant, application: Application) -> bool:
    """Return whether a role of the application has the permission `all` of the Management API."""
    roles = [role for role in tenant.roles.values() if role.name in application.roles]
    return any("all" in role.scopes.get(tenant.management_api_resource, ()) for role in roles)
