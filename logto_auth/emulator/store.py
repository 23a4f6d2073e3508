"""What an administrator sets up in a tenant: users, applications, roles, resources, organizations.

Names and defaults are Logto's (logto.md, sections 4, 5 and 7). Everything is in memory.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from . import ids

ApplicationType = Literal["Traditional", "SPA", "Native", "MachineToMachine"]
RoleType = Literal["User", "MachineToMachine"]
OneTimeTokenStatus = Literal["active", "consumed", "revoked", "expired"]

# A reserved indicator that always exists: it stands for the organization permissions.
ORGANIZATIONS_RESOURCE = "urn:logto:resource:organizations"

# The built-in resource and the one permission it knows.
MANAGEMENT_API_RESOURCE = "https://default.logto.app/api"


@dataclass
class User:
    """A user of the tenant. `password` is kept as it was given: this is a toy for development and tests."""

    id: str
    created_at: int
    updated_at: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    primary_email: str | None = None
    primary_phone: str | None = None
    name: str | None = None
    avatar: str | None = None
    profile: dict[str, Any] = field(default_factory=dict)
    identities: dict[str, Any] = field(default_factory=dict)
    sso_identities: list[dict[str, Any]] = field(default_factory=list)
    custom_data: dict[str, Any] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    has_mfa: bool = False
    is_suspended: bool = False
    application_id: str | None = None
    last_sign_in_at: int | None = None

    @property
    def display_name(self) -> str:
        """What the sign-in page calls this account."""
        return self.username or self.name or self.primary_email or self.primary_phone or self.id

    def password_fits(self, password: str) -> bool:
        return self.password is not None and hmac.compare_digest(self.password.encode(), password.encode())


@dataclass
class ApplicationSecret:
    """One of an application's named secrets; `expires_at` is in milliseconds."""

    name: str
    value: str = field(repr=False)
    expires_at: int | None = None


@dataclass
class Application:
    """A client. The second half is Logto's `oidcClientMetadata` and `customClientMetadata`, in snake case.

    `user_scopes`, `resource_scopes` (by indicator) and `organization_scopes` say what a third-party application may ask
    for; a first-party one may ask for everything. `roles` and `organizations` are of machine-to-machine applications.
    """

    id: str
    name: str
    type: ApplicationType
    secrets: list[ApplicationSecret]
    redirect_uris: list[str] = field(default_factory=list)
    post_logout_redirect_uris: list[str] = field(default_factory=list)
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    is_third_party: bool = False
    user_scopes: Sequence[str] = ()
    resource_scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    organization_scopes: Sequence[str] = ()
    roles: list[str] = field(default_factory=list)
    cors_allowed_origins: Sequence[str] = ()
    id_token_ttl: int = 3600
    refresh_token_ttl_in_days: int = 14
    rotate_refresh_token: bool = True
    always_issue_refresh_token: bool = False
    max_allowed_grants: int | None = None

    @property
    def secret(self) -> str:
        """The first secret's value; empty for public clients, which have none."""
        return self.secrets[0].value if self.secrets else ""

    @property
    def is_public(self) -> bool:
        return self.type in {"SPA", "Native"}

    @property
    def is_interactive(self) -> bool:
        return self.type != "MachineToMachine"

    @property
    def grant_types(self) -> frozenset[str]:
        interactive = frozenset({"authorization_code", "refresh_token"})
        return interactive if self.is_interactive else frozenset({"client_credentials"})

    @property
    def gets_sid(self) -> bool:
        """Whether tokens carry `sid`: both back-channel settings are needed."""
        return bool(self.backchannel_logout_uri and self.backchannel_logout_session_required)


@dataclass
class Resource:
    """An API resource and the names of its permissions."""

    id: str
    name: str
    indicator: str
    scopes: list[str] = field(default_factory=list)
    access_token_ttl: int = 3600
    is_default: bool = False


@dataclass
class Role:
    """A global role: permissions by resource indicator."""

    id: str
    name: str
    type: RoleType = "User"
    scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_default: bool = False


@dataclass
class OrganizationRole:
    """A role of the organization template: organization permissions, and API permissions by indicator."""

    id: str
    name: str
    type: RoleType = "User"
    scopes: Sequence[str] = ()
    resource_scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass
class Organization:
    """An organization; `members` and `applications` map an id to the names of the roles held in it.

    Just in time a new user whose address is of a domain in `jit_email_domains` becomes a member, as does whoever comes
    with a one-time token for it; both get the `jit_roles`.
    """

    id: str
    name: str
    description: str | None = None
    custom_data: dict[str, Any] = field(default_factory=dict)
    is_mfa_required: bool = False
    members: dict[str, list[str]] = field(default_factory=dict)
    applications: dict[str, list[str]] = field(default_factory=dict)
    jit_email_domains: list[str] = field(default_factory=list)
    jit_roles: list[str] = field(default_factory=list)


@dataclass
class OneTimeToken:
    """A token that signs its address in once; times are in milliseconds."""

    id: str
    email: str
    token: str = field(repr=False)
    jit_organization_ids: list[str]
    created_at: int
    expires_at: int
    status: OneTimeTokenStatus = "active"


@dataclass(frozen=True)
class AlipayAccount:
    """An account at the stand-in for Alipay, ready to be picked. It may have no name and no avatar."""

    user_id: str
    nick_name: str | None = None
    avatar: str | None = None


@dataclass
class SignInExperience:
    """What the sign-in pages offer. `connectors` holds factory ids such as `alipay-web` and `alipay-native`."""

    sign_in_mode: Literal["SignIn", "Register", "SignInAndRegister"] = "SignInAndRegister"
    connectors: list[str] = field(default_factory=list)
    unknown_session_redirect_url: str | None = None
    min_password_length: int = 8

    @property
    def can_register(self) -> bool:
        return self.sign_in_mode != "SignIn"


def make_secrets(application_type: ApplicationType, value: str | None) -> list[ApplicationSecret]:
    """Return the "Default secret" that confidential applications are created with."""
    if application_type in {"SPA", "Native"}:
        return []
    return [ApplicationSecret("Default secret", value or ids.secret())]


def unique(names: Iterable[str]) -> list[str]:
    """Return the names without repetitions, in their first order."""
    return list(dict.fromkeys(names))
