"""The part of a plan about the Traditional Web application of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api import ManagementAPI

from .declaration import TenantDeclaration
from .steps import Difference, Step, change_step, creation_step, merge
from .uris import normalize_uri

if TYPE_CHECKING:
    from logto_auth.management_api.types import Application, NewApplication, OidcClientMetadata

__all__ = ["DeclaredApplication", "named_application"]

TYPE: Final = "Traditional"
NO_METADATA: OidcClientMetadata = {"redirectUris": [], "postLogoutRedirectUris": []}
# The labels of these fields in the Logto Console.
LABELS = {
    "redirectUris": "redirect URIs",
    "postLogoutRedirectUris": "post sign-out redirect URIs",
    "backchannelLogoutUri": "back-channel logout URI",
    "backchannelLogoutSessionRequired": "session required for back-channel logout",
}


class DeclaredApplication:
    """The application of a declaration. `id` is None until its step has created it."""

    def __init__(self, api: ManagementAPI, declaration: TenantDeclaration) -> None:
        self._api = api
        self._declaration = declaration
        self._stored = _find_application(api, declaration) if self.is_needed else None
        self.id = self._stored["id"] if self._stored else None

    @property
    def name(self) -> str:
        """The name in the tenant, or the declared one. Empty for a site without either."""
        return self._stored["name"] if self._stored else self._declaration.application

    @property
    def is_needed(self) -> bool:
        """Whether the site needs an application. A site that is only an API signs in no users."""
        return bool(self._declaration.application_id or self._declaration.redirect_uris)

    def step(self) -> Step:
        """Return the step that creates or changes it. Raise ConfigurationError if a new one would have no name."""
        if self._stored is None:
            if not self._declaration.application:
                raise ConfigurationError(
                    "The tenant has no application for this site, and a new one needs a name. Pass --name, or set "
                    "`application` in the declaration that LOGTO_TENANT names."
                )
            return creation_step(
                "application", self._declaration.application, _labelled(self._merged(NO_METADATA)), self._create
            )
        stored = self._stored["oidcClientMetadata"]
        merged = self._merged(stored)
        differences = [
            Difference(label, stored.get(key), merged.get(key))
            for key, label in LABELS.items()
            if stored.get(key) != merged.get(key)
        ]
        return change_step("application", f"{self._stored['name']} ({self.id})", differences, self._change)

    def _create(self) -> None:
        # Logto accepts several applications with the same name, so a second one has to be prevented here.
        if _find_application(self._api, self._declaration):
            name = self._declaration.application
            raise ConfigurationError(
                f'An application "{name}" was created in the meantime. Run this again to use that application.'
            )
        metadata = self._merged(NO_METADATA)
        payload: NewApplication = {"name": self._declaration.application, "type": TYPE, "oidcClientMetadata": metadata}
        self.id = self._api.applications.create(payload)["id"]

    def _change(self) -> None:
        assert self.id is not None  # only an existing application is changed
        # Read the current value again, to keep what was added since the plan was made.
        stored = self._api.applications.get(self.id)["oidcClientMetadata"]
        self._api.applications.update(self.id, {"oidcClientMetadata": self._merged(stored)})

    def _merged(self, stored: OidcClientMetadata) -> OidcClientMetadata:
        """Return the stored metadata with the declared values. Logto replaces the whole object."""
        declared = self._declaration
        redirect_uris = merge(stored.get("redirectUris", []), declared.redirect_uris, normalize_uri)
        post_sign_out_uris = merge(stored.get("postLogoutRedirectUris", []), declared.post_sign_out_uris, normalize_uri)
        merged: OidcClientMetadata = {
            **stored,
            "redirectUris": redirect_uris,
            "postLogoutRedirectUris": post_sign_out_uris,
        }
        if declared.back_channel_logout_uri:
            merged["backchannelLogoutUri"] = declared.back_channel_logout_uri
            merged["backchannelLogoutSessionRequired"] = True
        return merged


def _find_application(api: ManagementAPI, declaration: TenantDeclaration) -> Application | None:
    """Return the application with the declared id, or else with the declared name.

    Raise ConfigurationError if the id does not exist or has the wrong type, and if several applications have the name.
    """
    if declaration.application_id:
        return _application_by_id(api, declaration.application_id)
    found = [
        each
        for each in api.applications.all(types=TYPE)
        if each["name"] == declaration.application and _is_usable(each)
    ]
    if len(found) > 1:
        ids = ", ".join(each["id"] for each in found)
        raise ConfigurationError(
            f'{len(found)} applications have the name "{declaration.application}": {ids}. Set LOGTO_APP_ID to the id '
            "of the application to use."
        )
    return found[0] if found else None


def _application_by_id(api: ManagementAPI, id: str) -> Application:
    application = named_application(api, "LOGTO_APP_ID", id)
    if not _is_usable(application):
        kind = f"has the type {application['type']}" if application["type"] != TYPE else "is third-party"
        raise ConfigurationError(
            f'LOGTO_APP_ID names the application "{application["name"]}", which {kind}. Expected a first-party '
            "application of the type Traditional Web. Logto cannot change the type: create another application, or "
            "unset LOGTO_APP_ID to create one."
        )
    return application


def named_application(api: ManagementAPI, setting: str, id: str) -> Application:
    """Return the application that a setting names. Raise ConfigurationError if the tenant has none with this id."""
    try:
        return api.applications.get(id)
    except ManagementAPIError as error:
        if error.status != 404:
            raise
        raise ConfigurationError(
            f"{setting} is {id!r}, but the tenant at {api.base_url} has no such application. Correct the setting, or "
            "unset it to create a new application."
        ) from error


def _is_usable(application: Application) -> bool:
    """Return whether a Django site can sign in users with this application."""
    return application["type"] == TYPE and not application["isThirdParty"]


def _labelled(metadata: OidcClientMetadata) -> dict[str, Any]:
    return {LABELS[key]: value for key, value in metadata.items()}
