"""The console of organizations: what owners and managers do there, and what it changes for everybody at once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from logto_auth.emulator.visitors.page_reader import Form, forms_of

from .conftest import PASSWORD, MakePerson, opened
from .mailbox import Mailbox
from .people import Person
from .sites import Site, eventually
from .targets import Target

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

# Users stay until the end of the run.
PEOPLE = itertools.count()


@pytest.fixture(scope="session")
def agency(target: Target, tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Site]:
    """A site with the console, which every user may use to open a branch. It gets no webhooks."""
    site = Site(target, "agency", tmp_path_factory.mktemp("agency"), has_webhooks=False, has_console=True)
    with opened(site, empty_database):
        yield site


@dataclass(frozen=True)
class Branch:
    """An organization that its owner has made with the console."""

    site: Site
    id: str
    owner: Person

    def path(self, page: str = "") -> str:
        return f"/organizations/{self.id}/{page}"

    def role(self, name: str) -> str:
        return f"{self.site.target.run} {name}"

    def roles_of(self, user_id: str) -> list[str] | None:
        """Return the roles that Logto has for a member; None for a user who is none."""
        members = self.site.target.api.all(f"organizations/{self.id}/users")
        found = next((each for each in members if each["id"] == user_id), None)
        return None if found is None else sorted(each["name"] for each in found["organizationRoles"])

    def add_member(self, user: Person, role: str = "") -> None:
        """Add a member at Logto, without the console."""
        api = self.site.target.api
        api.post(f"organizations/{self.id}/users", {"userIds": [user.id]})
        if role:
            api.put(f"organizations/{self.id}/users/{user.id}/roles", {"organizationRoleNames": [self.role(role)]})


@pytest.fixture
def new_person(agency: Site, make_person: MakePerson) -> MakePerson:
    """A function that makes a user with an e-mail address, signed in at the agency."""

    def make(who: str, *, signs_in: bool = True) -> Person:
        name = f"{who}{next(PEOPLE)}"
        person = make_person(name, primaryEmail=address(agency, name))
        if signs_in:
            person.sign_in(agency)
        return person

    return make


@pytest.fixture
def branch(agency: Site, new_person: MakePerson) -> Branch:
    return open_branch(agency, new_person("owner"))


def address(site: Site, who: str) -> str:
    return f"{site.target.run}_{who}@{site.target.run.replace('_', '-')}.example"


def open_branch(site: Site, owner: Person) -> Branch:
    arrived = submit(owner, site, "/organizations/new", "create", name=f"{site.target.run} branch")
    path = urlsplit(arrived.url).path
    assert arrived.status_code == 200, (arrived.status_code, arrived.url, arrived.text, site.log())
    return Branch(site, path.split("/")[2], owner)


def form_of(page: requests.Response, *fields: str) -> Form:
    """Return the form of a page of the site that has these fields."""
    assert page.status_code == 200, (page.status_code, page.text)
    found = [each for each in forms_of(page) if {name for name, _ in each.fields} >= {"csrfmiddlewaretoken", *fields}]
    assert found, page.text
    return found[0]


def send(
    person: Person, site: Site, path: str, action: str = "", has: tuple[str, ...] = (), **fields: Any
) -> requests.Response:
    """Fill in the form of a page, press its button, and return the response."""
    form = form_of(person.get(site, path), *(has or fields))
    data: dict[str, Any] = {**dict(form.fields), **({"action": action} if action else {}), **fields}
    return person._send("POST", site, form.action, data=data)


def submit(person: Person, site: Site, path: str, action: str = "", **fields: Any) -> requests.Response:
    """Fill in the form of a page, press its button, and return the page to which that leads."""
    response = send(person, site, path, action, **fields)
    assert response.status_code == 302, (response.status_code, response.text, site.log())
    return person.follow(site, response.headers["Location"])


def invite(branch: Branch, inviter: Person, email: str, role: str, mailbox: Mailbox) -> str:
    """Invite a user, and return the link in the e-mail."""
    role_ids = dict_of_roles(branch)
    answer = call(inviter, branch, "invitations/", "POST", {"email": email, "roles": [role_ids[role]]})
    assert answer.status_code == 201, answer.text
    assert "/invitation/" not in answer.text
    link = mailbox.link_for(email)
    assert link.startswith(f"{branch.site.url}/organizations/invitation/"), link
    return link


def dict_of_roles(branch: Branch) -> dict[str, str]:
    return {name: branch.role(name) for name in ("owner", "manager", "clerk")}


def call(person: Person, branch: Branch, path: str, method: str = "GET", json: Any = None) -> requests.Response:
    """Call an endpoint of the console with the session of the person."""
    person.get(branch.site, "/page/")
    csrf_token = person._session(branch.site).cookies.get("csrftoken", "")
    headers = {"X-CSRFToken": csrf_token, "Referer": branch.site.url}
    return person._send(method, branch.site, f"/api/organizations/{branch.id}/{path}", json=json, headers=headers)


def status(person: Person, branch: Branch, page: str = "") -> int:
    return person.get(branch.site, branch.path(page)).status_code


def test_set_up_makes_declared_organizations(agency: Site) -> None:
    api, run = agency.target.api, agency.target.run
    [office] = [each["id"] for each in api.all("organizations") if each["name"] == f"{run} head office"]
    [robot] = api.get(f"organizations/{office}/applications", page=1, page_size=20)
    assert [each["name"] for each in robot["organizationRoles"]] == [f"{run} stock robot"]
    assert len(api.get(f"organizations/{office}/jit/email-domains")) == 1
    assert [each["name"] for each in api.get(f"organizations/{office}/jit/roles")] == [f"{run} clerk"]
    assert {step["action"] for step in agency.command_json("logto_setup", "--check")["steps"]} == {"nothing"}


def test_owner_opens_a_branch_and_has_the_rights_at_once(agency: Site, new_person: MakePerson) -> None:
    owner = new_person("founder")
    branch = open_branch(agency, owner)
    assert branch.roles_of(owner.id) == [branch.role("owner")]
    # In the same session, without another sign-in.
    assert owner.at(agency)["organizations"] == {branch.id: [branch.role("owner")]}
    assert owner.get(agency, f"/branches/{branch.id}/stock/").status_code == 200
    for page in ("", "members", "invitations", "joining"):
        assert status(owner, branch, page) == 200, page
    assert status(new_person("stranger"), branch) == 404


def test_newcomer_follows_an_invitation(branch: Branch, mailbox: Mailbox) -> None:
    site = branch.site
    email = address(site, f"newcomer{next(PEOPLE)}")
    link = invite(branch, branch.owner, email, "manager", mailbox)
    with closing(Person(site.target, email.partition("@")[0], PASSWORD)) as newcomer:
        page = newcomer.get(site, link)
        assert email in page.text
        answer = send(newcomer, site, link)
        assert answer.status_code == 302, answer.text
        assert parse_qs(urlsplit(answer.headers["Location"]).query)["login_hint"] == [email]
        arrived = newcomer.follow(site, newcomer.sign_in_by_link(answer.headers["Location"]))
        assert (arrived.status_code, urlsplit(arrived.url).path) == (200, branch.path())
        found = newcomer.at(site)
        assert found["organizations"] == {branch.id: [branch.role("manager")]}
        assert branch.roles_of(found["sub"]) == [branch.role("manager")]
        assert newcomer.get(site, f"/branches/{branch.id}/stock/").status_code == 200
    # A link works once.
    with closing(Person(site.target)) as another_browser:
        assert another_browser.get(site, link).status_code == 409


def test_link_signs_nobody_in_to_an_account(branch: Branch, new_person: MakePerson, mailbox: Mailbox) -> None:
    site, guest = branch.site, new_person("guest", signs_in=False)
    email = site.target.api.get(f"users/{guest.id}")["primaryEmail"]
    link = invite(branch, branch.owner, email, "clerk", mailbox)
    answer = send(guest, site, link)
    assert "one_time_token" not in answer.headers["Location"]
    callback = guest.logto.sign_in(answer.headers["Location"], guest.username, guest.password)
    arrived = guest.follow(site, callback)
    assert urlsplit(arrived.url).path == branch.path(), arrived.text
    assert branch.roles_of(guest.id) == [branch.role("clerk")]
    # A role with permissions of an API: its token has them after the one silent round trip.
    token = guest.get(site, "/token/", organization_id=branch.id, resource=resource(site)).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.get(f"{site.url}/api/branches/{branch.id}/books/", headers=headers, timeout=30).status_code == 200


def resource(site: Site) -> str:
    return f"https://{site.target.run.replace('_', '-')}.example/api"


def test_another_user_cannot_accept(branch: Branch, new_person: MakePerson, mailbox: Mailbox) -> None:
    site, thief = branch.site, new_person("thief")
    email = address(site, f"invited{next(PEOPLE)}")
    link = invite(branch, branch.owner, email, "manager", mailbox)
    assert email in thief.get(site, link).text
    answer = send(thief, site, link)
    # Not accepted, but sent to Logto as the invited user.
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["login_hint"] == [email]
    assert branch.roles_of(thief.id) is None


def test_revoked_invitation(branch: Branch, mailbox: Mailbox) -> None:
    email = address(branch.site, f"revoked{next(PEOPLE)}")
    link = invite(branch, branch.owner, email, "clerk", mailbox)
    [invitation] = call(branch.owner, branch, "invitations/").json()["invitations"]
    again = call(branch.owner, branch, "invitations/", "POST", {"email": email.title(), "roles": []})
    assert (again.status_code, again.json()["code"]) == (409, "already_invited")
    assert call(branch.owner, branch, f"invitations/{invitation['id']}/resend/", "POST").status_code < 300
    assert call(branch.owner, branch, f"invitations/{invitation['id']}/", "DELETE").status_code == 204
    with closing(Person(branch.site.target)) as another_browser:
        assert another_browser.get(branch.site, link).status_code == 409


def test_manager_grants_only_what_the_declaration_allows(branch: Branch, new_person: MakePerson) -> None:
    manager = new_person("manager", signs_in=False)
    branch.add_member(manager, "manager")
    manager.sign_in(branch.site)
    email = address(branch.site, f"friend{next(PEOPLE)}")
    for role, expected in (("owner", 403), ("manager", 403), ("clerk", 201)):
        body = {"email": email, "roles": [branch.role(role)]}
        assert call(manager, branch, "invitations/", "POST", body).status_code == expected, role
    assert call(manager, branch, f"members/{branch.owner.id}/", "DELETE").status_code == 403
    assert status(manager, branch, "joining") == 403


def test_role_and_removal_change_the_open_session_of_a_member(branch: Branch, new_person: MakePerson) -> None:
    site, member = branch.site, new_person("member", signs_in=False)
    branch.add_member(member)
    member.sign_in(site)
    assert member.get(site, f"/branches/{branch.id}/stock/").status_code == 403
    changed = call(branch.owner, branch, f"members/{member.id}/", "PATCH", {"roles": [branch.role("manager")]})
    assert changed.status_code == 200, changed.text
    assert member.get(site, f"/branches/{branch.id}/stock/").status_code == 200
    assert call(branch.owner, branch, f"members/{member.id}/", "DELETE").status_code == 204
    assert member.at(site)["organizations"] == {}
    assert status(member, branch) == 404
    gone = call(branch.owner, branch, f"members/{member.id}/", "DELETE")
    assert (gone.status_code, gone.json()["code"]) == (404, "member_gone")


def test_former_manager_cannot_act_with_an_open_session(branch: Branch, new_person: MakePerson) -> None:
    manager = new_person("former", signs_in=False)
    branch.add_member(manager, "manager")
    manager.sign_in(branch.site)
    assert status(manager, branch, "invitations") == 200
    api = branch.site.target.api
    api.put(f"organizations/{branch.id}/users/{manager.id}/roles", {"organizationRoleIds": []})
    assert status(manager, branch, "invitations") == 403
    api.delete(f"organizations/{branch.id}/users/{manager.id}")
    assert status(manager, branch, "members") == 404


def test_last_owner_stays(branch: Branch, new_person: MakePerson) -> None:
    refused = call(branch.owner, branch, "leave/", "POST")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_owner")
    heir = new_person("heir", signs_in=False)
    branch.add_member(heir, "owner")
    assert call(branch.owner, branch, "leave/", "POST").status_code == 204
    assert branch.owner.at(branch.site)["organizations"] == {}
    assert branch.roles_of(branch.owner.id) is None


def test_rename_and_delete(branch: Branch) -> None:
    site, name = branch.site, f"{branch.site.target.run} renamed"
    submit(branch.owner, site, branch.path(), "rename", name=name)
    assert site.target.api.get(f"organizations/{branch.id}")["name"] == name
    assert name in branch.owner.at(site)["branches"]
    submit(branch.owner, site, branch.path("delete"), "delete", confirmation=name)
    assert branch.id not in [each["id"] for each in site.target.api.all("organizations")]
    assert branch.owner.at(site)["organizations"] == {}
    assert status(branch.owner, branch) == 404


def test_new_user_of_the_domain_joins(branch: Branch, mailbox: Mailbox) -> None:
    site = branch.site
    domain = address(site, "x").partition("@")[2]
    for wrong in ("gmail.com", "example.com", "not a domain"):
        assert call(branch.owner, branch, "joining/domains/", "POST", {"domain": wrong}).status_code in {400, 403}
    assert call(branch.owner, branch, "joining/domains/", "POST", {"domain": domain.upper()}).status_code < 300
    assert call(branch.owner, branch, "joining/roles/", "PUT", {"roles": [branch.role("clerk")]}).status_code < 300
    assert call(branch.owner, branch, "joining/").json()["domains"] == [domain]
    email = address(site, f"colleague{next(PEOPLE)}")
    token = site.target.api.post("one-time-tokens", {"email": email})["token"]
    with closing(Person(site.target, email.partition("@")[0], PASSWORD)) as colleague:
        query = f"token={token}&email={email}&next=/"
        colleague.get(site, f"/accept-invitation?{query}")
        answer = colleague.post(site, f"/accept-invitation?{query}")
        assert answer.status_code == 302, (answer.text, site.log())
        found = colleague.arrive(site, colleague.sign_in_by_link(answer.headers["Location"]))
    assert found["organizations"] == {branch.id: [branch.role("clerk")]}


def test_token_needs_the_permission_itself(branch: Branch, new_person: MakePerson) -> None:
    site, manager = branch.site, new_person("app", signs_in=False)
    branch.add_member(manager, "manager")
    manager.sign_in(site)
    token = manager.get(site, "/token/", organization_id=branch.id).json()["token"]
    url, headers = f"{site.url}/api/organizations/{branch.id}", {"Authorization": f"Bearer {token}"}

    def invitations() -> int:
        return requests.get(f"{url}/invitations/", headers=headers, timeout=30).status_code

    assert invitations() == 200
    # Every member sees the members, but a token acts only by permissions.
    assert requests.get(f"{url}/members/", headers=headers, timeout=30).status_code == 403
    path = f"organizations/{branch.id}/users/{manager.id}/roles"
    site.target.api.put(path, {"organizationRoleIds": []})
    eventually(lambda: invitations() == 403, site.log)
