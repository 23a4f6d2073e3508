"""Organizations: which one is current for a request, and the rows that say who belongs to which."""

from .current import OrganizationQuerySet, from_subdomain, from_url, organization_of
from .memberships import Membership

__all__ = ["Membership", "OrganizationQuerySet", "from_subdomain", "from_url", "organization_of"]
