"""One Logto tenant with everything that its endpoints use."""

from __future__ import annotations

from typing import cast

from flask import current_app

from .faults import Faults
from .instances import Instances
from .request_log import RequestLog
from .state.clock import Clock
from .state.keys import SigningKeys
from .state.tenant import Tenant
from .webhook_delivery import Webhooks

_EXTENSION = "logto_emulator"


class Provider:
    """A tenant with its clock, keys, sessions, webhooks and faults. `endpoint` is the configured public origin."""

    def __init__(self, endpoint: str = "http://localhost:3001") -> None:
        self.endpoint = endpoint
        self.clock = Clock()
        self.keys = SigningKeys(self.clock)
        self.instances = Instances(self.clock)
        self.tenant = Tenant(self.clock, on_user_ended=self.instances.end_account)
        self.webhooks = Webhooks(self.tenant, self.clock)
        self.faults = Faults()
        self.requests = RequestLog()

    @property
    def issuer(self) -> str:
        """The issuer. It depends on `endpoint` and not on the request."""
        return f"{self.endpoint}/oidc"


def install(provider: Provider, extensions: dict[str, object]) -> None:
    """Store a provider in the extensions of a Flask application."""
    extensions[_EXTENSION] = provider


def current() -> Provider:
    """Return the provider of the current Flask application."""
    return cast(Provider, current_app.extensions[_EXTENSION])
