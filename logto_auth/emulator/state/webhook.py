"""Webhooks of a tenant, and the names of all events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import ids

INTERACTION_EVENTS = ("PostRegister", "PostSignIn", "PostSignInAdaptiveMfaTriggered", "PostResetPassword")
_CREATED_DELETED_UPDATED = ("Created", "Deleted", "Data.Updated")
DATA_EVENTS = (
    *(f"User.{what}" for what in (*_CREATED_DELETED_UPDATED, "SuspensionStatus.Updated")),
    *(f"Role.{what}" for what in (*_CREATED_DELETED_UPDATED, "Scopes.Updated")),
    *(f"Scope.{what}" for what in _CREATED_DELETED_UPDATED),
    *(f"Organization.{what}" for what in (*_CREATED_DELETED_UPDATED, "Membership.Updated")),
    *(f"OrganizationRole.{what}" for what in (*_CREATED_DELETED_UPDATED, "Scopes.Updated")),
    *(f"OrganizationScope.{what}" for what in _CREATED_DELETED_UPDATED),
)
EVENTS = (*INTERACTION_EVENTS, *DATA_EVENTS, "Identifier.Lockout", "Message.RateLimited")


@dataclass
class Hook:
    """A webhook: its URL is in `config`, and it receives the listed events."""

    name: str
    events: list[str]
    config: dict[str, Any] = field(repr=False)
    created_at: int
    enabled: bool = True
    event: str | None = None
    signing_key: str = field(default_factory=ids.secret, repr=False)
    id: str = field(default_factory=ids.standard_id)

    @property
    def url(self) -> str:
        return str(self.config["url"])
