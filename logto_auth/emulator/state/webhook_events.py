"""The names of all webhook events."""

from __future__ import annotations

from logto_auth.emulator.versions import LogtoVersion

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
_EXCEPTION_EVENTS = ("Identifier.Lockout", "Message.RateLimited")


def events_of(version: LogtoVersion) -> tuple[str, ...]:
    """Return all events of a version of Logto, in its order."""
    grant_limit = ("Grant.LimitExceeded",) if version.has_grant_limit_event else ()
    return (*INTERACTION_EVENTS, *DATA_EVENTS, *_EXCEPTION_EVENTS, *grant_limit)
