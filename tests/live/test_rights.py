"""Roles, and the three models of permissions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import requests

from logto_auth.oidc.errors import ProviderError, TokenError
from logto_auth.oidc.http import HTTPClient
from logto_auth.oidc.provider import Provider
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.token_exchange import TokenExchange

from .conftest import PASSWORD, MakePerson
from .people import Person
from .sites import Site

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


@dataclass(frozen=True)
class Rights:
    """What `site/declaration.py` declares, as it is at Logto."""

    site: Site

    @property
    def resource(self) -> str:
        return f"https://{self.site.target.run.replace('_', '-')}.example/api"

    def give_role(self, user: Person, role: str = "editor") -> None:
        self._api.post(f"users/{user.id}/roles", {"roleIds": [self._id("roles", role)]})

    def take_role(self, user: Person) -> None:
        self._api.delete(f"users/{user.id}/roles/{self._id('roles', 'editor')}")

    def make_machine(self, role: str) -> dict[str, str]:
        """Return a machine-to-machine application with the role."""
        payload = {"name": f"{self.site.target.run} machine", "type": "MachineToMachine"}
        machine: dict[str, str] = self._api.post("applications", payload)
        self._api.post(f"applications/{machine['id']}/roles", {"roleIds": [self._id("roles", role)]})
        return machine

    def machine_token(self, machine: dict[str, str]) -> str:
        """Return an access token of the machine for the API of the site."""
        [secret] = self._api.get(f"applications/{machine['id']}/secrets")
        fields = {"grant_type": "client_credentials", "resource": self.resource, "scope": "read:books write:books"}
        url, auth = f"{self.site.target.endpoint}/oidc/token", (machine["id"], secret["value"])
        token: str = requests.post(url, data=fields, auth=auth, timeout=30).json()["access_token"]
        return token

    def exchange_client(self, machine: dict[str, str]) -> TokenExchange:
        """Return a new client that exchanges tokens as the machine, as in another process."""
        [secret] = self._api.get(f"applications/{machine['id']}/secrets")
        http = HTTPClient(connect_seconds=5, total_seconds=30)
        issuer = f"{self.site.target.endpoint}/oidc"
        return TokenExchange(
            Provider(issuer=issuer, algorithms=("ES384",), http=http),
            client_id=machine["id"],
            client_secret=Secret(secret["value"]),
            leeway_seconds=60,
        )

    def make_organization(self, name: str) -> str:
        organization_id: str = self._api.post("organizations", {"name": f"{self.site.target.run} {name}"})["id"]
        return organization_id

    def add_member(self, organization_id: str, user: Person, role: str = "") -> None:
        self._api.post(f"organizations/{organization_id}/users", {"userIds": [user.id]})
        if role:
            role_ids = {"organizationRoleIds": [self._id("organization-roles", role)]}
            self._api.put(f"organizations/{organization_id}/users/{user.id}/roles", role_ids)

    def _id(self, path: str, name: str) -> str:
        name = f"{self.site.target.run} {name}"
        found: str = next(each["id"] for each in self._api.all(path) if each["name"] == name)
        return found

    @property
    def _api(self) -> Any:
        return self.site.target.api


@pytest.fixture
def rights(shop: Site) -> Rights:
    return Rights(shop)


@pytest.fixture
def branches(rights: Rights) -> tuple[str, str]:
    """The ids of two organizations."""
    return rights.make_organization("harbour"), rights.make_organization("hill")


def call(site: Site, path: str, user: Person, **query: str) -> int:
    """Return the status of an API call with an access token of the user."""
    answer = user.get(site, "/token/", **query)
    assert answer.status_code == 200, answer.text
    return call_with(site, path, answer.json()["token"])


def call_with(site: Site, path: str, token: str) -> int:
    """Return the status of an API call with this access token."""
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(site.url + path, headers=headers, allow_redirects=False, timeout=30).status_code


def test_role_comes_and_goes(shop: Site, rights: Rights, make_person: MakePerson) -> None:
    editor = make_person("editor")
    assert editor.sign_in(shop)["roles"] == []
    assert editor.get(shop, "/desk/").status_code == 403
    rights.give_role(editor)
    editor.get(shop, "/refresh/")
    assert editor.at(shop)["roles"] == [f"{shop.target.run} editor"]
    assert editor.get(shop, "/desk/").status_code == 200
    rights.take_role(editor)
    editor.get(shop, "/refresh/")
    assert editor.get(shop, "/desk/").status_code == 403


def test_permissions_of_an_api(shop: Site, rights: Rights, make_person: MakePerson) -> None:
    editor, customer = make_person("author"), make_person("customer")
    rights.give_role(editor)
    for user, page, api in ((editor, 200, 200), (customer, 403, 403)):
        user.sign_in(shop)
        assert user.get(shop, "/books/add/").status_code == page
        assert call(shop, "/api/books/", user, resource=rights.resource) == api


def test_permissions_of_a_machine(shop: Site, rights: Rights) -> None:
    machine = rights.make_machine("robot")
    token = rights.machine_token(machine)
    assert call_with(shop, "/api/books/", token) == 200
    assert call_with(shop, "/api/books/add/", token) == 403


def test_permissions_of_an_exchanged_token(shop: Site, rights: Rights, make_person: MakePerson) -> None:
    author = make_person("script_author")
    rights.give_role(author)
    author.sign_in(shop)
    machine = rights.make_machine("robot")
    first, second = rights.exchange_client(machine), rights.exchange_client(machine)
    wanted = {"resource": rights.resource, "scopes": ["read:books"]}
    subject_token = shop.target.api.post("subject-tokens", {"userId": author.id})["subjectToken"]
    with pytest.raises(ProviderError, match="Allow token exchange"):
        first.exchange_subject_token(subject_token, **wanted)
    metadata = {"customClientMetadata": {"allowTokenExchange": True}}
    shop.target.api.patch(f"applications/{machine['id']}", metadata)

    path = f"users/{author.id}/personal-access-tokens"
    personal = shop.target.api.post(path, {"name": "script"})["value"]
    tokens = [
        first.exchange_subject_token(subject_token, **wanted),
        first.exchange_personal_access_token(personal, **wanted),
    ]
    tokens.append(first.exchange_access_token(tokens[1].access_token, **wanted))
    opaque = first.exchange_personal_access_token(personal, scopes=["openid"]).access_token
    tokens.append(first.exchange_access_token(opaque, actor_token=opaque, **wanted))
    assert [token.actor_sub for token in tokens] == [None, None, None, author.id]
    for token in tokens:
        assert (token.sub, token.scopes) == (author.id, {"read:books"})
        assert call_with(shop, "/api/books/", token.access_token.reveal()) == 200
        assert call_with(shop, "/api/books/add/", token.access_token.reveal()) == 403

    shop.target.api.delete(f"{path}/script")
    for client in (first, second):
        with pytest.raises(TokenError, match=r"once|already used"):
            client.exchange_subject_token(subject_token, **wanted)
    with pytest.raises(TokenError, match="deleted or expired"):
        second.exchange_personal_access_token(personal, **wanted)


def test_permissions_in_an_organization(
    shop: Site, rights: Rights, branches: tuple[str, str], make_person: MakePerson
) -> None:
    harbour, hill = branches
    manager = make_person("manager")
    rights.add_member(harbour, manager, "manager")
    rights.add_member(hill, manager)
    assert manager.sign_in(shop)["organizations"] == {harbour: [f"{shop.target.run} manager"], hill: []}
    assert manager.get(shop, f"/branches/{harbour}/stock/").status_code == 200
    assert manager.get(shop, f"/branches/{hill}/stock/").status_code == 403
    path = f"/api/branches/{harbour}/stock/"
    assert call(shop, path, manager, organization_id=harbour) == 200
    assert call(shop, path, manager, organization_id=hill) == 403


def test_permissions_of_an_api_in_an_organization(
    shop: Site, rights: Rights, branches: tuple[str, str], make_person: MakePerson
) -> None:
    harbour, hill = branches
    clerk = make_person("clerk")
    rights.add_member(harbour, clerk, "clerk")
    rights.add_member(hill, clerk)
    clerk.sign_in(shop)
    query = {"resource": rights.resource}
    assert call(shop, f"/api/branches/{harbour}/books/", clerk, organization_id=harbour, **query) == 200
    assert call(shop, f"/api/branches/{hill}/books/", clerk, organization_id=hill, **query) == 403
    assert call(shop, f"/api/branches/{hill}/books/", clerk, organization_id=harbour, **query) == 403


def test_member_loses_the_organization(
    shop: Site, rights: Rights, branches: tuple[str, str], make_person: MakePerson
) -> None:
    harbour, _ = branches
    member = make_person("member")
    rights.add_member(harbour, member)
    member.sign_in(shop)
    assert member.get(shop, f"/branches/{harbour}/").status_code == 200
    shop.target.api.delete(f"organizations/{harbour}/users/{member.id}")
    member.get(shop, "/refresh/")
    assert member.at(shop)["organizations"] == {}
    assert member.get(shop, f"/branches/{harbour}/").status_code == 403


def test_invitation_of_a_user(shop: Site, rights: Rights, branches: tuple[str, str], make_person: MakePerson) -> None:
    email = f"{shop.target.run}_guest@example.com"
    guest = make_person("guest", primaryEmail=email)
    found = accept_invitation(shop, guest, email, branches[0])
    assert (found["sub"], found["organizations"]) == (guest.id, {branches[0]: []})


def test_invitation_of_a_new_user(shop: Site, branches: tuple[str, str]) -> None:
    email = f"{shop.target.run}_newcomer@example.com"
    newcomer = Person(shop.target, f"{shop.target.run}_newcomer", PASSWORD)
    found = accept_invitation(shop, newcomer, email, branches[0])
    assert found["organizations"] == {branches[0]: []}
    assert shop.target.api.get(f"users/{found['sub']}")["primaryEmail"] == email
    newcomer.close()


def accept_invitation(site: Site, user: Person, email: str, organization_id: str) -> dict[str, Any]:
    """Open the link of an invitation, press its button, and return who the user is at the site."""
    context = {"jitOrganizationIds": [organization_id]}
    token = site.target.api.post("one-time-tokens", {"email": email, "context": context})["token"]
    query = f"token={token}&email={email}&next=/"
    assert user.get(site, f"/accept-invitation?{query}").status_code == 200
    answer = user.post(site, f"/accept-invitation?{query}")
    assert answer.status_code == 302, answer.text
    return user.arrive(site, user.sign_in_by_link(answer.headers["Location"]))
