"""Organizations that a site needs: their declaration. `organization_steps` has the part of a plan about them.

Their members are machine-to-machine applications, and users who join just in time. Other members are not declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from logto_auth.origins import ascii_hint

__all__ = ["DeclaredOrganization", "organization_errors", "organization_label"]

# RFC 1035, section 2.3.1, with at least two labels.
DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# The longest texts that Logto stores, in characters.
MAX_NAME, MAX_DESCRIPTION, MAX_DOMAIN, MAX_APPLICATION_NAME = 128, 256, 128, 256


@dataclass(frozen=True)
class DeclaredOrganization:
    """An organization of the tenant. It is found by its name, and created if there is none."""

    name: str
    description: str = ""
    applications: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Machine-to-machine applications that are members, by name or App ID, with their organization roles. An
    application that does not exist is created with the name."""
    email_domains: Sequence[str] = ()
    """A user who registers with a verified address of such a domain becomes a member."""
    default_roles: Sequence[str] = ()
    """The organization roles of users who become members by their e-mail domain or an enterprise SSO connector."""
    sso_connectors: Sequence[str] = ()
    """Enterprise SSO connectors of the tenant, by name or id. A user who signs in with one becomes a member."""
    is_mfa_required: bool | None = None
    """Whether members need a second factor. None: it is not changed."""


def organization_errors(
    organizations: Sequence[DeclaredOrganization], *, role_types: Mapping[str, str]
) -> Iterator[str]:
    """Yield a sentence for each part that Logto would reject. `role_types` has the declared organization roles."""
    seen: set[str] = set()
    for organization in organizations:
        if not isinstance(organization, DeclaredOrganization):
            yield f"organizations contains {organization!r:.80}, expected a DeclaredOrganization."
            continue
        name = organization.name
        if name in seen:
            yield f"The organization {name} is declared twice. Remove one declaration."
        seen.add(name)
        yield from _one_organization_errors(organization, role_types)


def _one_organization_errors(organization: DeclaredOrganization, role_types: Mapping[str, str]) -> Iterator[str]:
    label = organization_label(organization)
    if not 1 <= len(organization.name) <= MAX_NAME:
        yield f"The {label} has a name of {len(organization.name)} characters, expected 1 to {MAX_NAME}."
    if len(organization.description) > MAX_DESCRIPTION:
        yield (
            f"The description of the {label} has {len(organization.description)} characters, expected at most "
            f"{MAX_DESCRIPTION}."
        )
    if isinstance(organization.email_domains, str):
        yield _string_error("email_domains", label)
    else:
        for domain in organization.email_domains:
            yield from _domain_errors(domain, label)
    yield from _role_errors("default_roles", organization.default_roles, "User", label, role_types)
    if isinstance(organization.sso_connectors, str):
        yield _string_error("sso_connectors", label)
    if not isinstance(organization.applications, Mapping):
        yield (
            f"applications of the {label} is {organization.applications!r:.80}, expected a dictionary such as "
            '{"Stock robot": ["robot"]}.'
        )
        return
    for application, roles in organization.applications.items():
        if not 1 <= len(application) <= MAX_APPLICATION_NAME:
            yield (
                f"An application of the {label} has a name of {len(application)} characters, expected 1 to "
                f"{MAX_APPLICATION_NAME}."
            )
        yield from _role_errors(f"applications[{application!r:.80}]", roles, "MachineToMachine", label, role_types)


def _domain_errors(domain: str, label: str) -> Iterator[str]:
    if not DOMAIN.fullmatch(domain) or len(domain) > MAX_DOMAIN:
        text = (
            f"email_domains of the {label} contains {domain!r:.200}, which is not a domain in lower case, such as "
            "shop.example."
        )
        yield f"{text} {ascii_hint(f'https://{domain}').replace('https://', '')}".rstrip()


def _role_errors(
    name: str, roles: Sequence[str], type: str, label: str, role_types: Mapping[str, str]
) -> Iterator[str]:
    if isinstance(roles, str):
        yield _string_error(name, label)
        return
    for role in roles:
        if role_types.get(role, type) != type:
            yield (
                f"{name} of the {label} contains the role {role}, which is declared with the type {role_types[role]}. "
                f"Expected a role of the type {type}."
            )


def _string_error(name: str, label: str) -> str:
    return f"{name} of the {label} is a string, expected a list."


def organization_label(organization: DeclaredOrganization) -> str:
    """Return how errors name an organization."""
    return f'organization "{organization.name:.80}"'
