"""drf-spectacular: the OpenAPI document contains Logto's access tokens and the scopes that each operation requires.

Loaded by `rest_framework` if `drf_spectacular` is in `INSTALLED_APPS`. With `LOGTO_API_DOCS_APP_ID`, the document also
describes how a browser gets a token: see `swagger`.
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.settings import spectacular_settings

from logto_auth.conf import conf

from .rest_framework import LogtoAuthentication, LogtoOrganizationAuthentication, required_scopes

__all__ = ["RESOURCE_KEY", "LogtoOrganizationScheme", "LogtoScheme"]

# An extension of the security scheme: the API resource for which the token is requested.
RESOURCE_KEY = "x-logto-resource"
NAMES: dict[type, str] = {LogtoAuthentication: "Logto", LogtoOrganizationAuthentication: "LogtoOrganization"}


class LogtoScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The security schemes of `LogtoAuthentication` and its subclasses.

    `name` and the definitions are lists if there are two: a sign-in in the browser, and a token.
    """

    target_class = LogtoAuthentication
    match_subclasses = True
    name: str | list[str]

    def __init__(self, target: Any) -> None:
        super().__init__(target)  # type: ignore[no-untyped-call]
        # The page for a document that is not public asks about classes, and the document about instances.
        kind: Any = target if isinstance(target, type) else type(target)
        # A subclass gets its own scheme in the document, because it may have another resource.
        self._token_name = NAMES.get(kind, kind.__name__)
        self._sign_in_name = f"{self._token_name}SignIn"
        self.name = [self._sign_in_name, self._token_name] if self._offers_sign_in else self._token_name

    @property
    def _resource(self) -> str:
        return self.target.resource or conf.api_resource

    @property
    def _offers_sign_in(self) -> bool:
        # A token of an organization takes a further request, which Swagger UI does not make.
        return bool(conf.api_docs_app_id and self._resource) and not self.target.of_organization

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any] | list[dict[str, Any]]:
        """Return the bearer scheme, with a description of the token, and the sign-in before it if there is one."""
        token = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": self.description}
        return [self._sign_in(auto_schema), token] if self._offers_sign_in else token

    def get_security_requirement(self, auto_schema: Any) -> dict[str, list[str]] | list[dict[str, list[str]]]:
        """Return the schemes with the scopes of the view's permissions.

        OpenAPI allows scopes of a bearer scheme since version 3.1.
        """
        names_scopes = str(spectacular_settings.OAS_VERSION).startswith("3.1")
        scopes = _scopes(auto_schema)
        token = {self._token_name: scopes if names_scopes else []}
        return [{self._sign_in_name: scopes}, token] if self._offers_sign_in else token

    def _sign_in(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme of the sign-in, for which Swagger UI lists the scopes of all operations."""
        # drf-spectacular keeps the definition of the first operation, so the scopes of the others are added to it.
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            self._sign_in_name, ResolvedComponent.SECURITY_SCHEMA, object=self.target_class
        )
        if component in auto_schema.registry:
            definition: dict[str, Any] = auto_schema.registry[component].schema
        else:
            declared = conf.declared_api_resources.get(self._resource, ())
            definition = {
                "type": "oauth2",
                "description": f"Sign in at {conf.issuer} with the browser.",
                "flows": {
                    "authorizationCode": {
                        "authorizationUrl": f"{conf.issuer}/auth",
                        "tokenUrl": f"{conf.issuer}/token",
                        "scopes": dict.fromkeys(declared, ""),
                    }
                },
                # For `swagger`: Logto issues a token for an API only to requests that name the API.
                RESOURCE_KEY: self._resource,
            }
        definition["flows"]["authorizationCode"]["scopes"].update(dict.fromkeys(_scopes(auto_schema), ""))
        return definition

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
        resource = self._resource
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
