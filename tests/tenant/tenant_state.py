"""The state of an emulated tenant, for tests that set it up."""

from __future__ import annotations

from typing import Any

from logto_auth.emulator import Application, Emulator

API = "https://bookstore.example/api"


def own_application(logto: Emulator) -> Application:
    """Return the only Traditional application."""
    (application,) = (each for each in logto.tenant.applications.values() if each.type == "Traditional")
    return application


def writes(logto: Emulator) -> list[str]:
    """Return the paths of the requests so far that change something. A trial of a script does not."""
    calls = [each for each in logto.requests if each.endpoint == "management_api" and each.method != "GET"]
    return [each.path for each in calls if not each.path.endswith("/configs/jwt-customizer/test")]


def snapshot(logto: Emulator) -> dict[str, Any]:
    """Return the declarable objects of the tenant, without ids."""
    tenant = logto.tenant
    return {
        "applications": sorted((each.name, tuple(each.redirect_uris)) for each in tenant.applications.values()),
        "resources": {
            each.indicator: {scope.name: scope.description for scope in each.scopes.values()}
            for each in tenant.resources.values()
        },
        "roles": {each.name: (each.type, each.description, dict(each.scopes)) for each in tenant.roles.values()},
        "organization_scopes": {each.name: each.description for each in tenant.organization_scopes.values()},
        "organization_roles": {
            each.name: (each.description, tuple(each.scopes)) for each in tenant.organization_roles.values()
        },
        "unknown_session_redirect_url": tenant.sign_in_experience.unknown_session_redirect_url,
        "hooks": [(each.url, tuple(each.events), each.enabled) for each in tenant.hooks.values()],
    }
