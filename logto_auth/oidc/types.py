"""What the protocol layer returns: checked values that cannot be changed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from .secrets import Secret

__all__ = [
    "EXPIRY_MARGIN_SECONDS",
    "ORGANIZATIONS_RESOURCE",
    "ORGANIZATION_AUDIENCE",
    "AccessTokenClaims",
    "Claims",
    "IssuedToken",
    "LogoutTokenClaims",
    "ProviderMetadata",
    "TokenSet",
]

Claims = Mapping[str, Any]

EXPIRY_MARGIN_SECONDS = 15
"""An access token is renewed this long before it expires, so that it does not expire during the request it is for."""

ORGANIZATION_AUDIENCE = "urn:logto:organization:"
"""The audience of an organization token is this prefix and the ID of the organization."""

ORGANIZATIONS_RESOURCE = "urn:logto:resource:organizations"
"""The resource that an authorization request names so that organization tokens can be requested. It is no API."""


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
    """Empty when the provider has none."""
    authorization_response_iss_parameter_supported: bool


@dataclass(frozen=True, kw_only=True)
class TokenSet:
    """A response of the token endpoint. Its ID token, if any, passed every check."""

    access_token: Secret
    expires_at: int
    """When the access token expires, in seconds since the epoch."""
    scopes: frozenset[str]
    """The scopes of the access token; the permissions on the API resource when the token is for one."""
    refresh_token: Secret | None = None
    id_token: Secret | None = None
    id_token_claims: Claims = field(default_factory=lambda: MappingProxyType({}), repr=False)
    """Empty without `id_token`."""
    resource: str | None = None
    """The API resource that the access token was requested for; None if it was requested for none."""
    organization_id: str | None = None
    """The organization that the access token was requested for; None if it was requested for none."""
    limited_to: tuple[str, ...] = ()
    """The scopes to which a refresh has limited the access token, sorted; empty if it has not."""
    oidc_scopes: frozenset[str] = frozenset()
    """The scopes of OpenID Connect that the sign-in requested, if its access token is for a resource; else empty."""
    authentication_methods: tuple[str, ...] | None = None
    """The verified methods of authentication, see `authentication_methods`; None if they are not proved."""
    authentication_methods_at: int | None = None
    """A time before which no method was used, in seconds since the epoch; None if there is no such time."""


@dataclass(frozen=True, kw_only=True)
class IssuedToken:
    """An access token that Logto has issued for a request of the site itself, without a session."""

    access_token: Secret
    expires_at: float
    """In seconds since the epoch."""
    scopes: frozenset[str]
    """The granted scopes, a subset of the requested ones."""

    def is_usable(self) -> bool:
        """Return whether the token does not expire within EXPIRY_MARGIN_SECONDS."""
        return self.seconds_usable() > 0

    def seconds_usable(self) -> float:
        """Return for how many seconds from now the token can be used."""
        return self.expires_at - EXPIRY_MARGIN_SECONDS - time.time()


@dataclass(frozen=True, kw_only=True)
class AccessTokenClaims:
    """An access token that passed every check. Logto puts permissions into it, but no roles and no profile."""

    issuer: str
    audience: str
    """The indicator of an API resource, or `urn:logto:organization:<id>`; empty for an opaque token."""
    sub: str
    """The ID of the user at Logto, or of the machine-to-machine application."""
    client_id: str
    """The application that requested the token."""
    scopes: frozenset[str]
    organization_id: str | None
    """The organization that granted the permissions: of an organization token, or of a token for an API resource."""
    expires_at: float
    """In seconds since the epoch."""
    claims: Claims = field(repr=False)
    """All claims of the token, with those of a custom claims script."""

    @property
    def is_machine(self) -> bool:
        """Whether the token belongs to a machine-to-machine application, not to a user."""
        return self.sub == self.client_id

    @property
    def is_organization_token(self) -> bool:
        """Whether the audience is an organization, not an API resource."""
        return self.audience.startswith(ORGANIZATION_AUDIENCE)


@dataclass(frozen=True, kw_only=True)
class LogoutTokenClaims:
    """A back-channel logout token that passed every check. It has a `sub`, a `sid`, or both."""

    issuer: str
    sub: str | None
    sid: str | None
    jti: str
    issued_at: datetime
    """An aware datetime in UTC."""
    max_age_seconds: int
    """For how long after `issued_at` such a token is accepted."""
