"""The client of Logto's Management API. It does not use Django.

    api = ManagementAPI(endpoint="https://abc123.logto.app", machine=machine, http=http)
    for user in api.users.all():
        ...

In a Django project, `logto_auth.clients.management_api()` builds it from the settings. `resources` has the methods,
`types` the types of what they return, `transport` what all requests have in common.
"""

from .client import ManagementAPI

__all__ = ["ManagementAPI"]
