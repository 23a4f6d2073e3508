"""Examine what organizations need of the tenant: those that are declared, and the console, if the site includes it."""

from __future__ import annotations

from collections.abc import Iterator

from logto_auth.management_api import ManagementAPI
from logto_auth.tenant.declaration import TenantDeclaration
from logto_auth.tenant.included_urls import CONSOLE_API, CONSOLE_PAGES, included_url_names
from logto_auth.tenant.organization_console import OrganizationConsole

from .findings import Finding, findings_or_ok, warning

__all__ = ["console_findings", "includes_console", "single_sign_on_findings"]


def includes_console() -> bool:
    """Return whether the site's URLs include the pages or the endpoints of the console."""
    return any(included_url_names(name) for name in (CONSOLE_PAGES, CONSOLE_API))


def console_findings(api: ManagementAPI, declared: TenantDeclaration) -> Iterator[Finding]:
    """Yield what is missing in the tenant. Raise ManagementAPIError.

    A system check reports a console that is not declared. The examination of the declaration reports missing roles.
    """
    if declared.organization_console is None or not includes_console():
        return
    found = _permissions(api, declared.organization_console)
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


def single_sign_on_findings(api: ManagementAPI, declared: TenantDeclaration) -> Iterator[Finding]:
    """Yield whether users can sign in with the enterprise SSO connectors of organizations. Raise ManagementAPIError."""
    names = [each.name for each in declared.organizations if each.sso_connectors]
    if names and not api.sign_in_experience.get()["singleSignOnEnabled"]:
        yield warning(
            "declaration",
            f"Enterprise SSO is off at Logto, so no user joins {', '.join(names)} by a connector.",
            "Turn it on in the Logto Console, below Sign-in & account > Sign-up and sign-in.",
        )
