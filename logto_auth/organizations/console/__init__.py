"""The console of organizations: their managers rename them, manage members and invitations, and set who joins.

    path("organizations/", include("logto_auth.organizations.console.urls"))
    path("api/organizations/", include("logto_auth.organizations.console.api_urls"))

`Console` does everything; the pages and the endpoints only present it. It sends its requests to Logto's Management API
in the name of the site, after it has asked Logto for the rights of the user.
"""

from .console import Console, ManagedOrganization
from .links import invitation_path

__all__ = ["Console", "ManagedOrganization", "invitation_path"]
