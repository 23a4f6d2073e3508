"""A client that nobody registered: its `client_id` is the URL of the document that describes it (CIMD)."""

from __future__ import annotations

from dataclasses import dataclass

from .application_record import Application


@dataclass
class DynamicClient(Application):
    """A client from its document. It is third-party, and in no table of the tenant.

    Its consent scopes are the ceiling of the tenant. `has_secretless_auth` is true for the method `none`.
    """

    has_secretless_auth: bool = True

    @property
    def is_dynamic(self) -> bool:
        return True

    @property
    def is_public(self) -> bool:
        return self.has_secretless_auth
