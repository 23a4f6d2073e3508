"""The names of all webhook events."""

from __future__ import annotations

INTERACTION_EVENTS = ("PostRegister", "PostSignIn", "PostSignInAdaptiveMfaTriggered", "PostResetPassword")
_CREATED_DELETED_UPDATED = ("Created", "Deleted", "Data.Updated")
DATA_EVENTS = (
    *(f"User.{what}" for what in (*_CREATED_DELETED_UPDATED, "SuspensionStatus.Updated")),
    *(f"Role.{what}" for what in (*_CREATED_DELETED_UPDATED, "Scopes.Updated")),
    *(f"Scope.{what}" for what in _CREATED_DELETED_UPDATED),
    *(f"Organization.{what}" for what in (*_CREATED_DELETED_UPDATED, "Membership.Updated")),
    *(f"OrganizationRole.{what}" for what in (*_CREATED_DELETED_UPDATED, "Scopes.Updated")),
    *(f"OrganizationScope.{what}" for what in _CREATED_DELETED_UPDATED),
)
EVENTS = (*INTERACTION_EVENTS, *DATA_EVENTS, "Identifier.Lockout", "Message.RateLimited")
