"""An application as JSON, in the Management API and for scripts of custom claims."""

from __future__ import annotations

from typing import Any

from .application_record import Application
from .json_columns import jsonb
from .tenant_tables import TenantTables


def application_json(tenant: TenantTables, application: Application) -> dict[str, Any]:
    """Return an application in Logto's order. `secret` does not authenticate; `/secrets` lists those that do."""
    secret = {"secret": application.internal_secret} if tenant.version.applications_have_secret else {}
    optional_metadata = {
        "backchannelLogoutUri": application.backchannel_logout_uri,
        "backchannelLogoutSessionRequired": application.backchannel_logout_session_required,
        "logoUri": application.logo_uri,
    }
    return {
        "tenantId": "default",
        "id": application.id,
        "name": application.name,
        **secret,
        "description": application.description,
        "type": application.type,
        "oidcClientMetadata": {
            "redirectUris": list(application.redirect_uris),
            "postLogoutRedirectUris": list(application.post_logout_redirect_uris),
            **{name: value for name, value in optional_metadata.items() if value is not None},
        },
        "customClientMetadata": dict(application.custom_client_metadata),
        "protectedAppMetadata": None,
        "customData": jsonb(application.custom_data),
        "isThirdParty": application.is_third_party,
        "appLevelAccessControlEnabled": False,
        "createdAt": application.created_at,
    }
