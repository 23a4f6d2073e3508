"""Logto's events as signals: one for each, by its name at Logto, and one for all.

Each is sent with `event`, a `WebhookEvent`; `sender` is that class. It is sent after this package has done what the
event means to it. Logto may deliver late and in any order, so an event may be older than what is known:
`event.created_at` says when it happened. A receiver that raises is logged, and stops nothing.
"""

from django.dispatch import Signal

# Any event, also one that this version does not know.
webhook_received = Signal()

# Somebody has registered, signed in or chosen a new password, on a page of Logto.
post_register = Signal()
post_sign_in = Signal()
post_sign_in_adaptive_mfa_triggered = Signal()
post_reset_password = Signal()

user_created = Signal()
user_deleted = Signal()
user_data_updated = Signal()
user_suspension_status_updated = Signal()

role_created = Signal()
role_deleted = Signal()
role_data_updated = Signal()
role_scopes_updated = Signal()

scope_created = Signal()
scope_deleted = Signal()
scope_data_updated = Signal()

organization_created = Signal()
organization_deleted = Signal()
organization_data_updated = Signal()
organization_membership_updated = Signal()

organization_role_created = Signal()
organization_role_deleted = Signal()
organization_role_data_updated = Signal()
organization_role_scopes_updated = Signal()

organization_scope_created = Signal()
organization_scope_deleted = Signal()
organization_scope_data_updated = Signal()

# Too many wrong tries with an identifier; too many messages to a recipient.
identifier_lockout = Signal()
message_rate_limited = Signal()

BY_EVENT = {
    "PostRegister": post_register,
    "PostSignIn": post_sign_in,
    "PostSignInAdaptiveMfaTriggered": post_sign_in_adaptive_mfa_triggered,
    "PostResetPassword": post_reset_password,
    "User.Created": user_created,
    "User.Deleted": user_deleted,
    "User.Data.Updated": user_data_updated,
    "User.SuspensionStatus.Updated": user_suspension_status_updated,
    "Role.Created": role_created,
    "Role.Deleted": role_deleted,
    "Role.Data.Updated": role_data_updated,
    "Role.Scopes.Updated": role_scopes_updated,
    "Scope.Created": scope_created,
    "Scope.Deleted": scope_deleted,
    "Scope.Data.Updated": scope_data_updated,
    "Organization.Created": organization_created,
    "Organization.Deleted": organization_deleted,
    "Organization.Data.Updated": organization_data_updated,
    "Organization.Membership.Updated": organization_membership_updated,
    "OrganizationRole.Created": organization_role_created,
    "OrganizationRole.Deleted": organization_role_deleted,
    "OrganizationRole.Data.Updated": organization_role_data_updated,
    "OrganizationRole.Scopes.Updated": organization_role_scopes_updated,
    "OrganizationScope.Created": organization_scope_created,
    "OrganizationScope.Deleted": organization_scope_deleted,
    "OrganizationScope.Data.Updated": organization_scope_data_updated,
    "Identifier.Lockout": identifier_lockout,
    "Message.RateLimited": message_rate_limited,
}
