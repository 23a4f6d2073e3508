"""How fast Logto may be asked."""

from __future__ import annotations

from logto_auth.management_api import ManagementAPI
from logto_auth.management_api.client import OPEN_SOURCE_RESOURCE

# Logto's cloud takes 200 requests in 10 seconds from all of a tenant's callers. Others want some, too.
CLOUD_REQUESTS_PER_SECOND = 18.0


def requests_per_second(api: ManagementAPI, wanted: float | None) -> float | None:
    """What `api` is to be limited to: what is `wanted`, else what Logto's cloud takes; one's own Logto takes all."""
    if wanted is not None:
        return wanted
    return None if api.resource == OPEN_SOURCE_RESOURCE else CLOUD_REQUESTS_PER_SECOND
