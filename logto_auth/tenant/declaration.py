"""The declaration of what a site needs in its Logto tenant, and the rules that a declaration has to follow.

    BOOKS = "https://bookstore.example/api"

    TENANT = TenantDeclaration(
        application="Bookstore",
        resources=[APIResource(BOOKS, scopes={"write:books": "Add and edit books"})],
        roles=[Role("editor", "Adds and edits books", scopes={BOOKS: ["write:books"]})],
    )

`plan` compares a declaration with a tenant. Objects that are not declared are never changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult

from logto_auth.oidc.authorization import is_absolute_uri
from logto_auth.oidc.secrets import Secret
from logto_auth.origins import ascii_form, ascii_hint

from .account_center import AccountCenter, account_center_errors
from .consent_scopes import ALWAYS_ALLOWED, USER_SCOPES
from .dynamic_clients import DynamicClients, dynamic_client_errors
from .mfa import MFA, mfa_errors
from .organization_console import OrganizationConsole, organization_console_errors
from .organizations import DeclaredOrganization, organization_errors
from .password_policy import PasswordPolicy, password_policy_errors
from .third_party import ThirdPartyApplication, third_party_errors
from .uris import DEFAULT_PORTS, MANAGEMENT_API, is_url_or_path, normalize_uri, split_uri

__all__ = [
    "RESERVED_SCOPES",
    "WEBHOOK_EVENTS",
    "APIResource",
    "OrganizationRole",
    "Role",
    "RoleType",
    "TenantDeclaration",
    "console_errors",
    "declaration_errors",
    "normalize_uri",
]

RoleType = Literal["User", "MachineToMachine"]

# The webhook events that this package handles.
WEBHOOK_EVENTS = (
    "User.Data.Updated",
    "User.SuspensionStatus.Updated",
    "User.Deleted",
    "Organization.Data.Updated",
    "Organization.Deleted",
    "Organization.Membership.Updated",
)
# Scopes of OpenID Connect and of Logto. A permission with such a name could not be requested.
RESERVED_SCOPES = ALWAYS_ALLOWED | frozenset(USER_SCOPES)
# RFC 6749, section 3.3.
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
INTERNAL_PREFIX = "#internal:"
# The longest texts that Logto stores, in characters.
MAX_NAME = 128
MAX_DESCRIPTION = {"role": 128, "organization role": 256, "organization permission": 256}


@dataclass(frozen=True)
class APIResource:
    """An API resource. Its `indicator` can never be changed. `scopes` maps its permissions to their descriptions."""

    indicator: str
    name: str = ""
    """The name in the Logto Console. Empty: the indicator, or the name that an existing API resource has."""
    scopes: Mapping[str, str] = field(default_factory=dict)
    access_token_ttl_seconds: int | None = None
    """The lifetime of its access tokens. None: an hour, or the lifetime that an existing API resource has."""


@dataclass(frozen=True)
class Role:
    """A global role. `scopes` maps the indicator of an API resource to the permissions that the role holds."""

    name: str
    description: str
    scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    type: RoleType = "User"


@dataclass(frozen=True)
class OrganizationRole:
    """A role in organizations. `scopes` are organization permissions, `resource_scopes` those of API resources."""

    name: str
    description: str = ""
    scopes: Sequence[str] = ()
    resource_scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    type: RoleType = "User"


@dataclass(frozen=True, kw_only=True)
class TenantDeclaration:
    """What a site needs in its tenant. A site writes the first sixteen fields; the commands fill in the others."""

    application: str = ""
    """Name of the Traditional Web application. The application is created with it, and found by it while
    `application_id` is empty."""
    resources: Sequence[APIResource] = ()
    roles: Sequence[Role] = ()
    organization_scopes: Mapping[str, str] = field(default_factory=dict)
    """Organization permissions, with their descriptions."""
    organization_roles: Sequence[OrganizationRole] = ()
    organizations: Sequence[DeclaredOrganization] = ()
    """Organizations that the site needs, with their applications and just-in-time settings. Most sites declare none:
    users create organizations in the console."""
    third_party_applications: Sequence[ThirdPartyApplication] = ()
    """Applications of others, such as MCP clients, registered beforehand, with what they may ask users for."""
    dynamic_clients: DynamicClients | None = None
    """Whether the tenant accepts clients that nobody registered (CIMD), and what they may ask users for, at most. The
    tenant has one setting for all sites. None: it is not changed."""
    webhook_events: Sequence[str] = WEBHOOK_EVENTS
    """Events of the webhook. A site that handles more events adds them to WEBHOOK_EVENTS. Empty: no webhook."""
    unknown_session_redirect_url: str = ""
    """Where Logto's pages lead a browser that has no sign-in there, such as a second tab or a bookmark: a URL, or a
    path of the site that begins with `/`. The tenant has one for all applications. Empty: it is not changed."""
    account_center: AccountCenter | None = None
    """What users may change in their own accounts. The tenant has one for all applications. None: it is not changed."""
    password_policy: PasswordPolicy | None = None
    """What a new password must be like. The tenant has one for all applications. None: it is not changed."""
    mfa: MFA | None = None
    """The second factors, and when Logto asks for them. The tenant has one setting for all applications. None: it is
    not changed."""
    authentication_methods_claim: bool = False
    """Whether JWT access tokens have the claim `authentication_methods`. The tenant has one script for the custom
    claims of all applications, and a block of it adds this claim. `LOGTO_SECOND_FACTOR` needs it."""

    token_exchange: bool = False
    """Whether the application that `clients.token_exchange()` uses may exchange tokens, which API keys of users need.
    False: it is not changed."""

    password_migration: bool | None = None
    """Whether Logto asks this site for the passwords that `logto_import` could not move, by a script of the tenant. The
    tenant has one such script. False: the script of this package is removed. None: it is not changed."""

    organization_console: OrganizationConsole | None = None
    """What members may do in the console of their organization. It is not stored at Logto. None: no console."""

    application_id: str = ""
    token_exchange_id: str = ""
    """The application that exchanges tokens, if the site signs in no users. Empty: the application of the site."""
    redirect_uris: Sequence[str] = ()
    post_sign_out_uris: Sequence[str] = ()
    back_channel_logout_uri: str = ""
    webhook_url: str = ""
    password_migration_url: str = ""
    password_migration_key: Secret | None = None
    api_resource: str = ""
    api_docs_id: str = ""
    api_docs_redirect_uris: Sequence[str] = ()
    """The URLs of the API documentation to which Logto redirects the browser. Empty: no application for it."""


def declaration_errors(declaration: TenantDeclaration) -> list[str]:
    """Return a sentence for each part that Logto would reject, or would accept and never use."""
    return [
        *_uri_errors(declaration),
        *_unknown_session_errors(declaration.unknown_session_redirect_url),
        *_resource_errors(declaration.resources),
        *_role_errors("role", declaration.roles),
        *_role_errors("organization role", declaration.organization_roles),
        *_organization_errors(declaration),
        *account_center_errors(declaration.account_center),
        *password_policy_errors(declaration.password_policy),
        *mfa_errors(declaration.mfa),
        *organization_errors(
            declaration.organizations, role_types={role.name: role.type for role in declaration.organization_roles}
        ),
        *third_party_errors(declaration.third_party_applications),
        *dynamic_client_errors(declaration.dynamic_clients),
        *console_errors(declaration),
    ]


def console_errors(declaration: TenantDeclaration) -> Iterator[str]:
    """Yield a sentence for each part of `organization_console` that is wrong."""
    yield from organization_console_errors(
        declaration.organization_console,
        role_names=_user_roles(declaration.organization_roles),
        scope_names=declaration.organization_scopes,
        global_role_names=_user_roles(declaration.roles),
    )


def _user_roles(roles: Sequence[Role] | Sequence[OrganizationRole]) -> list[str]:
    return [role.name for role in roles if role.type == "User"]


# URIs


def _uri_errors(declaration: TenantDeclaration) -> Iterator[str]:
    for uri in (*declaration.redirect_uris, *declaration.post_sign_out_uris, *declaration.api_docs_redirect_uris):
        yield from _redirect_uri_errors(uri)
    for what, uri in (
        ("back-channel logout URI", declaration.back_channel_logout_uri),
        ("webhook URL", declaration.webhook_url),
    ):
        if "*" in uri:
            yield f"The {what} {uri} has a wildcard, but Logto has to call it. Use a URL without a wildcard."


def _unknown_session_errors(url: str) -> Iterator[str]:
    if url and not is_url_or_path(url):
        yield (
            f"unknown_session_redirect_url is {url!r:.200}, which is neither an http or https URL nor a path that "
            "begins with /."
        )


def _redirect_uri_errors(uri: str) -> Iterator[str]:
    parts = split_uri(uri)
    if form := ascii_form(uri):
        yield f"The redirect URI {uri!r:.200} is not in ASCII, as Logto and browsers write it. Use {form!r}."
        return
    if parts is None or parts.scheme not in DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        yield f"The redirect URI {uri!r:.200} is not an http or https URL."
        return
    if parts.fragment:
        yield f"The redirect URI {uri} has a fragment, which Logto rejects. Remove the fragment."
    if "*" in uri.partition("://")[2]:
        yield from _wildcard_errors(uri, parts)


def _wildcard_errors(uri: str, parts: SplitResult) -> Iterator[str]:
    labels = (parts.hostname or "").split(".")
    if any("*" in label for label in labels[-2:]):
        yield (
            f"The redirect URI {uri} has a wildcard in the last two labels of its host. Logto would save it, but it "
            "would never match. Name the domain."
        )
    if "*" in parts.query:
        yield f"The redirect URI {uri} has a wildcard in its query, which Logto rejects. Remove the wildcard."


# API resources


def _resource_errors(resources: Sequence[APIResource]) -> Iterator[str]:
    yield from _duplicate_errors("API resource", [resource.indicator for resource in resources])
    for resource in resources:
        yield from _indicator_errors(resource.indicator)
        what = f"API resource {resource.indicator}"
        ttl = resource.access_token_ttl_seconds
        if ttl is not None and ttl < 1:
            yield f"access_token_ttl_seconds of the {what} is {ttl}, expected 1 or more."
        if len(resource.name) > MAX_NAME:
            yield f"The name of the {what} is longer than {MAX_NAME} characters."
        for name in resource.scopes:
            yield from _scope_errors(name, f"permission {name!r:.80} of the {what}")


def _indicator_errors(indicator: str) -> Iterator[str]:
    if not is_absolute_uri(indicator):
        text = (
            f"The indicator {indicator!r:.200} is not an absolute URI without a fragment, a comma or a space, such as "
            "https://shop.example/api."
        )
        yield f"{text} {ascii_hint(indicator)}".rstrip()
    elif indicator.startswith("urn:logto:") or MANAGEMENT_API.fullmatch(indicator):
        yield f"The indicator {indicator} is reserved for Logto. Choose another indicator for your API."


def _scope_errors(name: str, what: str) -> Iterator[str]:
    if not SCOPE.fullmatch(name):
        yield f"The {what} has a space or another character that a scope cannot have. Expected a name like read:books."
    elif name in RESERVED_SCOPES:
        yield f"The {what} has a name that is reserved for OpenID Connect. Choose another name."


# Roles


def _role_errors(kind: str, roles: Sequence[Role] | Sequence[OrganizationRole]) -> Iterator[str]:
    yield from _duplicate_errors(kind, [role.name for role in roles])
    for role in roles:
        yield from _length_errors(kind, role.name, role.description)
        if isinstance(role, Role):
            if not role.description:
                yield f'The role "{role.name}" has no description, which Logto requires.'
            if role.name.startswith(INTERNAL_PREFIX):
                yield f'The name of the role "{role.name}" begins with {INTERNAL_PREFIX}, which is reserved for Logto.'
            yield from _management_api_errors(role)


def _management_api_errors(role: Role) -> Iterator[str]:
    if role.type == "User" and any(MANAGEMENT_API.fullmatch(indicator) for indicator in role.scopes):
        yield (
            f'The role "{role.name}" is a user role and holds a permission of the Management API. Logto allows that '
            'for machine-to-machine roles only: declare type="MachineToMachine".'
        )


def _organization_errors(declaration: TenantDeclaration) -> Iterator[str]:
    for name, description in declaration.organization_scopes.items():
        yield from _scope_errors(name, f"organization permission {name!r:.80}")
        yield from _length_errors("organization permission", name, description)


def _length_errors(kind: str, name: str, description: str) -> Iterator[str]:
    if not 1 <= len(name) <= MAX_NAME:
        yield f"The {kind} {name!r:.80} has a name of {len(name)} characters, expected 1 to {MAX_NAME}."
    if len(description) > MAX_DESCRIPTION[kind]:
        yield (
            f'The description of the {kind} "{name:.80}" has {len(description)} characters, expected at most '
            f"{MAX_DESCRIPTION[kind]}."
        )


def _duplicate_errors(kind: str, names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"The {kind} {name} is declared twice. Remove one declaration."
        seen.add(name)
