"""Organizations: the current organization of a request, and the rows that store who belongs to which.

`current` finds the organization that a request selects, `memberships` reads claims, and `rows` stores memberships.
"""

from .current import OrganizationQuerySet, from_subdomain, from_url, organization_of
from .memberships import Membership, organizations_in

__all__ = [
    "Membership",
    "OrganizationQuerySet",
    "from_subdomain",
    "from_url",
    "organization_of",
    "organizations_in",
]
