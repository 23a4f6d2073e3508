"""The part of a plan about third-party applications."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from logto_auth.exceptions import ConfigurationError
from logto_auth.management_api import ManagementAPI

from .consent_scope_steps import NO_CONSENT_SCOPES, DeclaredConsentScopes
from .permissions import DeclaredPermissions
from .roles import DeclaredOrganizationTemplate
from .steps import Step, change_step, creation_step, list_difference, merge
from .third_party import ThirdPartyApplication, third_party_label
from .uris import normalize_uri

if TYPE_CHECKING:
    from logto_auth.management_api.types import Application, NewApplication, OidcClientMetadata

__all__ = ["THIRD_PARTY_APPLICATION", "ThirdPartyApplications", "find_third_party"]

THIRD_PARTY_APPLICATION: Final = "third-party application"
REDIRECT_URIS: Final = "redirect URIs"


class ThirdPartyApplications:
    """The third-party applications of a declaration. Their steps come after those of permissions and roles."""

    def __init__(
        self,
        api: ManagementAPI,
        applications: Sequence[ThirdPartyApplication],
        permissions: DeclaredPermissions,
        template: DeclaredOrganizationTemplate,
    ) -> None:
        self._api = api
        self._declared = applications
        self._permissions = permissions
        self._template = template
        self._ids: dict[str, str] = {}

    @property
    def ids(self) -> Mapping[str, str]:
        """The App IDs by name, which are the `client_id` of each. One that does not exist yet is missing."""
        return self._ids

    def steps(self) -> Iterator[Step]:
        """Yield a step for each application.

        Raise ConfigurationError if an application has another type, if several have the name, and if a permission is
        neither declared nor in the tenant.
        """
        stored = self._stored() if self._declared else []
        for declared in self._declared:
            scopes = DeclaredConsentScopes(third_party_label(declared), declared, self._permissions, self._template)
            found = find_third_party(declared, stored)
            if found is None:
                yield self._creation_step(declared, scopes)
            else:
                self._ids[declared.name] = found["id"]
                yield self._change_step(declared, scopes, found)

    def _stored(self) -> list[Application]:
        return list(self._api.applications.all(isThirdParty=True))

    def _creation_step(self, declared: ThirdPartyApplication, scopes: DeclaredConsentScopes) -> Step:
        shown = {"type": declared.type, REDIRECT_URIS: _merged_uris([], declared), **scopes.properties()}
        return creation_step(THIRD_PARTY_APPLICATION, declared.name, shown, partial(self._create, declared, scopes))

    def _create(self, declared: ThirdPartyApplication, scopes: DeclaredConsentScopes) -> None:
        # Logto accepts several applications with the same name, so a second one has to be prevented here.
        if find_third_party(declared, self._stored()) is not None:
            raise ConfigurationError(
                f"The {third_party_label(declared)} was created in the meantime. Run this again to use that "
                "application."
            )
        payload: NewApplication = {
            "name": declared.name,
            "type": declared.type,
            "isThirdParty": True,
            "oidcClientMetadata": {"redirectUris": _merged_uris([], declared), "postLogoutRedirectUris": []},
        }
        id = self._api.applications.create(payload)["id"]
        self._ids[declared.name] = id
        scopes.send(
            NO_CONSENT_SCOPES,
            add=partial(self._api.applications.add_user_consent_scopes, id),
            remove=partial(self._api.applications.remove_user_consent_scope, id),
        )

    def _change_step(self, declared: ThirdPartyApplication, scopes: DeclaredConsentScopes, found: Application) -> Step:
        id, stored_uris = found["id"], found["oidcClientMetadata"].get("redirectUris", [])
        uris = list_difference(REDIRECT_URIS, stored_uris, declared.redirect_uris, normalize_uri)
        applications = self._api.applications

        def send() -> None:
            # Read the current values again, to keep what was added since the plan was made.
            if uris:
                stored = applications.get(id)["oidcClientMetadata"]
                metadata: OidcClientMetadata = {
                    **stored,
                    "redirectUris": _merged_uris(stored.get("redirectUris", []), declared),
                }
                applications.update(id, {"oidcClientMetadata": metadata})
            scopes.send(
                applications.user_consent_scopes(id),
                add=partial(applications.add_user_consent_scopes, id),
                remove=partial(applications.remove_user_consent_scope, id),
            )

        differences = [uris, *scopes.differences(applications.user_consent_scopes(id))]
        return change_step(THIRD_PARTY_APPLICATION, declared.name, differences, send)


def find_third_party(declared: ThirdPartyApplication, stored: Iterable[Application]) -> Application | None:
    """Return the third-party application with the declared name.

    Raise ConfigurationError if several have it, and if it has another type.
    """
    found = [each for each in stored if each["isThirdParty"] and each["name"] == declared.name]
    if len(found) > 1:
        ids = ", ".join(each["id"] for each in found)
        raise ConfigurationError(
            f'{len(found)} third-party applications have the name "{declared.name}": {ids}. Rename all but the one '
            "that is declared, in the Logto Console."
        )
    for application in found:
        if application["type"] != declared.type:
            raise ConfigurationError(
                f"The {third_party_label(declared)} ({application['id']}) has the type {application['type']} in the "
                f"tenant and the type {declared.type} in the declaration. Logto cannot change the type: declare "
                "another name, or delete the application in the tenant."
            )
    return found[0] if found else None


def _merged_uris(stored: Sequence[str], declared: ThirdPartyApplication) -> list[str]:
    return merge(stored, declared.redirect_uris, normalize_uri)
