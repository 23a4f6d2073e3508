"""drf-spectacular: the OpenAPI document contains Logto's access tokens and the scopes that each operation requires.

Loaded by `rest_framework` if `drf_spectacular` is in `INSTALLED_APPS`.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.settings import spectacular_settings

from logto_auth.conf import conf

from .rest_framework import LogtoAuthentication, LogtoOrganizationAuthentication, required_scopes

__all__ = ["LogtoOrganizationScheme", "LogtoScheme"]

NAMES = {LogtoAuthentication: "Logto", LogtoOrganizationAuthentication: "LogtoOrganization"}


class LogtoScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The security scheme of `LogtoAuthentication` and its subclasses."""

    target_class = LogtoAuthentication
    match_subclasses = True
    name: str

    def __init__(self, target: Any) -> None:
        super().__init__(target)  # type: ignore[no-untyped-call]
        # A subclass gets its own scheme in the document, because it may have another resource.
        self.name = NAMES.get(type(target), type(target).__name__)

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the bearer scheme, with a description of the token."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": self.description}

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]]:
        """Return this scheme with the scopes of the view's permissions, which OpenAPI allows since version 3.1."""
        names_scopes = str(spectacular_settings.OAS_VERSION).startswith("3.1")
        return {self.name: _scopes(auto_schema) if names_scopes else []}

    @property
    def description(self) -> str:
        """The description in the document."""
        return (
            f"{self._token}. An API key of a user is accepted too."
            if self.target.accepts_api_keys
            else f"{self._token}."
        )

    @property
    def _token(self) -> str:
        resource = self.target.resource or conf.api_resource
        if self.target.of_organization is not None:
            return f"An access token of {conf.issuer} for the resource {resource}"
        other = f", or an access token with organization_id for the resource {resource}" if resource else ""
        return f"An organization token of {conf.issuer}{other}"


class LogtoOrganizationScheme(LogtoScheme):  # type: ignore[no-untyped-call]
    """The security scheme of `LogtoOrganizationAuthentication`."""

    target_class = LogtoOrganizationAuthentication
    priority = 1

    @property
    def description(self) -> str:
        """The description in the document."""
        return f"An organization token of {conf.issuer}: request it with organization_id and without resource."


def _scopes(auto_schema: Any) -> list[str]:
    return sorted(required_scopes(auto_schema.view.get_permissions(), auto_schema.method))
