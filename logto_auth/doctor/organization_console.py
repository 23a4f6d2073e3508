"""Examine what organizations need of the tenant: those that are declared, and the console, if the site includes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any, Final

from logto_auth.conf import conf
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant.declaration import TenantDeclaration
from logto_auth.tenant.included_urls import CONSOLE_API, CONSOLE_PAGES, included_url_names
from logto_auth.tenant.organization_console import BY_LOGTO, BY_SITE, OrganizationConsole

from .findings import Finding, findings_or_ok, warning

__all__ = ["console_findings", "includes_console", "single_sign_on_findings"]

# The type of the e-mail, as connectors name it.
INVITATION: Final = "OrganizationInvitation"
LINK: Final = re.compile(r"\{\{\s*link\s*\}\}")


def includes_console() -> bool:
    """Return whether the site's URLs include the pages or the endpoints of the console."""
    return any(included_url_names(name) for name in (CONSOLE_PAGES, CONSOLE_API))


def console_findings(api: ManagementAPI, declared: TenantDeclaration) -> Iterator[Finding]:
    """Yield what is missing in the tenant. Raise ManagementAPIError.

    A system check reports a console that is not declared. The examination of the declaration reports missing roles.
    """
    if declared.organization_console is None or not includes_console():
        return
    found = chain(_permissions(api, declared.organization_console), _invitations(api))
    yield from findings_or_ok(found, "organization-console", "The tenant has what the console of organizations needs.")


def _permissions(api: ManagementAPI, console: OrganizationConsole) -> Iterator[Finding]:
    roles = [role for role in api.organization_roles.all() if role["type"] == "User"]
    held = {scope["name"] for role in roles for scope in role["scopes"]}
    for field, guard in console.guards.items():
        if isinstance(guard, str) and guard not in held:
            yield warning(
                "organization-console",
                f"{field} of organization_console requires the permission {guard}, which no organization role for "
                "users has: only owners may do it.",
                "Add the permission to a role in LOGTO_TENANT and run manage.py logto_setup.",
            )


def _invitations(api: ManagementAPI) -> Iterator[Finding]:
    if conf.invitation_sender != BY_LOGTO:
        return
    connector = next((each for each in api.connectors.all() if each["type"] == "Email"), None)
    if connector is None:
        yield warning(
            "organization-console",
            "Logto has no e-mail connector, so it cannot send invitations.",
            f"Add the connector with manage.py logto_connectors, or set LOGTO_INVITATION_SENDER = {BY_SITE!r}.",
        )
    elif not _has_template(connector["config"]):
        yield warning(
            "organization-console",
            f"The configuration of the e-mail connector has no template for {INVITATION}. Unless the tenant has a "
            "custom e-mail template for invitations, Logto uses the one for Generic, which is for codes, or sends "
            "nothing.",
            f"Add the template in the Logto Console, or set LOGTO_INVITATION_SENDER = {BY_SITE!r}.",
        )
    elif not _has_link(connector["config"]):
        yield warning(
            "organization-console",
            f"The template for {INVITATION} in the configuration of the e-mail connector has no {{{{link}}}}, like the "
            "default of Logto. Unless the tenant has a custom e-mail template for invitations, invited users get no "
            "link.",
            f"Write {{{{link}}}} into the template, or set LOGTO_INVITATION_SENDER = {BY_SITE!r}.",
        )


def _has_template(config: Mapping[str, Any]) -> bool:
    """Return whether the configuration of a connector has a template for invitations, or no templates at all.

    Most connectors have a list of them. That of Mailgun is a mapping, and the service of Logto Cloud has its own.
    """
    templates, deliveries = config.get("templates"), config.get("deliveries")
    if isinstance(templates, list):
        return any(isinstance(each, dict) and each.get("usageType") == INVITATION for each in templates)
    return INVITATION in deliveries if isinstance(deliveries, dict) else True


def _has_link(config: Mapping[str, Any]) -> bool:
    """Return whether the invitation of a connector contains the link. Return True if its text is not known.

    Some connectors have only the id of a template, whose text is at the service that sends it.
    """
    templates = config.get("templates")
    texts = [
        each["content"]
        for each in (templates if isinstance(templates, list) else [])
        if isinstance(each, dict) and each.get("usageType") == INVITATION and isinstance(each.get("content"), str)
    ]
    return all(LINK.search(each) for each in texts)


def single_sign_on_findings(api: ManagementAPI, declared: TenantDeclaration) -> Iterator[Finding]:
    """Yield whether users can sign in with the enterprise SSO connectors of organizations. Raise ManagementAPIError."""
    names = [each.name for each in declared.organizations if each.sso_connectors]
    if names and not api.sign_in_experience.get()["singleSignOnEnabled"]:
        yield warning(
            "declaration",
            f"Enterprise SSO is off at Logto, so no user joins {', '.join(names)} by a connector.",
            "Turn it on in the Logto Console, below Sign-in & account > Sign-up and sign-in.",
        )
