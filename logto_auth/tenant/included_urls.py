"""Which URLs of this package the URLconf of the site includes."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.urls import get_resolver

__all__ = [
    "API_DOCS",
    "API_KEY_ENDPOINTS",
    "API_KEY_PAGES",
    "CONSOLE_API",
    "CONSOLE_PAGES",
    "PASSWORD_MIGRATION_URLS",
    "SUPPORT_ACCESS_PAGES",
    "included_url_names",
]

# The application namespaces of the console of organizations.
CONSOLE_PAGES: Final = "logto_organizations"
CONSOLE_API: Final = "logto_organizations_api"
# Those of the pages and endpoints for API keys.
API_KEY_PAGES: Final = "logto_api_keys"
API_KEY_ENDPOINTS: Final = "logto_api_keys_api"
# That of the pages of support access.
SUPPORT_ACCESS_PAGES: Final = "logto_impersonation"
# That of the API documentation with a sign-in.
API_DOCS: Final = "logto_api_docs"
# That of the endpoint for passwords that Logto cannot import.
PASSWORD_MIGRATION_URLS: Final = "logto_password_migration"  # noqa: S105


def included_url_names(app_name: str) -> frozenset[str]:
    """Return the names of the URLs of an application namespace. Empty if the site's URLs do not include it."""
    if not getattr(settings, "ROOT_URLCONF", None):
        return frozenset()
    resolver: Any = get_resolver()
    # As `reverse` does, take another instance if none has the name of the app.
    instances = resolver.app_dict.get(app_name, [])
    if not instances:
        return frozenset()
    _, included = resolver.namespace_dict[app_name if app_name in instances else instances[0]]
    return frozenset(name for name in included.reverse_dict if isinstance(name, str))
