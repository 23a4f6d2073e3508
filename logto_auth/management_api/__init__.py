"""Logto's Management API, without Django: `client` speaks it, `resources` names what is there, `types` says its shapes.

    api = ManagementAPI(endpoint="https://abc123.logto.app", machine=machine, http=http)
    for user in api.users.all():
        ...

In a Django project `logto_auth.clients.management_api()` builds it from the settings.
"""

from .client import ManagementAPI

__all__ = ["ManagementAPI"]
