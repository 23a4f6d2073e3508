"""The callers of APIs in tests: users with an app, and a machine-to-machine application."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.emulator.relying_party import CALLBACK, RelyingParty
from tests.rights import API, HARBOUR, ORGANIZATIONS, OTHER_API, SCOPES

CHALLENGE = 'Bearer resource_metadata="http://testserver/.well-known/oauth-protected-resource/api"'


class App:
    """A native app of the store: gets tokens from Logto for its users."""

    def __init__(self, logto: Emulator) -> None:
        self.logto = logto
        application = logto.tenant.add_application(name="App", type="Native", redirect_uris=[CALLBACK])
        self.id = application.id
        self._party = RelyingParty(logto, application)

    def token(self, username: str, **target: str) -> str:
        """Return an access token of this user for `resource`, `organization_id` or both, else the opaque one."""
        tokens = self.tokens(username)
        if not target:
            return tokens["access_token"]
        answer = self._party.refresh(tokens["refresh_token"], **target)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def tokens(self, username: str) -> dict[str, Any]:
        """Return the token response for a sign-in of this user."""
        return self._party.sign_in(username, scope=" ".join(SCOPES), resource=[API, OTHER_API, ORGANIZATIONS])

    def close(self) -> None:
        self._party.http.close()


class Robot:
    """A machine-to-machine application."""

    def __init__(self, logto: Emulator) -> None:
        self.logto = logto
        application = logto.tenant.add_application(name="Robot", type="MachineToMachine", roles=["robot"])
        logto.tenant.add_organization_application(HARBOUR, application.id, roles=["keeper"])
        self.id = application.id
        self._party = RelyingParty(logto, application)

    def token(self, scope: str = "read:books write:books manage:stock", **target: str) -> str:
        answer = self._party.post("token", grant_type="client_credentials", scope=scope, **target)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def close(self) -> None:
        self._party.http.close()


def call(path: str, token: str | None = None, method: str = "get", client: Client | None = None, **options: Any) -> Any:
    """Return the response to a call with this token."""
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return getattr(client or Client(), method)(path, headers={**headers, **options.pop("headers", {})}, **options)


def has_been_here(logto: Emulator, username: str) -> Browser:
    """Sign this user in to the site, which then has the account and its roles."""
    browser = Browser(logto)
    browser.sign_in(username)
    return browser


def parameters_of(challenge: str) -> dict[str, str]:
    """Return the parameters of a `WWW-Authenticate` with the scheme Bearer."""
    scheme, _, rest = challenge.partition(" ")
    assert scheme == "Bearer"
    assert re.fullmatch(r'(\w+="[^"\\]*"(, |$))+', rest), "RFC 9110, section 11.6.1"
    return dict(re.findall(r'(\w+)="([^"]*)"', rest))
