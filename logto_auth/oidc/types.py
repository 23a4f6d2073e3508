"""What the protocol layer hands out: values that have been checked, frozen, with secrets kept out of their `repr`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

Claims = Mapping[str, Any]

# An access token is replaced this long before it expires: a call that is made with it takes some time.
EXPIRY_MARGIN_SECONDS = 15

# Logto's name for an organization as an audience is this, and the organization's id.
ORGANIZATION_AUDIENCE = "urn:logto:organization:"


@dataclass(frozen=True, kw_only=True)
class ProviderMetadata:
    """The part of Logto's discovery document that is used (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    end_session_endpoint: str
    revocation_endpoint: str
    introspection_endpoint: str
    """Empty where the provider has none."""
    authorization_response_iss_parameter_supported: bool


@dataclass(frozen=True, kw_only=True)
class TokenSet:
    """An answer of the token endpoint whose ID token, if any, passed every check."""

    access_token: str = field(repr=False)
    expires_at: int
    """When the access token ends, in seconds since the epoch."""
    scopes: frozenset[str]
    """Scopes of this access token; the permissions on the resource when it is one for a resource."""
    refresh_token: str | None = field(default=None, repr=False)
    id_token: str | None = field(default=None, repr=False)
    id_token_claims: Claims = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Empty without `id_token`."""


@dataclass(frozen=True, kw_only=True)
class AccessTokenClaims:
    """An access token that passed every check. Logto puts permissions in it, and neither roles nor a profile."""

    issuer: str
    audience: str
    """The indicator of an API resource, or `urn:logto:organization:<id>`; empty for an opaque token."""
    sub: str
    """The person's id at Logto, or the machine-to-machine application's."""
    client_id: str
    """The application that asked for the token."""
    scopes: frozenset[str]
    organization_id: str | None
    """The organization that the permissions were given in: that of an organization token, or of an API resource's."""
    expires_at: float
    """In seconds since the epoch."""
    claims: Claims = field(repr=False)
    """All claims as they came, those of a custom claims script included."""

    @property
    def is_machine(self) -> bool:
        """Whether the token belongs to an application itself, and to nobody who has signed in."""
        return self.sub == self.client_id

    @property
    def is_organization_token(self) -> bool:
        """Whether the audience is an organization itself, and no API resource."""
        return self.audience.startswith(ORGANIZATION_AUDIENCE)


@dataclass(frozen=True, kw_only=True)
class LogoutTokenClaims:
    """A back-channel logout token that passed every check. At least one of `sub` and `sid` is set."""

    issuer: str
    sub: str | None
    sid: str | None
    jti: str
    issued_at: datetime
    max_age_seconds: int
    """How long after `issued_at` such a token is taken."""
