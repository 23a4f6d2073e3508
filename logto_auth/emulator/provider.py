"""One Logto tenant with everything that its endpoints use."""

from __future__ import annotations

from typing import cast

from flask import current_app

from .cloud import RateLimit
from .faults import Faults
from .instances import Instances
from .request_log import RequestLog
from .state import ids
from .state.account_visits import account_center_client
from .state.application_record import Application
from .state.clock import Clock
from .state.keys import LOGTO_CURVE_ALG, SigningKey, SigningKeys
from .state.records import OPEN_SOURCE_RESOURCE
from .state.sessions import Authorization, Session
from .state.tenant import Tenant
from .verifications import Verifications
from .webhook_delivery import Webhooks

_EXTENSION = "logto_emulator"


class Provider:
    """A tenant with its clock, keys, sessions, webhooks and faults. `endpoint` is the configured public origin.

    `outbound_guard` is False if Logto runs with `OIDC_PROVIDER_SSRF_PROTECTION_DISABLED`. `loopback_client_documents`
    lets dynamic clients have their documents at loopback addresses, which no Logto allows.

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
        self.verifications = Verifications(self.tenant, self.instances, self.clock, self.faults)
        self.requests = RequestLog()
        self.outbound_guard = True
        self.loopback_client_documents = False
        self.rate_limit = RateLimit()

    @property
    def issuer(self) -> str:
        """The issuer. It depends on `endpoint` and not on the request."""
        return f"{self.endpoint}/oidc"

    @property
    def signing_key(self) -> SigningKey | None:
        """The key that signs, or None if Logto has none for the algorithm that it requires: it then has no client."""
        current = self.keys.current
        if current.algorithm == "RSA" or self.tenant.version.signs_with_every_curve:
            return current
        return next((key for key in self.keys.all() if key.alg == LOGTO_CURVE_ALG), None)

    @property
    def guards_outbound_requests(self) -> bool:
        """Whether requests to loopback and private addresses are blocked."""
        return self.outbound_guard and self.tenant.version.has_outbound_guard

    @property
    def takes_client_metadata_documents(self) -> bool:
        """Whether a `client_id` may be a URL. Without the outbound guard Logto ignores that the tenant enabled it."""
        return self.tenant.version.has_cimd and self.tenant.cimd_enabled and self.guards_outbound_requests

    def find_application(self, client_id: str) -> Application | None:
        """Return the application with this id, or None. The Account Center is one that no list shows."""
        center = account_center_client(self.endpoint)
        return center if client_id == center.id else self.tenant.applications.get(client_id)

    def new_uid(self) -> str:
        """Return a new `jti`, `sid`, or id of a session, an interaction or a grant."""
        return ids.uid(self.tenant.version.uid_length)

    def new_session(self) -> Session:
        """Return a new session, which is not stored yet."""
        return Session(self.new_uid(), self.new_uid(), expires_at=self.clock.now() + self.tenant.session_ttl)

    def authorization_in(self, session: Session, client_id: str) -> Authorization:
        """Return the part of a client in a session. Create it if needed."""
        return session.authorizations.setdefault(client_id, Authorization(sid=self.new_uid()))


def _management_api_resource(cloud_tenant: str) -> str:
    """Return the indicator of the Management API. In Logto Cloud, it is the same at each domain of a tenant."""
    return f"https://{cloud_tenant}.logto.app/api" if cloud_tenant else OPEN_SOURCE_RESOURCE


def install(provider: Provider, extensions: dict[str, object]) -> None:
    """Store a provider in the extensions of a Flask application."""
    extensions[_EXTENSION] = provider


def current() -> Provider:
    """Return the provider of the current Flask application."""
    return cast(Provider, current_app.extensions[_EXTENSION])
