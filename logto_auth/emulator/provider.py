"""One Logto tenant with everything that its endpoints use."""

from __future__ import annotations

from typing import cast

from flask import current_app

from .cloud import RateLimit
from .faults import Faults
from .instances import Instances
from .request_log import RequestLog
from .state.clock import Clock
from .state.keys import SigningKeys
from .state.records import OPEN_SOURCE_RESOURCE
from .state.tenant import Tenant
from .webhook_delivery import Webhooks

_EXTENSION = "logto_emulator"


class Provider:
    """A tenant with its clock, keys, sessions, webhooks and faults. `endpoint` is the configured public origin.

    `cloud_tenant` is the ID of the tenant that it has in Logto Cloud. Empty: an open-source Logto.
    """

    def __init__(self, endpoint: str = "http://localhost:3001", *, cloud_tenant: str = "") -> None:
        self.endpoint = endpoint
        self.cloud_tenant = cloud_tenant
        self.clock = Clock()
        self.keys = SigningKeys(self.clock)
        self.instances = Instances(self.clock)
        self.tenant = Tenant(
            self.clock,
            on_user_ended=self.instances.end_account,
            management_api_resource=_management_api_resource(cloud_tenant),
        )
        self.webhooks = Webhooks(self.tenant, self.clock)
        self.faults = Faults()
        self.requests = RequestLog()
        self.rate_limit = RateLimit()

    @property
    def issuer(self) -> str:
        """The issuer. It depends on `endpoint` and not on the request."""
        return f"{self.endpoint}/oidc"


def _management_api_resource(cloud_tenant: str) -> str:
    """Return the indicator of the Management API. In Logto Cloud, it is the same at each domain of a tenant."""
    return f"https://{cloud_tenant}.logto.app/api" if cloud_tenant else OPEN_SOURCE_RESOURCE


def install(provider: Provider, extensions: dict[str, object]) -> None:
    """Store a provider in the extensions of a Flask application."""
    extensions[_EXTENSION] = provider


def current() -> Provider:
    """Return the provider of the current Flask application."""
    return cast(Provider, current_app.extensions[_EXTENSION])
