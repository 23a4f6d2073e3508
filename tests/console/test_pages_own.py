"""The list of the user's organizations, and the form for a new one."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.tenant import Role
from logto_auth.tenant.organization_console import AnyRole
from logto_auth.testing import Browser

from . import console_site as site
from .console_site import HARBOUR, HILL, notices_of, signed_in, sub_of, text_of

pytestmark = pytest.mark.django_db

NEW = "/organizations/new"
API = "https://bookstore.example/api"


@pytest.fixture
def logto(console_site: Emulator) -> Emulator:
    return console_site


def create(browser: Browser, name: str = "Quay Branch", **data: str) -> Any:
    """Open the form, and send it."""
    page = browser.open(NEW).content.decode()
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key, page
    return browser.client.post(NEW, {"action": "create", "name": name, "key": key[1], **data})


def named(logto: Emulator, name: str) -> list[Any]:
    return [each for each in logto.tenant.organizations.values() if each.name == name]


def test_list_has_the_organizations_of_now(logto: Emulator) -> None:
    browser = signed_in(logto, "manager")
    logto.tenant.add_member(HILL, sub_of("manager"), roles=["staff"])
    response = browser.open("/organizations/")
    assert "Harbour Branch Your roles: manager Hill Branch Your roles: staff" in text_of(response)
    assert f'href="/organizations/{HILL}/"' in response.content.decode()
    logto.tenant.remove_member(HARBOUR, sub_of("manager"))
    assert "Harbour" not in text_of(browser.open("/organizations/"))


def test_user_without_organization_may_create_one(logto: Emulator) -> None:
    browser = signed_in(logto, "stranger")
    page = text_of(browser.open("/organizations/"))
    assert "You do not belong to an organization." in page
    assert "New organization" in page
    response = create(browser)
    (organization,) = named(logto, "Quay Branch")
    assert response["Location"] == f"/organizations/{organization.id}/"
    assert "You are its owner." in notices_of(browser, response)
    assert organization.members == {sub_of("stranger"): ["owner"]}
    # The claims of the session follow at once.
    request = browser.open("/").wsgi_request
    assert [each.id for each in request.logto.organizations] == [organization.id]


def test_subdomain_has_the_pages_of_one_organization(logto: Emulator, settings: Any) -> None:
    browser = signed_in(logto, "manager")
    logto.tenant.add_member(HILL, sub_of("manager"), roles=["staff"])
    settings.LOGTO_ORGANIZATION_FROM = "logto_auth.organizations.from_subdomain"
    settings.LOGTO_ORGANIZATION_DOMAIN = "testserver"
    settings.ALLOWED_HOSTS = [".testserver"]
    browser.client.defaults["HTTP_HOST"] = f"{HILL}.testserver"
    page = browser.open("/organizations/").content.decode()
    assert "Harbour Branch" in page
    assert f'href="/organizations/{HARBOUR}/"' not in page
    assert f'href="/organizations/{HILL}/"' in page
    assert create(browser)["Location"] == "/organizations/"


def test_form_sent_twice_creates_one_organization(logto: Emulator) -> None:
    browser = signed_in(logto, "stranger")
    for _again in range(2):
        assert create(browser, key="the-same").status_code == 302
    assert len(named(logto, "Quay Branch")) == 1


def test_name_is_required(logto: Emulator) -> None:
    browser = signed_in(logto, "stranger")
    for name in (" ", "x" * 129, "a\0b"):
        assert create(browser, name).status_code in (200, 400)
    assert len(logto.tenant.organizations) == 2


def test_limit_of_organizations_is_explained_beside_the_form(logto: Emulator, monkeypatch: Any) -> None:
    change_rules(monkeypatch, max_owned=1)
    response = create(signed_in(logto, "owner"))
    assert response.status_code == 409
    assert "as many organizations as this site allows" in text_of(response)
    assert 'value="Quay Branch"' in response.content.decode()


def test_only_creators_see_the_form(logto: Emulator, monkeypatch: Any) -> None:
    change_rules(monkeypatch, creators=AnyRole("founder"))
    browser = signed_in(logto, "owner")
    assert "New organization" not in text_of(browser.open("/organizations/"))
    refused = browser.open(NEW)
    assert refused.status_code == 403
    assert "You do not have the right to do this. " in text_of(refused)
    assert browser.client.post(NEW, {"action": "create", "name": "Quay", "key": "k"}).status_code == 403
    assert named(logto, "Quay") == []


def test_permissions_of_an_api_need_one_silent_round_trip(logto: Emulator, settings: Any) -> None:
    add_api(logto, settings)
    browser = signed_in(logto, "stranger")
    response = create(browser)
    query = parse_qs(urlsplit(response["Location"]).query)
    assert query["prompt"] == ["none"]
    callback = browser.open(browser.logto.sign_in(response["Location"]))
    # The session at Logto has no grant for the new permission, so the same round trip asks for one.
    callback = browser.open(browser.logto.sign_in(callback["Location"]))
    (organization,) = named(logto, "Quay Branch")
    assert callback["Location"].endswith(f"/organizations/{organization.id}/")
    page = browser.open(callback["Location"])
    assert "You are its owner." in text_of(page)
    assert page.wsgi_request.logto.permissions(API, organization_id=organization.id) == {"write:books"}


def test_creation_that_stops_half_way_is_finished_by_the_button(logto: Emulator) -> None:
    browser = signed_in(logto, "stranger")
    logto.faults.http["management_api"] = HttpFault(status=500, body="{}", only="POST .*/users")
    response = create(browser)
    assert response.status_code == 503
    assert "This is not finished yet The organization was created." in text_of(response)
    (organization,) = named(logto, "Quay Branch")
    assert organization.members == {}
    del logto.faults.http["management_api"]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', response.content.decode()))
    assert browser.client.post(NEW, fields)["Location"] == f"/organizations/{organization.id}/"
    assert organization.members == {sub_of("stranger"): ["owner"]}


def test_script_gets_no_round_trip(logto: Emulator, settings: Any) -> None:
    add_api(logto, settings)
    browser = signed_in(logto, "stranger")
    browser.client.defaults["HTTP_SEC_FETCH_MODE"] = "cors"
    response = browser.client.post(NEW, {"action": "create", "name": "Quay Branch", "key": "key-1"})
    (organization,) = named(logto, "Quay Branch")
    assert response["Location"] == f"/organizations/{organization.id}/"


def add_api(logto: Emulator, settings: Any) -> None:
    """Give owners a permission of an API resource that the site requests."""
    settings.LOGTO_RESOURCES = (API,)
    settings.LOGTO_SCOPES = (*site.SCOPES, "write:books")
    settings.LOGTO_API_RESOURCE = API
    logto.tenant.add_resource(API, scopes=["write:books"])
    logto.tenant.find_organization_role("owner").resource_scopes[API] = ("write:books",)


def change_rules(monkeypatch: Any, **rules: Any) -> None:
    """Let the declaration of the site have other rules."""
    console = replace(site.CONSOLE, **rules)
    monkeypatch.setattr(
        site,
        "TENANT",
        replace(site.TENANT, roles=[Role("founder", "Opens organizations")], organization_console=console),
    )


def test_list_of_organizations_needs_one_call(logto: Emulator) -> None:
    browser = signed_in(logto, "owner")
    browser.open("/organizations/")
    logto.requests.clear()
    browser.open("/organizations/")
    assert [each.path for each in logto.requests] == [f"/api/users/{sub_of('owner')}/organizations"]
    assert HARBOUR in browser.open("/organizations/").content.decode()


def test_change_is_told_after_the_sign_in_if_the_session_has_ended(logto: Emulator) -> None:
    browser = signed_in(logto, "stranger")
    browser.client.get("/organizations/")
    logto.faults.http["token"] = HttpFault(
        status=400, body='{"error": "invalid_grant"}', headers={"Content-Type": "application/json"}
    )
    response = create(browser)
    assert urlsplit(browser.open(response["Location"])["Location"]).path == "/sign-in"
    logto.faults.clear()
    browser.sign_in("stranger")
    assert "The organization has been created." in text_of(browser.open(response["Location"]))
