"""The records of a tenant: users, roles, resources, organizations, invitations, one-time tokens and webhooks.

Names and defaults are Logto's.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from . import ids
from .factors import Factor
from .password_digests import PasswordDigest

RoleType = Literal["User", "MachineToMachine"]
OneTimeTokenStatus = Literal["active", "consumed", "revoked", "expired"]

# A reserved indicator that always exists. It represents the organization permissions.
ORGANIZATIONS_RESOURCE = "urn:logto:resource:organizations"

# The built-in resource of the Management API of an open-source Logto, and the built-in role.
OPEN_SOURCE_RESOURCE = "https://default.logto.app/api"
MANAGEMENT_API_ROLE = "Logto Management API access"


@dataclass
class User:
    """A user of the tenant. `password` is stored in clear text: the emulator is for development and tests only."""

    id: str
    created_at: int
    updated_at: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    password_digest: PasswordDigest | None = None
    primary_email: str | None = None
    primary_phone: str | None = None
    name: str | None = None
    avatar: str | None = None
    profile: dict[str, Any] = field(default_factory=dict)
    identities: dict[str, Any] = field(default_factory=dict)
    sso_identities: list[dict[str, Any]] = field(default_factory=list)
    custom_data: dict[str, Any] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    logto_configs: dict[str, Any] = field(default_factory=dict)
    factors: list[Factor] = field(default_factory=list)
    offered_totp_secret: str = field(default="", repr=False)
    """The latest secret for a new authenticator app. Logto keeps none; the page of messages shows its codes."""
    has_mfa: bool = False
    """True makes Logto treat the user as one with a second factor, also without `factors`."""
    is_suspended: bool = False
    application_id: str | None = None
    cimd_client_id: str | None = None
    last_sign_in_at: int | None = None
    is_created_at_given: bool = False
    """Whether the time of creation was given, as by a script that inserts users into Logto's database."""

    @property
    def display_name(self) -> str:
        """The name of this account on the sign-in page."""
        return self.username or self.name or self.primary_email or self.primary_phone or self.id

    @property
    def has_password(self) -> bool:
        return self.password is not None or self.password_digest is not None

    @property
    def has_second_factor(self) -> bool:
        return self.has_mfa or bool(self.factors)

    def password_fits(self, password: str) -> bool:
        if self.password_digest is not None:
            return self.password_digest.fits(password)
        return self.password is not None and hmac.compare_digest(self.password.encode(), password.encode())


@dataclass
class Scope:
    """A permission of an API resource or of the organization template."""

    name: str
    description: str | None = None
    created_at: int = 0
    id: str = field(default_factory=ids.standard_id)


@dataclass
class Resource:
    """An API resource and its permissions by name."""

    id: str
    name: str
    indicator: str
    scopes: dict[str, Scope] = field(default_factory=dict)
    access_token_ttl: int = 3600
    is_default: bool = False


@dataclass
class Role:
    """A global role. `scopes` maps resource indicators to names of permissions."""

    id: str
    name: str
    type: RoleType = "User"
    scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_default: bool = False
    description: str = ""

    def __post_init__(self) -> None:
        # Logto has no role without a description.
        self.description = self.description or self.name


@dataclass
class OrganizationRole:
    """A role of the organization template, with organization permissions and API permissions by indicator."""

    id: str
    name: str
    type: RoleType = "User"
    scopes: Sequence[str] = ()
    resource_scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    description: str | None = None


@dataclass
class Organization:
    """An organization. `members` and `applications` map ids to the names of the roles held in it.

    New users with an e-mail of a domain in `jit_email_domains` become members just in time, and so do users with a
    one-time token for the organization. Both receive the `jit_roles`. `jit_sso_connectors` are the ids of the linked
    enterprise connectors.
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
    jit_sso_connectors: list[str] = field(default_factory=list)
    color: dict[str, Any] = field(default_factory=dict)
    branding: dict[str, Any] = field(default_factory=dict)
    custom_css: str | None = None
    created_at: int = 0


@dataclass
class OneTimeToken:
    """A token that signs in the user with its e-mail once. Times are in milliseconds."""

    id: str
    email: str
    token: str = field(repr=False)
    context: dict[str, Any]
    created_at: int
    expires_at: int
    status: OneTimeTokenStatus = "active"

    @property
    def jit_organization_ids(self) -> list[str]:
        """The ids of the organizations to join. Logto does not check that they exist."""
        return list(self.context.get("jitOrganizationIds", []))


@dataclass
class PersonalAccessToken:
    """A token with which scripts act as its user. Times are in milliseconds. Without `expires_at` it never expires."""

    user_id: str
    name: str
    created_at: int
    expires_at: int | None = None
    value: str = field(default_factory=ids.personal_access_token, repr=False)


@dataclass
class Invitation:
    """An invitation to an organization. `roles` are names, and times are in milliseconds."""

    id: str
    invitee: str
    organization_id: str
    inviter_id: str | None
    roles: list[str]
    expires_at: int
    created_at: int
    updated_at: int
    status: Literal["Pending", "Accepted", "Expired", "Revoked"] = "Pending"
    accepted_user_id: str | None = None


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


@dataclass(frozen=True)
class AlipayAccount:
    """An account at the stand-in for Alipay. The name and the avatar may be None."""

    user_id: str
    nick_name: str | None = None
    avatar: str | None = None


def unique(names: Iterable[str]) -> list[str]:
    """Return the names without repetitions, in their original order."""
    return list(dict.fromkeys(names))
