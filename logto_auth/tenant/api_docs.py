"""The part of a plan about the application with which the API documentation signs in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI

from .application import DeclaredApplication, named_application
from .declaration import TenantDeclaration
from .steps import Step, change_step, creation_step, list_difference, merge
from .uris import normalize_uri

if TYPE_CHECKING:
    from logto_auth.management_api.types import Application, NewApplication

__all__ = ["APIDocsApplication"]

KIND: Final = "application of the API documentation"
TYPE: Final = "SPA"
REDIRECT_URIS: Final = "redirect URIs"


class APIDocsApplication:
    """The Single page application of a site that includes `logto_auth.contrib.swagger_urls`.

    `id` is None until its step has created it, and if the site does not include the URLs.
    """

    def __init__(self, api: ManagementAPI, declaration: TenantDeclaration, site: DeclaredApplication) -> None:
        self._api = api
        self._uris = list(declaration.api_docs_redirect_uris)
        self._declared_id = declaration.api_docs_id
        self._name = f"{site.name}: API documentation" if site.name else "API documentation"
        self._stored = self._find() if self._uris else None
        self.id = self._stored["id"] if self._stored else None

    def steps(self) -> Iterator[Step]:
        """Yield the step that creates or changes it, if the site needs it."""
        if not self._uris:
            return
        if self._stored is None:
            yield creation_step(KIND, self._name, {REDIRECT_URIS: self._uris}, self._create)
        else:
            stored = self._stored["oidcClientMetadata"].get("redirectUris", [])
            difference = list_difference(REDIRECT_URIS, stored, self._uris, normalize_uri)
            yield change_step(KIND, f"{self._stored['name']} ({self.id})", [difference], self._change)

    def _create(self) -> None:
        # Logto accepts several applications with the same name, so a second one has to be prevented here.
        if self._find() is not None:
            raise ConfigurationError(f'An application "{self._name}" was created in the meantime. Run this again.')
        payload: NewApplication = {
            "name": self._name,
            "type": TYPE,
            "oidcClientMetadata": {"redirectUris": self._uris, "postLogoutRedirectUris": []},
        }
        self.id = self._api.applications.create(payload)["id"]

    def _change(self) -> None:
        assert self.id is not None  # only an existing application is changed
        # Read the current value again, to keep what was added since the plan was made.
        stored = self._api.applications.get(self.id)["oidcClientMetadata"]
        merged = merge(stored.get("redirectUris", []), self._uris, normalize_uri)
        self._api.applications.update(self.id, {"oidcClientMetadata": {**stored, "redirectUris": merged}})

    def _find(self) -> Application | None:
        """Return the application with the declared id, or else with the name.

        Raise ConfigurationError if the id does not exist or has the wrong type, and if several applications have the
        name.
        """
        if self._declared_id:
            return self._by_id(self._declared_id)
        stored = self._api.applications.all(types=TYPE)
        found = [each for each in stored if each["name"] == self._name and not each["isThirdParty"]]
        if len(found) > 1:
            ids = ", ".join(each["id"] for each in found)
            raise ConfigurationError(
                f'{len(found)} applications have the name "{self._name}": {ids}. Set LOGTO_API_DOCS_APP_ID to the id '
                "of the application to use."
            )
        return found[0] if found else None

    def _by_id(self, id: str) -> Application:
        application = named_application(self._api, "LOGTO_API_DOCS_APP_ID", id)
        if application["type"] != TYPE or application["isThirdParty"]:
            raise ConfigurationError(
                f'LOGTO_API_DOCS_APP_ID names the application "{application["name"]}". Expected a first-party '
                "application of the type Single page app, which has no secret. Unset the setting to create one."
            )
        return application
