"""Whether Logto asks this site for passwords, while it checks them and not for longer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from logto_auth.conf import conf
from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI
from logto_auth.tenant import TenantDeclaration
from logto_auth.tenant.included_urls import PASSWORD_MIGRATION_URLS, included_url_names
from logto_auth.tenant.password_migration import stored_action

from .findings import Finding, ok, warning

__all__ = ["password_migration_findings"]

REMOVE = "Declare password_migration=False in LOGTO_TENANT, and run manage.py logto_setup."


def password_migration_findings(api: ManagementAPI, declared: TenantDeclaration) -> Iterator[Finding]:
    """Yield what the script for passwords does, if there is one. A missing one is reported with the declaration."""
    if not (declared.password_migration or included_url_names(PASSWORD_MIGRATION_URLS)):
        return
    try:
        action = stored_action(api)
    except ConfigurationError:
        return  # a Logto without Actions
    if action is None or not action.is_ours or not action.is_enabled:
        return
    if not declared.password_migration:
        yield warning("password-migration", f"Logto sends passwords to {action.url}, which is not declared.", REMOVE)
    elif _is_over():
        yield warning(
            "password-migration",
            f"Logto still sends passwords to {action.url}, which checks none: LOGTO_PASSWORD_MIGRATION_UNTIL is "
            f"{conf.password_migration_until or 'not set'}.",
            REMOVE,
        )
    else:
        yield ok("password-migration", f"Logto asks {action.url} for passwords until {conf.password_migration_until}.")


def _is_over() -> bool:
    try:
        return date.fromisoformat(conf.password_migration_until) < date.today()
    except ValueError:
        return True
