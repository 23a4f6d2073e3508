"""Applications (OAuth clients) of a tenant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from . import ids
from .consent_scopes import ConsentScopes
from .json_columns import JsonKey

ApplicationType = Literal["Traditional", "SPA", "Native", "MachineToMachine"]

TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a grant type, not a token


@dataclass
class ApplicationSecret:
    """A named secret of an application. Times are in milliseconds."""

    name: str
    value: str = field(repr=False)
    expires_at: int | None = None
    created_at: int = 0


@dataclass
class Application(ConsentScopes):
    """An OAuth client. Fields from `redirect_uris` to `logo_uri` are Logto's `oidcClientMetadata`, in snake case.

    The consent scopes are those that a third-party application may request; a first-party application may request all.
    `roles` belong to machine-to-machine applications.
    """

    id: str
    name: str
    type: ApplicationType
    secrets: list[ApplicationSecret]
    redirect_uris: list[str] = field(default_factory=list)
    post_logout_redirect_uris: list[str] = field(default_factory=list)
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool | None = None
    logo_uri: str | None = None
    is_third_party: bool = False
    roles: list[str] = field(default_factory=list)
    description: str | None = None
    custom_client_metadata: dict[str, Any] = field(default_factory=dict)
    custom_data: dict[str, Any] = field(default_factory=dict)
    created_at: int = 0
    internal_secret: str = field(default_factory=ids.internal_secret, repr=False)

    cors_allowed_origins = JsonKey[Sequence[str]]("custom_client_metadata", "corsAllowedOrigins", ())
    id_token_ttl = JsonKey("custom_client_metadata", "idTokenTtl", 3600)
    refresh_token_ttl_in_days = JsonKey("custom_client_metadata", "refreshTokenTtlInDays", 14)
    rotate_refresh_token = JsonKey("custom_client_metadata", "rotateRefreshToken", True)
    always_issue_refresh_token = JsonKey("custom_client_metadata", "alwaysIssueRefreshToken", False)
    allow_token_exchange = JsonKey("custom_client_metadata", "allowTokenExchange", False)
    max_allowed_grants = JsonKey[int | None]("custom_client_metadata", "maxAllowedGrants", None)

    @property
    def secret(self) -> str:
        """The value of the first secret; empty for public clients, which have no secret."""
        return self.secrets[0].value if self.secrets else ""

    @property
    def is_public(self) -> bool:
        return self.type in {"SPA", "Native"}

    @property
    def is_dynamic(self) -> bool:
        """Whether nobody registered the client, because its `client_id` is the URL of a document."""
        return False

    @property
    def is_interactive(self) -> bool:
        return self.type != "MachineToMachine"

    @property
    def grant_types(self) -> frozenset[str]:
        usual = {"authorization_code", "refresh_token"} if self.is_interactive else {"client_credentials"}
        return frozenset(usual | ({TOKEN_EXCHANGE} if self.allow_token_exchange else set()))

    @property
    def gets_sid(self) -> bool:
        """Whether tokens carry `sid`. Both back-channel settings are required for it."""
        return bool(self.backchannel_logout_uri and self.backchannel_logout_session_required)


def make_secrets(application_type: ApplicationType, value: str | None, created_at: int) -> list[ApplicationSecret]:
    """Return the "Default secret" of a new confidential application; nothing for a public one."""
    if application_type in {"SPA", "Native"}:
        return []
    return [ApplicationSecret("Default secret", value or ids.secret(), created_at=created_at)]
