"""The Management API (logto.md, 7), by resource, on the tenant that sign-ins and tokens are made from."""

# Each of these registers its routes by being imported.
from . import (
    application_links,
    application_secrets,
    applications,
    configs,
    connectors,
    hooks,
    one_time_tokens,
    organization_invitations,
    organization_jit,
    organization_members,
    organization_template,
    organizations,
    resources,
    roles,
    sign_in_experience,
    subject_tokens,
    user_links,
    user_sessions,
    users,
)
from .routing import blueprint, public

__all__ = [
    "application_links",
    "application_secrets",
    "applications",
    "blueprint",
    "configs",
    "connectors",
    "hooks",
    "one_time_tokens",
    "organization_invitations",
    "organization_jit",
    "organization_members",
    "organization_template",
    "organizations",
    "public",
    "resources",
    "roles",
    "sign_in_experience",
    "subject_tokens",
    "user_links",
    "user_sessions",
    "users",
]
