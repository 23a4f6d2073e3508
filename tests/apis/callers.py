"""Who calls an API in these tests: people through an application of theirs, and a machine."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.emulator.relying_party import CALLBACK, RelyingParty

API = "https://bookstore.example/api"
OTHER_API = "https://library.example/api"
HARBOUR = "harbourbr001"
HILL = "hillbranch01"
SCOPE = (
    "openid offline_access profile urn:logto:scope:organizations urn:logto:scope:organization_roles "
    "read:books write:books manage:stock"
)
CHALLENGE = 'Bearer resource_metadata="http://testserver/.well-known/oauth-protected-resource/api"'


def set_up(logto: Emulator) -> None:
    """An API with two permissions, two branches, and people and a machine with some rights in them."""
    tenant = logto.tenant
    books = ["read:books", "write:books"]
    tenant.add_resource(API, scopes=books)
    tenant.add_resource(OTHER_API, scopes=books)
    tenant.add_role("editor", scopes={API: books, OTHER_API: books})
    tenant.add_role("reader", scopes={API: books[:1]})
    tenant.add_role("robot", type="MachineToMachine", scopes={API: books})
    tenant.add_organization_role("manager", scopes=["manage:stock"], resource_scopes={API: books[1:]})
    tenant.add_organization_role("staff")
    tenant.add_organization_role("keeper", scopes=["manage:stock"], type="MachineToMachine")
    for name, id in (("Harbour Branch", HARBOUR), ("Hill Branch", HILL)):
        tenant.add_organization(name, id=id)
    for username, roles in (("editor", ["editor"]), ("reader", ["reader"]), ("customer", [])):
        tenant.add_user(username=username, id=f"{username}000001", name=username.capitalize(), roles=roles)
    tenant.add_member(HARBOUR, "editor000001", roles=["manager"])
    tenant.add_member(HILL, "editor000001", roles=["staff"])
    tenant.add_member(HARBOUR, "reader000001", roles=["staff"])


class App:
    """The store's application on people's phones: asks Logto for tokens, and shows them to the API."""

    def __init__(self, logto: Emulator) -> None:
        self.logto = logto
        application = logto.tenant.add_application(name="App", type="Native", redirect_uris=[CALLBACK])
        self.id = application.id
        self._party = RelyingParty(logto, application)

    def token(self, username: str, **target: str) -> str:
        """An access token of this person for `resource`, `organization_id` or both; without, the opaque one."""
        tokens = self.tokens(username)
        if not target:
            return tokens["access_token"]
        answer = self._party.refresh(tokens["refresh_token"], **target)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    def tokens(self, username: str) -> dict[str, Any]:
        """What Logto gives for a sign-in of this person."""
        resources = [API, OTHER_API, "urn:logto:resource:organizations"]
        return self._party.sign_in(username, scope=SCOPE, resource=resources)

    def close(self) -> None:
        self._party.http.close()


class Robot:
    """A machine that calls in its own name."""

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
    """The site's answer to a call with this token."""
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return getattr(client or Client(), method)(path, headers={**headers, **options.pop("headers", {})}, **options)


def has_been_here(logto: Emulator, username: str) -> Browser:
    """Let this person sign in to the site itself: it has their account then, and knows their roles."""
    browser = Browser(logto)
    browser.sign_in(username)
    return browser


def parameters_of(challenge: str) -> dict[str, str]:
    """The parameters of a `WWW-Authenticate` whose scheme is Bearer."""
    scheme, _, rest = challenge.partition(" ")
    assert scheme == "Bearer"
    assert re.fullmatch(r'(\w+="[^"\\]*"(, |$))+', rest), "RFC 9110, section 11.6.1"
    return dict(re.findall(r'(\w+)="([^"]*)"', rest))
