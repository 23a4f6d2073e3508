"""The types of the responses of the Management API, with the keys that this package reads.

Times are in milliseconds since the epoch. The types describe what Logto sends; the values are not checked.
"""

from __future__ import annotations

from typing import Any, TypedDict

__all__ = [
    "Application",
    "ApplicationSecret",
    "Connector",
    "Hook",
    "Invitation",
    "Member",
    "OidcClientMetadata",
    "OneTimeToken",
    "Organization",
    "OrganizationOfMember",
    "OrganizationRole",
    "OrganizationScope",
    "Resource",
    "Role",
    "Scope",
    "User",
]


class OidcClientMetadata(TypedDict, total=False):
    redirectUris: list[str]
    postLogoutRedirectUris: list[str]
    backchannelLogoutUri: str
    backchannelLogoutSessionRequired: bool
    logoUri: str


class Application(TypedDict):
    id: str
    name: str
    description: str | None
    type: str
    oidcClientMetadata: OidcClientMetadata
    customClientMetadata: dict[str, Any]
    customData: dict[str, Any]
    isThirdParty: bool
    createdAt: int


class ApplicationSecret(TypedDict):
    applicationId: str
    name: str
    value: str
    createdAt: int
    expiresAt: int | None


class User(TypedDict):
    id: str
    username: str | None
    primaryEmail: str | None
    primaryPhone: str | None
    name: str | None
    avatar: str | None
    customData: dict[str, Any]
    identities: dict[str, Any]
    profile: dict[str, Any]
    applicationId: str | None
    isSuspended: bool
    hasPassword: bool
    lastSignInAt: int | None
    createdAt: int
    updatedAt: int


class Member(User):
    organizationRoles: list[dict[str, Any]]


class Role(TypedDict):
    id: str
    name: str
    description: str
    type: str
    isDefault: bool


class Scope(TypedDict):
    id: str
    resourceId: str
    name: str
    description: str | None
    createdAt: int


class Resource(TypedDict):
    id: str
    name: str
    indicator: str
    isDefault: bool
    accessTokenTtl: int


class Organization(TypedDict):
    id: str
    name: str
    description: str | None
    customData: dict[str, Any]
    isMfaRequired: bool
    createdAt: int


class OrganizationOfMember(Organization):
    organizationRoles: list[dict[str, Any]]


class OrganizationRole(TypedDict):
    id: str
    name: str
    description: str | None
    type: str
    scopes: list[dict[str, Any]]
    resourceScopes: list[dict[str, Any]]


class OrganizationScope(TypedDict):
    id: str
    name: str
    description: str | None


class Invitation(TypedDict):
    id: str
    inviterId: str | None
    invitee: str
    acceptedUserId: str | None
    organizationId: str
    status: str
    createdAt: int
    updatedAt: int
    expiresAt: int
    organizationRoles: list[dict[str, Any]]


class ConnectorForm(TypedDict, total=False):
    """The form of a factory, and an example of a config as text. Custom factories may have either, or none."""

    formItems: list[dict[str, Any]]
    configTemplate: str


class Connector(ConnectorForm):
    """A connector, or a factory of connectors. The `id` of a factory is the `connectorId` of its connectors."""

    id: str
    connectorId: str
    target: str
    platform: str | None
    type: str
    name: dict[str, str]
    config: dict[str, Any]
    metadata: dict[str, Any]
    syncProfile: bool


class Hook(TypedDict):
    id: str
    name: str
    events: list[str]
    config: dict[str, Any]
    signingKey: str
    enabled: bool
    createdAt: int


class OneTimeToken(TypedDict):
    id: str
    email: str
    token: str
    context: dict[str, Any]
    status: str
    createdAt: int
    expiresAt: int
