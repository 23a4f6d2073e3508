"""What a declaration means for the application that people sign in to."""

from __future__ import annotations

from typing import Any

from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api.client import ManagementAPI
from logto_auth.management_api.types import Application, OidcClientMetadata

from .declaration import TenantDeclaration, normal_uri
from .steps import Difference, Step, change, creation, united

TYPE = "Traditional"
# The Console's words for what is declared.
LABELS = {
    "redirectUris": "redirect URIs",
    "postLogoutRedirectUris": "post sign-out redirect URIs",
    "backchannelLogoutUri": "back-channel logout URI",
    "backchannelLogoutSessionRequired": "session required for back-channel logout",
}


class OwnApplication:
    """The application of a declaration. `id` is its id, None until a step has made it."""

    def __init__(self, api: ManagementAPI, declaration: TenantDeclaration) -> None:
        self._api = api
        self._declaration = declaration
        self._stored = find_application(api, declaration) if self.is_wanted else None
        self.id = self._stored["id"] if self._stored else None

    @property
    def is_wanted(self) -> bool:
        """Whether there is to be one: a site that is an API alone signs nobody in."""
        return bool(self._declaration.application_id or self._declaration.redirect_uris)

    def step(self) -> Step:
        """The step that makes it, or changes it. Raises ConfigurationError where it has to be made and has no name."""
        if self._stored is None:
            if not self._declaration.application:
                raise ConfigurationError(
                    "There is no application yet, and none can be made without a name: give it by --name, or as the "
                    "application of the declaration that LOGTO_TENANT names."
                )
            return creation("application", self._declaration.application, _labelled(self._merged({})), self._create)
        stored = self._stored["oidcClientMetadata"]
        merged = self._merged(stored)
        differences = [
            Difference(label, stored.get(key), merged.get(key))
            for key, label in LABELS.items()
            if stored.get(key) != merged.get(key)
        ]
        return change("application", f"{self._stored['name']} ({self.id})", differences, self._change)

    def _create(self) -> None:
        # Logto lets any number have one name.
        if find_application(self._api, self._declaration):
            name = self._declaration.application
            raise ConfigurationError(f'Somebody has made an application "{name}" meanwhile: run it again, to use that.')
        payload = {"name": self._declaration.application, "type": TYPE, "oidcClientMetadata": self._merged({})}
        self.id = self._api.applications.create(payload)["id"]

    def _change(self) -> None:
        assert self.id is not None  # a change is of what is there
        # Read anew: what somebody else has added since the plan was made stays.
        stored = self._api.applications.get(self.id)["oidcClientMetadata"]
        self._api.applications.update(self.id, {"oidcClientMetadata": self._merged(stored)})

    def _merged(self, stored: OidcClientMetadata) -> OidcClientMetadata:
        """All that is stored, and what is declared: Logto replaces the whole of it."""
        declared = self._declaration
        before = (stored.get("redirectUris", []), stored.get("postLogoutRedirectUris", []))
        merged: OidcClientMetadata = {
            **stored,
            "redirectUris": united(before[0], declared.redirect_uris, normal_uri),
            "postLogoutRedirectUris": united(before[1], declared.post_sign_out_uris, normal_uri),
        }
        if declared.back_channel_logout_uri:
            merged["backchannelLogoutUri"] = declared.back_channel_logout_uri
            merged["backchannelLogoutSessionRequired"] = True
        return merged


def find_application(api: ManagementAPI, declaration: TenantDeclaration) -> Application | None:
    """The application by its id, or else by its name. Raises ConfigurationError for one that is not to be used."""
    if declaration.application_id:
        return _by_id(api, declaration.application_id)
    named = [
        each for each in api.applications.all(types=TYPE) if each["name"] == declaration.application and is_usable(each)
    ]
    if len(named) > 1:
        ids = ", ".join(each["id"] for each in named)
        raise ConfigurationError(
            f'{len(named)} applications are called "{declaration.application}": {ids}. Set LOGTO_APP_ID to the one '
            "that is meant."
        )
    return named[0] if named else None


def is_usable(application: Application) -> bool:
    """Whether a Django site can sign people in with it."""
    return application["type"] == TYPE and not application["isThirdParty"]


def _by_id(api: ManagementAPI, id: str) -> Application:
    try:
        application = api.applications.get(id)
    except ManagementAPIError as error:
        if error.status != 404:
            raise
        raise ConfigurationError(
            f"LOGTO_APP_ID is {id!r}, and {api.base_url} has no such application. Correct it, or unset it to have one "
            "made."
        ) from error
    if not is_usable(application):
        kind = "of the type " + application["type"] if application["type"] != TYPE else "for others (third-party)"
        raise ConfigurationError(
            f'LOGTO_APP_ID names "{application["name"]}", an application {kind}; expected a Traditional Web one of '
            "your own. Logto cannot change that: make another one, or unset LOGTO_APP_ID to have one made."
        )
    return application


def _labelled(metadata: OidcClientMetadata) -> dict[str, Any]:
    return {LABELS[key]: value for key, value in metadata.items()}
