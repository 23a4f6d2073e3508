"""Organizations: what sites import about them, and the console for their managers."""

from logto_auth.memberships.claims import Membership, organizations_in
from logto_auth.memberships.current import OrganizationQuerySet, from_subdomain, from_url, organization_of

__all__ = [
    "Membership",
    "OrganizationQuerySet",
    "from_subdomain",
    "from_url",
    "organization_of",
    "organizations_in",
]
