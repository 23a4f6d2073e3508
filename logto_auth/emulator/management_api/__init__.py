"""Logto's Management API under `/api`, one module per resource.

It reads and changes the same tenant that sign-ins and tokens use.
"""

# Importing these modules registers their routes.
from . import (  # noqa: F401
    account_center,
    actions,
    application_secrets,
    applications,
    configs,
    connectors,
    custom_profile_fields,
    hooks,
    jwt_customizers,
    memberships,
    one_time_tokens,
    openapi,
    organization_invitations,
    organization_jit,
    organization_members,
    organization_template,
    organizations,
    personal_access_tokens,
    resources,
    role_assignments,
    roles,
    sign_in_experience,
    sso_connectors,
    subject_tokens,
    user_assets,
    user_consent_scopes,
    user_factors,
    user_grants,
    user_identities,
    user_logto_configs,
    user_sessions,
    users,
)
from .routing import blueprint, public

__all__ = ["blueprint", "public"]
