"""The client of Logto's Management API. It does not use Django.

    api = ManagementAPI(endpoint="https://abc123.logto.app", machine=machine, http=http)
    for user in api.users.all():
        ...

In a Django project, `logto_auth.clients.management_api()` builds it from the settings. `resources` has the methods,
`types` the types of what they return, `transport` what all requests have in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .client import ManagementAPI

__all__ = ["ManagementAPI"]


def __getattr__(name: str) -> object:
    """Import the client when it is first used. `logto_auth.exceptions` needs only the errors, at every start."""
    if name != "ManagementAPI":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .client import ManagementAPI

    return ManagementAPI
