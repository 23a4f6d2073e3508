"""The grants that users gave to applications."""

from __future__ import annotations

from typing import Any

from flask import request

from logto_auth.emulator.provider import current
from logto_auth.emulator.state.application_record import Application
from logto_auth.emulator.state.sessions import Grant
from logto_auth.emulator.state.tenant import Tenant

from .api_errors import APIError
from .routing import fitted, route
from .schemas import choice, object_of, optional

_query = object_of(appType=optional(choice("all", "firstParty", "thirdParty")))


@route("GET", "/users/:userId/grants")
def list_grants(tenant: Tenant, user_id: str) -> dict[str, Any]:
    """Return the grants of a user that have not expired. An unknown user has none."""
    wanted = fitted(request.args.to_dict(), _query, part="query").get("appType", "all")
    grants = [(grant, tenant.applications.get(grant.client_id)) for grant in _grants_of(user_id)]
    return {
        "grants": [
            _as_json(grant, application)
            for grant, application in grants
            if application is not None and wanted in {"all", _app_type(application)}
        ]
    }


@route("DELETE", "/users/:userId/grants/:grantId", status=204)
def revoke_grant(tenant: Tenant, user_id: str, grant_id: str) -> None:
    """End a grant with its tokens."""
    if grant_id not in {grant.id for grant in _grants_of(user_id)}:
        raise APIError("oidc.invalid_grant", 404)
    current().instances.revoke_grant(grant_id)


def _grants_of(user_id: str) -> list[Grant]:
    provider = current()
    grants = [provider.instances.find_grant(grant_id) for grant_id in list(provider.instances.grants)]
    return [grant for grant in grants if grant is not None and grant.account_id == user_id]


def _app_type(application: Application) -> str:
    return "thirdParty" if application.is_third_party else "firstParty"


def _as_json(grant: Grant, application: Application) -> dict[str, Any]:
    resources = {indicator: " ".join(scopes) for indicator, scopes in grant.resource_scopes.items() if scopes}
    return {
        "id": grant.id,
        "payload": {
            "exp": grant.expires_at,
            "iat": grant.created_at,
            "jti": grant.id,
            "kind": "Grant",
            "clientId": grant.client_id,
            "accountId": grant.account_id,
            **({"openid": {"scope": " ".join(grant.oidc_scopes)}} if grant.oidc_scopes else {}),
            **({"rejected": {}, "resources": resources} if resources else {}),
        },
        "expiresAt": grant.expires_at * 1000,
        "application": {"id": application.id, "name": application.name},
    }
