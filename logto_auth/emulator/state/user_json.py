"""A user as JSON, in the Management API and in webhook payloads."""

from __future__ import annotations

from typing import Any

from .json_columns import jsonb
from .records import User
from .tenant_tables import TenantTables


def user_json(tenant: TenantTables, user: User) -> dict[str, Any]:
    """Return the fields of a user in Logto's order."""
    cimd = {"cimdClientId": user.cimd_client_id} if tenant.version.users_have_cimd_client_id else {}
    return {
        "id": user.id,
        "username": user.username,
        "primaryEmail": user.primary_email,
        "primaryPhone": user.primary_phone,
        "name": user.name,
        "avatar": user.avatar,
        "customData": jsonb(user.custom_data),
        "identities": jsonb(user.identities),
        "lastSignInAt": user.last_sign_in_at,
        "createdAt": user.created_at,
        "updatedAt": user.updated_at,
        "profile": user.profile,
        "applicationId": user.application_id,
        **cimd,
        "isSuspended": user.is_suspended,
    }
