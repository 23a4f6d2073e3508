"""Checks of a site whose URLs include the console of organizations, and of what it declares about organizations."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import CheckMessage

from logto_auth.conf import Conf
from logto_auth.exceptions import ConfigurationError
from logto_auth.organizations.console.domains import PUBLIC_MAIL_DOMAINS
from logto_auth.tenant.declaration import OrganizationRole, TenantDeclaration, declaration_errors
from logto_auth.tenant.included_urls import CONSOLE_API, CONSOLE_PAGES, included_url_names
from logto_auth.tenant.organization_console import (
    BY_LOGTO,
    BY_SITE,
    EVERY_MEMBER,
    AnyRole,
    Guard,
    OrganizationConsole,
)
from logto_auth.tenant.site import load_declaration

from .lenient_conf import conf
from .parts import missing_parts
from .problem import Problem
from .sign_in import signs_users_in

# Without these, a session does not follow a change of the memberships of its user.
NEEDED_SCOPES = ("urn:logto:scope:organizations", "urn:logto:scope:organization_roles", "offline_access")

INVITATION_PAGE = "invitation"

CONSOLE_NOT_DECLARED = Problem(
    "logto_auth.E044",
    "The site's URLs include the console of organizations, but {reason}. Each page and endpoint answers with an error.",
    "Declare organization_console=OrganizationConsole(...) in the TenantDeclaration that LOGTO_TENANT names, or remove "
    "the URLs.",
)
CONSOLE_PAGES_INCOMPLETE = Problem(
    "logto_auth.E045",
    "The site's URLs include the pages of the console of organizations, which need {missing}.",
    "Add it. If no users sign in at this site, remove logto_auth.organizations.console.urls.",
)
INVITATION_SENDER_UNKNOWN = Problem(
    "logto_auth.E046", "LOGTO_INVITATION_SENDER is {value}.", f"Set it to {BY_LOGTO!r} or {BY_SITE!r}."
)
CONSOLE_WITHOUT_MANAGEMENT_API = Problem(
    "logto_auth.W032",
    "The site's URLs include the console of organizations, which is off, because LOGTO_M2M_APP_ID and "
    "LOGTO_M2M_APP_SECRET are not set.",
    "Set them to the credentials of a machine-to-machine application with the role 'Logto Management API access'.",
)
MEMBERSHIPS_NOT_REQUESTED = Problem(
    "logto_auth.W033",
    "The site's URLs include the console of organizations, but LOGTO_SCOPES lacks {scopes}: the sessions of users do "
    "not follow what the console changes.",
    "Add them to LOGTO_SCOPES.",
)
PERMISSION_OF_NO_ROLE = Problem(
    "logto_auth.W034",
    "{path} has the permission {permission} for {field} of organization_console, and no declared organization role "
    "for users has this permission: only owners may do it.",
    "Add the permission to the scopes of an OrganizationRole. If only a role in the tenant has it, silence this check.",
)
PUBLIC_MAIL_DOMAIN = Problem(
    "logto_auth.W035",
    "{path} declares the e-mail domain {domain} for the organization {organization}. It is that of a public mail "
    "service: everybody who has an address there can become a member.",
    "Remove the domain. Invite these users in the console of organizations.",
)
INVITATIONS_WITHOUT_PAGE = Problem(
    "logto_auth.W036",
    "The site's URLs include the endpoints of the console of organizations, but not the page to which an invitation "
    "leads: nobody can be invited.",
    "Add path('organizations/', include('logto_auth.organizations.console.urls')). If nobody is invited, silence this "
    "check.",
)
MANAGERS_WITHOUT_EFFECT = Problem(
    "logto_auth.W037",
    "{path} gives the role {role} the right manage_members of organization_console, but {reason}.",
    "Declare view_members for the same members, and in grants the roles that they may give and take away.",
)
INVITATIONS_WITHOUT_HOST = Problem(
    "logto_auth.W038",
    "The site's URLs include the console of organizations, ALLOWED_HOSTS accepts each host, and LOGTO_BASE_URL is not "
    "set: nobody can be invited, because the inviter could choose the host of the link.",
    "Set LOGTO_BASE_URL to the origin of the site. If nobody is invited, silence this check.",
)


def check_organization_console() -> Iterator[CheckMessage]:
    """Check what the console requires of the rest of the project, and of the declaration of the tenant."""
    if conf.invitation_sender not in (BY_LOGTO, BY_SITE):
        yield INVITATION_SENDER_UNKNOWN(value=repr(conf.invitation_sender))
    try:
        declaration = load_declaration()
    except ConfigurationError:
        return  # E001 and E020 report it.
    console = declaration.organization_console
    if console is not None and not declaration_errors(declaration):
        # E021 reports the errors.
        yield from _check_console(console, declaration)
    yield from _check_domains(declaration)
    pages = included_url_names(CONSOLE_PAGES)
    has_pages, has_api = bool(pages), bool(included_url_names(CONSOLE_API))
    if not (has_pages or has_api):
        return
    if console is None:
        what = f"{conf.tenant} declares no organization_console" if conf.tenant else "LOGTO_TENANT is not set"
        yield CONSOLE_NOT_DECLARED(reason=what)
    if has_pages:
        yield from (CONSOLE_PAGES_INCOMPLETE(missing=part) for part in missing_parts())
    if INVITATION_PAGE not in pages:
        yield INVITATIONS_WITHOUT_PAGE()
    if not conf.base_url and "*" in settings.ALLOWED_HOSTS and not settings.DEBUG:
        yield INVITATIONS_WITHOUT_HOST()
    if not any(conf.value_of(setting) for setting in (Conf.m2m_app_id, Conf.m2m_app_secret)):
        # If one of them is set, E018 reports the other.
        yield CONSOLE_WITHOUT_MANAGEMENT_API()
    missing = [scope for scope in NEEDED_SCOPES if scope not in conf.scopes]
    if missing and signs_users_in():
        yield MEMBERSHIPS_NOT_REQUESTED(scopes=", ".join(missing))


def _check_console(console: OrganizationConsole, declaration: TenantDeclaration) -> Iterator[CheckMessage]:
    roles = [role for role in declaration.organization_roles if role.type == "User"]
    held = {scope for role in roles for scope in role.scopes}
    for field, guard in console.guards.items():
        if isinstance(guard, str) and guard not in held:
            yield PERMISSION_OF_NO_ROLE(path=conf.tenant, permission=guard, field=field)
    for role in roles:
        if role.name in console.owner_roles or not _meets(role, console.manage_members):
            continue
        if not _meets(role, console.view_members):
            reason = "not view_members: it cannot open the page of the members"
            yield MANAGERS_WITHOUT_EFFECT(path=conf.tenant, role=role.name, reason=reason)
        if not console.grants.get(role.name):
            reason = "grants has no roles for it: it can only remove members who have no role"
            yield MANAGERS_WITHOUT_EFFECT(path=conf.tenant, role=role.name, reason=reason)


def _meets(role: OrganizationRole, guard: Guard) -> bool:
    """Return whether a member with this role alone meets a guard."""
    if isinstance(guard, AnyRole):
        return role.name in guard.names
    return guard == EVERY_MEMBER or guard in role.scopes


def _check_domains(declaration: TenantDeclaration) -> Iterator[CheckMessage]:
    for organization in declaration.organizations:
        # E021 reports another type.
        for domain in getattr(organization, "email_domains", ()):
            if domain in PUBLIC_MAIL_DOMAINS:
                yield PUBLIC_MAIL_DOMAIN(path=conf.tenant, domain=domain, organization=organization.name)
