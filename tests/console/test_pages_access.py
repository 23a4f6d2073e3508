"""Who may open the pages of organizations, and what they show if something fails."""

from __future__ import annotations

import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.testing import Browser

from .console_site import HARBOUR, HILL, signed_in, sub_of, text_of

pytestmark = pytest.mark.django_db

PAGES = {
    "list": "/organizations/",
    "create": "/organizations/new",
    "overview": f"/organizations/{HARBOUR}/",
    "members": f"/organizations/{HARBOUR}/members",
    "member": f"/organizations/{HARBOUR}/members/{sub_of('staff')}",
    "leave": f"/organizations/{HARBOUR}/leave",
    "delete": f"/organizations/{HARBOUR}/delete",
}
OF_ORGANIZATION = [path for name, path in PAGES.items() if name not in ("list", "create")]
# The forms with which an owner changes something.
FORMS: dict[str, tuple[str, dict[str, Any]]] = {
    "create": (PAGES["create"], {"action": "create", "name": "Quay", "key": "key-1"}),
    "rename": (PAGES["overview"], {"action": "rename", "name": "Quay"}),
    "roles": (PAGES["member"], {"action": "roles", "before": ["staff"], "roles": ["manager"]}),
    "remove": (PAGES["member"], {"action": "remove"}),
    "leave": (PAGES["leave"], {"action": "leave"}),
    "delete": (PAGES["delete"], {"action": "delete", "confirmation": "Harbour Branch"}),
}
FORMS_OF_ORGANIZATION = [name for name in FORMS if name != "create"]


@pytest.fixture
def logto(console_site: Emulator) -> Emulator:
    return console_site


@pytest.fixture
def owner(logto: Emulator) -> Browser:
    return signed_in(logto, "owner")


def state_of(logto: Emulator) -> Any:
    """Return the organizations with their names, members and roles."""
    organizations = logto.tenant.organizations.values()
    return {each.id: (each.name, {sub: sorted(roles) for sub, roles in each.members.items()}) for each in organizations}


def calls(logto: Emulator) -> list[str]:
    return [f"{each.method} {each.path}" for each in logto.requests if each.path.startswith("/api/")]


def test_visitor_is_sent_to_the_sign_in(logto: Emulator, client: Client) -> None:
    for path in PAGES.values():
        url = urlsplit(client.get(path)["Location"])
        assert (url.path, parse_qs(url.query)) == ("/sign-in", {"next": [path]})


def test_user_without_logto_session_is_told_so(logto: Emulator, client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("local"), "django.contrib.auth.backends.ModelBackend")
    for path in PAGES.values():
        response = client.get(path)
        assert response.status_code == 403
        assert "Logto does not manage this account" in text_of(response)
    assert calls(logto) == []


def test_organization_of_others_does_not_exist(logto: Emulator) -> None:
    browser = signed_in(logto, "other")
    before = state_of(logto)
    for path in OF_ORGANIZATION:
        response = browser.open(path)
        assert response.status_code == 404
        assert "There is no such organization" in text_of(response)
        assert "Harbour" not in text_of(response)
        # The same for an organization that does not exist.
        assert browser.open(path.replace(HARBOUR, "unknown00001")).status_code == 404
    for name in FORMS_OF_ORGANIZATION:
        path, data = FORMS[name]
        # The organization of the URL counts, not one that the form names.
        assert browser.client.post(path, {**data, "organization_id": HILL}).status_code == 404
    assert state_of(logto) == before


def test_right_that_was_lost_while_page_was_open_counts(logto: Emulator, owner: Browser) -> None:
    assert owner.open(PAGES["member"]).status_code == 200
    logto.tenant.add_member(HARBOUR, sub_of("owner"), roles=["staff"])
    before = state_of(logto)
    for name in ("rename", "roles", "remove", "delete"):
        path, data = FORMS[name]
        response = owner.client.post(path, data)
        assert response.status_code == 403
        assert "You do not have the right to do this in this organization." in text_of(response)
    assert state_of(logto) == before


def test_form_of_another_site_is_refused(logto: Emulator, owner: Browser, settings: Any) -> None:
    # The pages protect themselves on a site without the middleware, too.
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "Csrf" not in each]
    client = Client(enforce_csrf_checks=True)
    client.cookies = owner.client.cookies
    before = state_of(logto)
    for path, data in FORMS.values():
        assert client.post(path, data).status_code == 403
    assert state_of(logto) == before


def test_pages_are_not_cached_or_framed(owner: Browser) -> None:
    for path in PAGES.values():
        response = owner.open(path)
        assert response.status_code == 200
        assert response["Cache-Control"] == "no-store"
        assert response["X-Frame-Options"] == "DENY"


def test_tabs_are_those_that_the_user_may_open(logto: Emulator, owner: Browser) -> None:
    tabs = re.compile(r'href="/organizations/harbourbr001/(\w+)"')
    assert tabs.findall(owner.open(PAGES["overview"]).content.decode()) == [
        *("members", "invitations", "joining", "leave", "delete")
    ]
    staff = signed_in(logto, "staff")
    assert tabs.findall(staff.open(PAGES["overview"]).content.decode()) == ["members", "leave"]
    page = staff.open(PAGES["member"]).content.decode()
    assert 'value="roles"' not in page
    assert 'value="remove"' not in page


@pytest.mark.parametrize("setting", ["LOGTO_M2M_APP_ID", "LOGTO_TENANT"])
def test_site_without_console_says_so(owner: Browser, settings: Any, setting: str, caplog: Any) -> None:
    setattr(settings, setting, "")
    for path in PAGES.values():
        response = owner.open(path)
        assert response.status_code == 404
        assert "This site does not offer these pages at the moment." in text_of(response)
        assert "manage.py check" not in text_of(response)
    assert setting in caplog.text
    get_user_model().objects.update(is_staff=True)
    assert "manage.py check" in text_of(owner.open(PAGES["list"]))


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (HttpFault(drop=True), 503, "Logto does not respond."),
        (HttpFault(status=429, body="{}"), 503, "Logto has too much to do."),
        (HttpFault(body="[1]"), 502, "Logto sent a response that this site cannot use."),
    ],
    ids=["no answer", "busy", "unknown answer"],
)
def test_logto_that_fails_is_explained(
    owner: Browser, logto: Emulator, fault: HttpFault, status: int, text: str
) -> None:
    # What the cache has does not hide the failure.
    logto.faults.http["management_api"] = fault
    response = owner.open(PAGES["overview"])
    assert response.status_code == status
    assert f"This page cannot be loaded {text}" in text_of(response)
    assert "Try again" in text_of(response)


def test_page_says_when_logto_wants_to_be_asked_again(owner: Browser, logto: Emulator) -> None:
    logto.faults.http["management_api"] = HttpFault(status=429, body="{}", headers={"Retry-After": "120"})
    response = owner.open(PAGES["overview"])
    assert (response.status_code, response["Retry-After"]) == (503, "120")
    assert "2 minutes" in text_of(response)


def test_missing_permission_of_the_site_is_named_for_staff(owner: Browser, logto: Emulator, caplog: Any) -> None:
    logto.faults.http["management_api"] = HttpFault(status=403, body='{"code": "auth.forbidden"}')
    response = owner.open(PAGES["list"])
    assert response.status_code == 502
    assert "machine-to-machine" not in text_of(response)
    assert "machine-to-machine" in caplog.text
    get_user_model().objects.update(is_staff=True)
    assert "machine-to-machine" in text_of(owner.open(PAGES["list"]))


@pytest.mark.parametrize("name", ["create", "roles", "leave"])
def test_form_that_meets_a_failure_is_sent_again_by_a_button(owner: Browser, logto: Emulator, name: str) -> None:
    path, data = FORMS[name]
    # The owner may leave.
    logto.tenant.add_member(HARBOUR, sub_of("manager"), roles=["owner"])
    owner.open(path)
    before = state_of(logto)
    logto.faults.http["management_api"] = HttpFault(status=500, body="{}")
    response = owner.client.post(path, data)
    assert response.status_code == 502
    assert "it is not certain that your change was saved" in text_of(response)
    assert state_of(logto) == before
    del logto.faults.http["management_api"]
    # Whether it is the form itself or the page of the error: the values are there.
    again = owner.client.post(path, {**values_in(response), "action": data["action"]})
    assert again.status_code == 302, text_of(again)
    assert state_of(logto) != before


def test_text_that_logto_refuses_stays_in_the_form(owner: Browser, logto: Emulator) -> None:
    logto.faults.http["management_api"] = HttpFault(status=422, body="{}", only="PATCH .*")
    path, data = FORMS["rename"]
    response = owner.client.post(path, data)
    assert response.status_code == 502
    assert "Logto did not accept your change, so it was not saved." in text_of(response)
    assert values_in(response)["name"] == ["Quay"]


def values_in(response: Any) -> dict[str, list[str]]:
    """Return the values of the fields in a page, as a browser sends them."""
    values: dict[str, list[str]] = {}
    for tag in re.findall(r"<input[^>]*>", response.content.decode()):
        attributes = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if attributes.get("type") != "checkbox" or re.search(r"\bchecked\b", tag):
            values.setdefault(attributes["name"], []).append(attributes.get("value", ""))
    return values


def test_log_has_no_address(owner: Browser, logto: Emulator, caplog: Any) -> None:
    address = "staff@bookstore.example"
    body = {"code": "entity.not_found", "message": f"no user {address}"}
    logto.faults.http["management_api"] = HttpFault(status=422, body=json.dumps(body))
    response = owner.client.get(PAGES["members"], {"q": address})
    assert response.status_code == 502
    assert "entity.not_found" in caplog.text
    # Also after a failure half-way.
    logto.faults.http["management_api"] = HttpFault(status=422, body=json.dumps(body), only="POST .*/users")
    response = owner.client.post("/organizations/new", {"action": "create", "name": "Lake", "key": "form"})
    assert response.status_code == 503
    assert "is not complete (entity.not_found)" in caplog.text
    assert address not in caplog.text
