"""For drf-spectacular: the OpenAPI document names Logto's access tokens, and what each operation demands of one.

Found by itself where `drf_spectacular` is among `INSTALLED_APPS`.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.settings import spectacular_settings

from logto_auth.conf import conf

from .rest_framework import DemandPermission, LogtoAuthentication, LogtoOrganizationAuthentication

NAMES = {LogtoAuthentication: "Logto", LogtoOrganizationAuthentication: "LogtoOrganization"}


class LogtoScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The security scheme of `LogtoAuthentication` and its subclasses."""

    target_class = LogtoAuthentication
    match_subclasses = True
    name: str

    def __init__(self, target: Any) -> None:
        super().__init__(target)  # type: ignore[no-untyped-call]
        # A subclass has a scheme of its own in the document, for it may be about another resource.
        self.name = NAMES.get(type(target), type(target).__name__)

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Bearer, with what to ask Logto for."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": self.description}

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        """This scheme, with the scopes that the view's permissions name. OpenAPI takes them since its version 3.1."""
        names_scopes = str(spectacular_settings.OAS_VERSION).startswith("3.1")
        return {self.name: _scopes(auto_schema) if names_scopes else []}

    @property
    def description(self) -> str:
        """What the page says of the scheme."""
        resource = self.target.resource or conf.api_resource
        return f"An access token of {conf.issuer} for the resource {resource}."


class LogtoOrganizationScheme(LogtoScheme):  # type: ignore[no-untyped-call]
    """The security scheme of `LogtoOrganizationAuthentication`."""

    target_class = LogtoOrganizationAuthentication
    priority = 1

    @property
    def description(self) -> str:
        """What the page says of the scheme."""
        return f"An organization token of {conf.issuer}: asked for with organization_id, and without a resource."


def _scopes(auto_schema: Any) -> list[str]:
    permissions = [each for each in auto_schema.view.get_permissions() if isinstance(each, DemandPermission)]
    demands = [each.demand for each in permissions if each.is_for(auto_schema.method)]
    return sorted({scope for demand in demands for scope in (*demand.scopes, *demand.organization_scopes)})
