"""django-health-check: `LogtoCheck`, which says whether Logto can sign users in now.

    HealthCheckView.as_view(checks=["health_check.checks.Database", "logto_auth.contrib.health_check.LogtoCheck"])

Needs the extra `health`.
"""

from __future__ import annotations

import dataclasses

try:
    from health_check.base import HealthCheck
    from health_check.exceptions import ServiceReturnedUnexpectedResult, ServiceUnavailable
except ImportError as error:
    raise ImportError(f'This needs {error.name}, which is not installed: pip install "logto_auth[health]"') from error

from logto_auth.clients import provider
from logto_auth.exceptions import ConfigurationError, ProviderError, ProviderUnreachable
from logto_auth.oidc.discovery import fetch_metadata
from logto_auth.oidc.jwks import KeySet

__all__ = ["LogtoCheck"]


@dataclasses.dataclass
class LogtoCheck(HealthCheck):
    """Fetch the discovery document and the signing keys of Logto. A sign-in needs both.

    Nothing that the site has kept counts: each check sends two requests. It fails in an outage of Logto, in which users
    who are signed in already stay signed in (`LOGTO_OUTAGE_GRACE_SECONDS`). So it is for dashboards and alarms, and not
    for a probe that takes the site out of service.
    """

    # Not the metadata and keys of the site's `Provider`, which uses former ones when Logto does not answer.
    def run(self) -> None:
        """Raise ServiceUnavailable if Logto does not answer, ServiceReturnedUnexpectedResult for a wrong answer."""
        try:
            logto = provider()
            metadata = fetch_metadata(logto.http, logto.addresses, endpoint_name="LOGTO_ENDPOINT")
            response = logto.http.get(metadata.jwks_uri)
            if response.status != 200:
                raise ProviderError(f"{response.url} answered {response.status}, expected 200 and a key set.")
            if not KeySet.parse(response.json_object(), logto.algorithms).keys:
                raise ProviderError(f"{response.url} has no signing key that LOGTO_SIGNING_ALGORITHMS allows.")
        except ProviderUnreachable as error:
            raise ServiceUnavailable(str(error)) from error
        except (ConfigurationError, ProviderError) as error:
            raise ServiceReturnedUnexpectedResult(str(error)) from error
