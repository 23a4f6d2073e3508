"""What users do by the endpoints of the console. What the console allows, the tests of `Console` prove."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail

from logto_auth.emulator import Emulator, HttpFault

from .api_callers import API, ROOT, by_session
from .console_site import HARBOUR, HILL, sub_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("api_site")]


@pytest.fixture
def api_site(console_site: Emulator, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.console.urls_of_api"


def members_of(logto: Emulator, organization_id: str = HARBOUR) -> dict[str, list[str]]:
    return logto.tenant.organizations[organization_id].members


def test_user_creates_renames_and_deletes_organization(console_site: Emulator) -> None:
    caller = by_session(console_site, "stranger")
    assert caller.get(ROOT).json() == {"organizations": [], "may_create": True}
    response = caller.post(ROOT, {"name": " Lake Branch "})
    created = response.json()
    assert (response.status_code, response["Location"]) == (201, f"{ROOT}{created['id']}/")
    assert created == {"id": created["id"], "name": "Lake Branch", "roles": ["owner"], "sign_in_url": ""}
    caller.organization_id = created["id"]
    assert caller.patch("", {"name": "Lake"}).json()["name"] == "Lake"
    rights = ("view_members", "invite", "manage_members", "rename", "manage_joining", "delete")
    assert caller.get().json() == {
        "id": created["id"],
        "name": "Lake",
        "roles": ["owner"],
        "is_owner": True,
        "rights": dict.fromkeys(rights, True),
    }
    assert caller.delete().status_code == 204
    assert caller.get().status_code == 404
    assert caller.get(ROOT).json()["organizations"] == []


def test_creation_that_failed_half_way_is_finished_with_its_key(console_site: Emulator) -> None:
    caller = by_session(console_site, "stranger")
    console_site.faults.http["management_api"] = HttpFault(status=503, only="POST .*/users")
    response = caller.post(ROOT, {"name": "Lake"})
    body = response.json()
    assert (response.status_code, body["code"]) == (503, "incomplete")
    assert body["done"] == ["The organization was created."]
    console_site.faults.http.clear()
    again = caller.post(ROOT, {"name": "Lake", "key": body["key"]})
    assert (again.status_code, again.json()["roles"]) == (201, ["owner"])
    assert [each.name for each in console_site.tenant.organizations.values()].count("Lake") == 1


def test_new_permissions_of_apis_need_a_sign_in(console_site: Emulator, settings: Any) -> None:
    console_site.tenant.add_resource(API, scopes=["read:books"])
    console_site.tenant.find_organization_role("owner").resource_scopes = {API: ["read:books"]}
    settings.LOGTO_RESOURCES = (API,)
    settings.LOGTO_SCOPES = (*settings.LOGTO_SCOPES, "read:books")
    caller = by_session(console_site, "stranger")
    created = caller.call("POST", ROOT, {"name": "Lake"}, headers={"Referer": "http://testserver/team/"})
    assert created.json()["sign_in_url"] == "http://testserver/sign-in?prompt=consent&next=/team/"


def test_manager_changes_members(console_site: Emulator) -> None:
    caller = by_session(console_site, "manager")
    page = caller.get("members/").json()
    assert (page["page"], page["pages"], page["count"]) == (1, 1, 3)
    assert {each["name"]: each["roles"] for each in page["members"]}["Staff"] == ["staff"]
    (found,) = caller.get("members/", {"q": "staff"}).json()["members"]
    assert (found["id"], found["email"], found["may_remove"]) == (sub_of("staff"), "staff@bookstore.example", True)
    assert [each["name"] for each in caller.get("roles/").json()["roles"]] == ["staff"]

    path = f"members/{sub_of('staff')}/"
    assert caller.get(path).json() == found
    assert caller.patch(path, {"roles": [], "before": ["staff"]}).json()["roles"] == []
    stale = caller.patch(path, {"roles": ["staff"], "before": ["staff"]})
    assert (stale.status_code, stale.json()["code"]) == (409, "changed_meanwhile")
    refused = caller.patch(path, {"roles": ["owner"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "role_not_grantable")
    assert caller.delete(path).status_code == 204
    assert (caller.delete(path).status_code, caller.delete(path).json()["code"]) == (404, "member_gone")
    assert sub_of("staff") not in members_of(console_site)


def test_last_owner_cannot_leave_and_others_can(console_site: Emulator) -> None:
    refused = by_session(console_site, "owner").post("leave/")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_owner")
    assert by_session(console_site, "staff").post("leave/").status_code == 204
    assert set(members_of(console_site)) == {sub_of("owner"), sub_of("manager")}


CALLS = [
    ("GET", "", None),
    ("PATCH", "", {"name": "x"}),
    ("DELETE", "", None),
    ("POST", "leave/", None),
    ("GET", "roles/", None),
    ("GET", "members/", None),
    ("GET", f"members/{sub_of('other')}/", None),
    ("PATCH", f"members/{sub_of('other')}/", {"roles": []}),
    ("DELETE", f"members/{sub_of('other')}/", None),
    ("GET", "invitations/", None),
    ("POST", "invitations/", {"email": "new@elsewhere.example", "roles": []}),
    ("DELETE", "invitations/x/", None),
    ("POST", "invitations/x/resend/", None),
    ("GET", "joining/", None),
    ("PUT", "joining/roles/", {"roles": []}),
    ("POST", "joining/domains/", {"domain": "bookstore.example"}),
    ("DELETE", "joining/domains/bookstore.example/", None),
    ("PUT", "joining/connectors/x/", None),
    ("DELETE", "joining/connectors/x/", None),
]


def test_other_organization_is_not_found(console_site: Emulator) -> None:
    caller = by_session(console_site, "owner")
    caller.organization_id = HILL
    for method, path, body in CALLS:
        response = caller.call(method, path, body)
        assert (response.status_code, response.json()["code"]) == (404, "not_a_member_of_organization"), (method, path)


def test_invitation_is_sent_again_accepted_and_revoked(console_site: Emulator, settings: Any) -> None:
    settings.LOGTO_INVITATION_SENDER = "site"
    caller = by_session(console_site, "manager")
    response = caller.post("invitations/", {"email": "stranger@bookstore.example", "roles": ["staff"]})
    invitation = response.json()
    assert (response.status_code, invitation["status"], invitation["may_change"]) == (201, "Pending", True)
    assert caller.get("invitations/").json() == {"invitations": [invitation]}
    twice = caller.post("invitations/", {"email": "Stranger@bookstore.example", "roles": ["staff"]})
    assert (twice.status_code, twice.json()["code"]) == (409, "already_invited")
    assert twice.json()["invitation_id"] == invitation["id"]
    assert caller.post(f"invitations/{invitation['id']}/resend/").json()["id"] == invitation["id"]
    assert [each.to for each in mail.outbox] == [["stranger@bookstore.example"]] * 2
    sealed = next(word for word in mail.outbox[-1].body.split() if "/invitation/" in word).rpartition("/")[2]
    assert sealed not in response.content.decode()

    other = by_session(console_site, "other")
    assert other.get(f"{ROOT}invitation/", {"invitation": sealed}).json() == {
        "email": "stranger@bookstore.example",
        "organization_id": HARBOUR,
        "organization_name": "Harbour Branch",
        "roles": ["staff"],
        "is_for_user": False,
    }
    refused = other.post(f"{ROOT}invitation/", {"invitation": sealed})
    assert (refused.status_code, refused.json()["code"]) == (403, "invitation_for_other")
    accepted = by_session(console_site, "stranger").post(f"{ROOT}invitation/", {"invitation": sealed})
    assert accepted.json() == {"id": HARBOUR, "name": "Harbour Branch", "roles": ["staff"], "sign_in_url": ""}
    over = caller.delete(f"invitations/{invitation['id']}/")
    assert (over.status_code, over.json()["code"]) == (409, "invitation_over")

    next_id = caller.post("invitations/", {"email": "new@elsewhere.example", "roles": ["staff"]}).json()["id"]
    assert caller.delete(f"invitations/{next_id}/").status_code == 204
    assert caller.delete(f"invitations/{next_id}/").status_code == 204


def test_invalid_address_names_its_field(console_site: Emulator) -> None:
    response = by_session(console_site, "owner").post("invitations/", {"email": "nobody", "roles": []})
    body = response.json()
    assert (response.status_code, body["code"], list(body["fields"])) == (400, "invalid_name", ["email"])


def test_manager_sets_who_joins(console_site: Emulator) -> None:
    connector = console_site.tenant.add_sso_connector("Bookstore", domains=["bookstore.example"])
    caller = by_session(console_site, "manager")
    assert caller.put("joining/roles/", {"roles": ["staff"]}).status_code == 204
    assert caller.post("joining/domains/", {"domain": "Bookstore.Example"}).status_code == 204
    assert caller.put(f"joining/connectors/{connector.id}/").status_code == 204
    assert caller.get("joining/").json() == {
        "domains": ["bookstore.example"],
        "roles": ["staff"],
        "connectors": [{"id": connector.id, "name": "Bookstore", "domains": ["bookstore.example"], "is_linked": True}],
    }
    refused = caller.post("joining/domains/", {"domain": "gmail.com"})
    assert (refused.status_code, refused.json()["code"]) == (403, "domain_not_allowed")
    assert caller.delete("joining/domains/bookstore.example/").status_code == 204
    assert caller.delete(f"joining/connectors/{connector.id}/").status_code == 204
    joining = caller.get("joining/").json()
    assert joining["domains"] == []
    assert [each["is_linked"] for each in joining["connectors"]] == [False]


def test_console_that_is_not_set_up_says_so(console_site: Emulator, settings: Any) -> None:
    caller = by_session(console_site, "stranger")
    tenant = console_site.tenant
    tenant.delete_organization_role(tenant.find_organization_role("owner"))
    response = caller.post(ROOT, {"name": "Lake"})
    assert (response.status_code, response.json()["code"]) == (503, "not_set_up")
    settings.LOGTO_TENANT = ""
    response = caller.post(ROOT, {"name": "Lake"})
    assert (response.status_code, response.json()["code"]) == (404, "not_set_up")
