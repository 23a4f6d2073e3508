"""What a site needs of its Logto tenant, as a value in a file of the site; and what is wrong with such a value.

    BOOKS = "https://bookstore.example/api"

    TENANT = TenantDeclaration(
        application="Bookstore",
        resources=[APIResource(BOOKS, scopes={"write:books": "Add and edit books"})],
        roles=[Role("editor", "Adds and edits books", scopes={BOOKS: ["write:books"]})],
    )

`plan` compares it with a tenant. What is declared will be there; what is not declared is never touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from logto_auth.oidc.authorization import is_absolute_uri

RoleType = Literal["User", "MachineToMachine"]

# The events that this package acts on.
WEBHOOK_EVENTS = (
    "User.Data.Updated",
    "User.SuspensionStatus.Updated",
    "User.Deleted",
    "Organization.Data.Updated",
    "Organization.Deleted",
    "Organization.Membership.Updated",
)
# Scopes of OpenID Connect and of Logto itself: as the name of a permission they would never be one.
RESERVED_SCOPES = frozenset(
    {
        "openid",
        "offline_access",
        "profile",
        "email",
        "phone",
        "address",
        "custom_data",
        "identities",
        "roles",
        "urn:logto:scope:organizations",
        "urn:logto:scope:organization_roles",
        "urn:logto:scope:sessions",
    }
)
# RFC 6749, section 3.3.
SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
INTERNAL_PREFIX = "#internal:"
MANAGEMENT_API = re.compile(r"https://[\w-]+\.logto\.app/api")
DEFAULT_PORTS = {"http": 80, "https": 443}
# What Logto stores at most.
MAX_NAME = 128
MAX_DESCRIPTION = {"role": 128, "organization role": 256, "organization permission": 256}


@dataclass(frozen=True)
class APIResource:
    """An API, by its indicator, which can never be changed; `scopes` are its permissions, each with what it allows."""

    indicator: str
    name: str = ""
    """What the Console calls it. Empty: as the indicator, and left as it is where it is there already."""
    scopes: Mapping[str, str] = field(default_factory=dict)
    access_token_ttl_seconds: int | None = None
    """How long its access tokens live. None: an hour, and left as it is where it is there already."""


@dataclass(frozen=True)
class Role:
    """A role that people have everywhere; `scopes` are its permissions by the indicator of their API resource."""

    name: str
    description: str
    scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    type: RoleType = "User"


@dataclass(frozen=True)
class OrganizationRole:
    """A role in organizations: `scopes` are organization permissions, `resource_scopes` those of API resources."""

    name: str
    description: str = ""
    scopes: Sequence[str] = ()
    resource_scopes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    type: RoleType = "User"


@dataclass(frozen=True, kw_only=True)
class TenantDeclaration:
    """What a site needs of its tenant: first what the site writes, then what follows from its settings and URLs."""

    application: str = ""
    """Name of the Traditional Web application, by which it is made, and found as long as its id is not known."""
    resources: Sequence[APIResource] = ()
    roles: Sequence[Role] = ()
    organization_scopes: Mapping[str, str] = field(default_factory=dict)
    """Organization permissions, each with what it allows."""
    organization_roles: Sequence[OrganizationRole] = ()
    webhook_events: Sequence[str] = WEBHOOK_EVENTS
    """What the webhook tells of; a site that listens to more adds to WEBHOOK_EVENTS. Empty: no webhook."""

    application_id: str = ""
    redirect_uris: Sequence[str] = ()
    post_sign_out_uris: Sequence[str] = ()
    back_channel_logout_uri: str = ""
    webhook_url: str = ""


def faults(declaration: TenantDeclaration) -> list[str]:
    """What Logto would refuse of it, or take and never use: a sentence for each fault."""
    return [
        *_uri_faults(declaration),
        *_resource_faults(declaration.resources),
        *_role_faults("role", declaration.roles),
        *_role_faults("organization role", declaration.organization_roles),
        *_organization_faults(declaration),
    ]


def normal_uri(uri: str) -> str:
    """`uri` as Logto compares it: scheme and host in lower case, no default port, a path."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return uri
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        return uri
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    authority = host if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"
    return parts._replace(netloc=authority, path=parts.path or "/").geturl()


# URIs


def _uri_faults(declaration: TenantDeclaration) -> Iterator[str]:
    for uri in (*declaration.redirect_uris, *declaration.post_sign_out_uris):
        yield from _redirect_uri_faults(uri)
    for what, uri in (
        ("back-channel logout URI", declaration.back_channel_logout_uri),
        ("address of the webhook", declaration.webhook_url),
    ):
        if "*" in uri:
            yield f"The {what} {uri} has a wildcard, and Logto has to call it: give it an address without one."


def _redirect_uri_faults(uri: str) -> Iterator[str]:
    parts = _split(uri)
    if parts is None or parts.scheme not in DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        yield f"The redirect URI {uri!r:.200} is not an http or https address."
        return
    if parts.fragment:
        yield f"The redirect URI {uri} has a fragment, which Logto refuses."
    if "*" in uri.partition("://")[2]:
        yield from _wildcard_faults(uri, parts)


def _wildcard_faults(uri: str, parts: SplitResult) -> Iterator[str]:
    labels = (parts.hostname or "").split(".")
    if any("*" in label for label in labels[-2:]):
        yield (
            f"The redirect URI {uri} has a wildcard in the last two labels of its host: Logto would save it, and it "
            "would never match."
        )
    if "*" in parts.query:
        yield f"The redirect URI {uri} has a wildcard in its query, which Logto refuses."


def _split(uri: str) -> SplitResult | None:
    try:
        parts = urlsplit(uri)
        parts.port  # noqa: B018  (raises for a port that is not a number)
    except ValueError:
        return None
    return parts if uri.isascii() and uri.isprintable() and " " not in uri else None


# API resources


def _resource_faults(resources: Sequence[APIResource]) -> Iterator[str]:
    yield from _repetitions("API resource", [resource.indicator for resource in resources])
    for resource in resources:
        yield from _indicator_faults(resource.indicator)
        of_it = f"API resource {resource.indicator}"
        ttl = resource.access_token_ttl_seconds
        if ttl is not None and ttl < 1:
            yield f"The access tokens of the {of_it} are to live {ttl} seconds, expected one or more."
        if len(resource.name) > MAX_NAME:
            yield f"The name of the {of_it} is longer than {MAX_NAME} characters."
        for name in resource.scopes:
            yield from _scope_faults(name, f"permission {name!r:.80} of the {of_it}")


def _indicator_faults(indicator: str) -> Iterator[str]:
    if not is_absolute_uri(indicator):
        yield (
            f"The indicator {indicator!r:.200} is not an absolute URI without a fragment, a comma or a space, such as "
            "https://shop.example/api."
        )
    elif indicator.startswith("urn:logto:") or MANAGEMENT_API.fullmatch(indicator):
        yield f"The indicator {indicator} is one of Logto's own. Give your API one of its own."


def _scope_faults(name: str, what: str) -> Iterator[str]:
    if not SCOPE.fullmatch(name):
        yield f"The {what} has a space or another character that no scope may have; read:books is a good name."
    elif name in RESERVED_SCOPES:
        yield f"The {what} bears a name that is reserved for OpenID Connect."


# Roles


def _role_faults(kind: str, roles: Sequence[Role] | Sequence[OrganizationRole]) -> Iterator[str]:
    yield from _repetitions(kind, [role.name for role in roles])
    for role in roles:
        yield from _label_faults(kind, role.name, role.description)
        if isinstance(role, Role):
            if not role.description:
                yield f'The role "{role.name}" has no description, which Logto demands.'
            if role.name.startswith(INTERNAL_PREFIX):
                yield f'The role "{role.name}" has a name that begins with {INTERNAL_PREFIX}, as Logto\'s own do.'
            yield from _management_faults(role)


def _management_faults(role: Role) -> Iterator[str]:
    if role.type == "User" and any(MANAGEMENT_API.fullmatch(indicator) for indicator in role.scopes):
        yield (
            f'The role "{role.name}" is for people and holds a permission of the Management API, which Logto gives to '
            'machine-to-machine roles alone: declare type="MachineToMachine".'
        )


def _organization_faults(declaration: TenantDeclaration) -> Iterator[str]:
    for name, description in declaration.organization_scopes.items():
        yield from _scope_faults(name, f"organization permission {name!r:.80}")
        yield from _label_faults("organization permission", name, description)


def _label_faults(kind: str, name: str, description: str) -> Iterator[str]:
    if not 1 <= len(name) <= MAX_NAME:
        yield f"The {kind} {name!r:.80} has a name of {len(name)} characters, expected 1 to {MAX_NAME}."
    if len(description) > MAX_DESCRIPTION[kind]:
        yield (
            f'The description of the {kind} "{name:.80}" has {len(description)} characters, expected at most '
            f"{MAX_DESCRIPTION[kind]}."
        )


def _repetitions(kind: str, names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield f"The {kind} {name} is declared twice."
        seen.add(name)
