"""The page of applications of other companies to which the user has given access."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from logto_auth.account_api.client import SESSIONS_SCOPE
from logto_auth.account_api.types import Grant
from logto_auth.exceptions import InvalidValue

from .page import AccountPage
from .times import local_time

__all__ = ["ApplicationsPage", "ConnectedApplication"]

# Scopes of Logto in words. Scopes of APIs are shown as they are.
SCOPE_TEXTS: dict[str, str | Promise] = {
    "openid": _("Know your user ID"),
    "profile": _("See your name, username and picture"),
    "email": _("See your e-mail address"),
    "phone": _("See your phone number"),
    "address": _("See your postal address"),
    "custom_data": _("See additional data of your account"),
    "identities": _("See your linked accounts"),
    "roles": _("See your roles"),
    "offline_access": _("Keep access while you are not using it"),
    "urn:logto:scope:organizations": _("See your organizations"),
    "urn:logto:scope:organization_roles": _("See your roles in organizations"),
    "urn:logto:scope:sessions": _("See where you are signed in"),
}


@dataclass(frozen=True)
class ConnectedApplication:
    """An application, with all that the user has granted to it."""

    id: str
    name: str
    permissions: tuple[str, ...]
    """What it may do, in words."""
    api_scopes: tuple[str, ...]
    """Permissions that have no words: those of APIs and organizations."""
    since: datetime | None
    grant_ids: tuple[str, ...]


def connected_applications(grants: Iterable[Grant]) -> list[ConnectedApplication]:
    """Return the applications of the grants, by name. Each sign-in of an application has a grant of its own."""
    by_application: dict[str, list[Grant]] = {}
    for grant in grants:
        application_id = _application(grant).get("id")
        if isinstance(application_id, str) and isinstance(grant.get("id"), str):
            by_application.setdefault(application_id, []).append(grant)
    applications = [_connected(id, granted) for id, granted in by_application.items()]
    return sorted(applications, key=lambda application: (application.name.casefold(), application.id))


def _connected(id: str, grants: list[Grant]) -> ConnectedApplication:
    scopes = dict.fromkeys(scope for grant in grants for scope in _scopes(grant))
    return ConnectedApplication(
        id=id,
        name=str(_application(grants[0]).get("name") or id),
        permissions=tuple(str(text) for scope, text in SCOPE_TEXTS.items() if scope in scopes),
        api_scopes=tuple(scope for scope in scopes if scope not in SCOPE_TEXTS),
        since=min(filter(None, (_issued_at(grant) for grant in grants)), default=None),
        grant_ids=tuple(grant["id"] for grant in grants),
    )


def _application(grant: Grant) -> dict[str, Any]:
    return _object(grant.get("application"))


def _scopes(grant: Grant) -> Iterable[str]:
    """Return the scopes of a grant: those of the user, and those of APIs and organizations.

    Source: the stored form of a grant of node-oidc-provider.
    """
    payload = _object(grant.get("payload"))
    yield from _words(_object(payload.get("openid")).get("scope"))
    for scope in _object(payload.get("resources")).values():
        yield from _words(scope)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _words(value: object) -> list[str]:
    return value.split() if isinstance(value, str) else []


def _issued_at(grant: Grant) -> datetime | None:
    return local_time(_object(grant.get("payload")).get("iat"))


class ApplicationsPage(AccountPage):
    """Show the third-party applications that have access to the account, and take it from them."""

    template_name = "applications.html"
    section = "applications"
    scopes = (SESSIONS_SCOPE,)
    field = "session"
    actions = {"revoke": "revoke"}
    done_texts = {"revoked": _("The application no longer has access to your account.")}

    def check(self) -> HttpResponseBase | None:
        """Return None if the user has proved who they are, which Logto requires to list the applications."""
        response = super().check()
        if response is not None:
            return response
        return None if self.account.is_verified else self.verification_response()

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Return the page."""
        return self.render({"applications": self.applications(), "may_edit": self.may_edit("session")})

    def applications(self) -> list[ConnectedApplication]:
        """Return the third-party applications, by one call. Raise LogtoError."""
        return connected_applications(self.account.grants(app_type="thirdParty"))

    def revoke(self) -> HttpResponseBase:
        """Revoke all grants of an application. One that has none already counts as revoked. Raise LogtoError."""
        id = self.request.POST.get("application", "")
        # Only ids that Logto has just listed as the user's own are sent back to it.
        for application in self.applications():
            if application.id == id:
                for grant_id in application.grant_ids:
                    self.revoke_grant(grant_id)
        return self.done("revoked")

    def revoke_grant(self, id: str) -> None:
        """Revoke a grant, which may be gone already. Raise LogtoError."""
        try:
            self.account.revoke_grant(id)
        except InvalidValue as error:
            if error.field != "grant":
                raise
