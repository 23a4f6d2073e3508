"""An API resource as JSON, in the Management API and for scripts of custom claims."""

from __future__ import annotations

from typing import Any

from .records import Resource


def resource_json(resource: Resource) -> dict[str, Any]:
    """Return the fields of an API resource in Logto's order."""
    return {
        "tenantId": "default",
        "id": resource.id,
        "name": resource.name,
        "indicator": resource.indicator,
        "isDefault": resource.is_default,
        "accessTokenTtl": resource.access_token_ttl,
    }
