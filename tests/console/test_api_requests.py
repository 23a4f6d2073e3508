"""The endpoints of the console: who may call them, and requests that are not as the endpoints expect."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from logto_auth.emulator import Emulator, HttpFault
from tests.emulator.relying_party import RelyingParty

from .api_callers import API, ROOT, Caller, by_session, by_token
from .console_site import HARBOUR, HILL, signed_in, sub_of
from .invitation_links import invite

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("api_site")]


@pytest.fixture
def api_site(console_site: Emulator, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.console.urls_of_api"
    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_API_CREATE_USERS = True
    console_site.tenant.add_resource(API, scopes=["invite:members"])
    console_site.tenant.find_organization_role("manager").resource_scopes = {API: ["invite:members"]}


def calls(logto: Emulator) -> list[str]:
    """Return the calls of the Management API, without the first ones that ask who the user is."""
    return [f"{each.method} {each.path}" for each in logto.requests.to("management_api")]


def result(response: Any) -> tuple[int, str]:
    """Return status and code of an error response."""
    return response.status_code, response.json()["code"]


# Without a user


def test_anonymous_script_gets_url_of_sign_in() -> None:
    headers = {"Sec-Fetch-Mode": "cors", "Referer": "http://testserver/team/"}
    response = Caller().call("GET", "members/", headers=headers)
    url = "http://testserver/sign-in?next=/team/"
    assert (response.status_code, response["Cache-Control"]) == (401, "no-store")
    assert response.json() == {
        "code": "sign_in_required",
        "detail": "Please sign in.",
        "error": "sign_in_required",
        "sign_in_url": url,
    }
    assert response["WWW-Authenticate"] == (
        'Bearer resource_metadata="http://testserver/.well-known/oauth-protected-resource/api", '
        f'Cookie realm="Logto", sign_in_url="{url}"'
    )


def test_site_without_sign_in_requires_token(settings: Any) -> None:
    settings.ROOT_URLCONF = "logto_auth.organizations.console.api_urls"
    response = Client().get("/")
    assert result(response) == (401, "access_token_required")
    assert response["WWW-Authenticate"] == 'Bearer realm="Logto"'


def test_session_that_ended_at_logto_is_unauthorized(console_site: Emulator, settings: Any) -> None:
    caller = by_session(console_site, "owner")
    caller.client.logout()
    assert result(caller.delete()) == (401, "sign_in_required")


def test_user_without_logto_session_is_refused() -> None:
    client = Client()
    client.force_login(get_user_model().objects.create(username="local"), "django.contrib.auth.backends.ModelBackend")
    assert result(client.get(ROOT)) == (403, "no_logto_session")


# Sessions


def test_session_needs_csrf_token(console_site: Emulator) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = signed_in(console_site, "owner").client.cookies
    assert client.get(ROOT).status_code == 200
    response = client.delete(f"{ROOT}{HARBOUR}/")
    assert result(response) == (403, "permission_denied")
    assert "CSRF" in response.json()["detail"]
    assert HARBOUR in console_site.tenant.organizations


def test_times_have_a_time_zone(console_site: Emulator, settings: Any) -> None:
    settings.TIME_ZONE, settings.USE_TZ = "Asia/Tokyo", False
    invite(console_site, "new@elsewhere.example")
    next(iter(console_site.tenant.invitations.values())).expires_at = 1_795_986_000_000
    (invitation,) = by_session(console_site, "owner").get("invitations/").json()["invitations"]
    assert invitation["expires_at"] == "2026-11-29T21:00:00Z"


# Access tokens


@pytest.mark.parametrize("resource", [None, API])
def test_token_of_organization_acts_by_its_permission(console_site: Emulator, resource: str | None) -> None:
    caller = by_token(console_site, "manager", "invite:members", resource=resource)
    assert caller.post("invitations/", {"email": "new@elsewhere.example", "roles": ["staff"]}).status_code == 201
    refused = caller.delete(f"members/{sub_of('staff')}/")
    assert result(refused) == (403, "not_permitted")
    assert 'error="insufficient_scope"' in refused["WWW-Authenticate"]
    assert 'scope="manage:members"' in refused["WWW-Authenticate"]
    assert sub_of("staff") in console_site.tenant.organizations[HARBOUR].members


def test_token_has_no_right_by_role_or_membership(console_site: Emulator) -> None:
    caller = by_token(console_site, "owner")
    rights = caller.get().json()["rights"]
    assert {name for name, may in rights.items() if may} == {"invite", "manage_members", "manage_joining"}
    assert result(caller.delete()) == (403, "not_permitted")
    assert result(caller.get("members/")) == (403, "not_permitted")
    # The grants of the role count, and "owner" has none.
    assert caller.get("roles/").json() == {"roles": []}


def test_token_is_for_one_organization(console_site: Emulator) -> None:
    console_site.tenant.add_member(HILL, sub_of("manager"), roles=["owner"])
    caller = by_token(console_site, "manager")
    listed = caller.get(ROOT).json()
    assert ([each["id"] for each in listed["organizations"]], listed["may_create"]) == ([HARBOUR], False)
    response = caller.get(f"{ROOT}{HILL}/")
    assert result(response) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in response["WWW-Authenticate"]
    without_organization = by_token(console_site, "manager", organization_id="", resource=API)
    assert result(without_organization.get(ROOT)) == (403, "insufficient_scope")
    assert result(without_organization.get()) == (403, "insufficient_scope")


def test_token_for_another_api_is_refused(console_site: Emulator) -> None:
    console_site.tenant.add_resource("https://library.example/api", scopes=["invite:members"])
    console_site.tenant.find_organization_role("manager").resource_scopes["https://library.example/api"] = [
        "invite:members"
    ]
    caller = by_token(console_site, "manager", "invite:members", resource="https://library.example/api")
    response = caller.get()
    assert result(response) == (401, "invalid_token")
    assert 'error="invalid_token"' in response["WWW-Authenticate"]


def test_token_cannot_create_join_or_leave(console_site: Emulator) -> None:
    caller = by_token(console_site, "staff")
    for path in (ROOT, f"{ROOT}invitation/", "leave/"):
        assert result(caller.post(path, {"name": "New", "invitation": "x"})) == (403, "session_required")
    assert len(console_site.tenant.organizations) == 2


def test_token_decides_beside_a_session(console_site: Emulator) -> None:
    caller = by_token(console_site, "staff")
    caller.client = signed_in(console_site, "owner").client
    assert result(caller.delete()) == (403, "not_permitted")
    broken = Caller(caller.client, token="no-token")
    assert result(broken.delete())[0] == 401


def test_application_is_refused(console_site: Emulator) -> None:
    tenant = console_site.tenant
    tenant.add_organization_role("robot", scopes=["invite:members"], type="MachineToMachine")
    application = tenant.add_application(name="Robot", type="MachineToMachine")
    tenant.add_organization_application(HARBOUR, application.id, roles=["robot"])
    party = RelyingParty(console_site, application)
    answer = party.post("token", grant_type="client_credentials", scope="invite:members", organization_id=HARBOUR)
    party.http.close()
    caller = Caller(token=answer.json()["access_token"])
    assert result(caller.get("invitations/")) == (403, "machine_refused")


# Bodies


BODIES: list[tuple[bytes, int, str]] = [
    (b"", 400, "invalid"),
    (b"{", 400, "parse_error"),
    (b"[" * 60_000, 400, "parse_error"),
    (b'{"name": "\xff"}', 400, "parse_error"),
    (b'{"name": NaN}', 400, "parse_error"),
    (b'{"name": "' + b"x" * 70_000 + b'"}', 413, "too_large"),
    (b'["name"]', 400, "invalid"),
    (b"null", 400, "invalid"),
    (b'{"name": 7}', 400, "invalid"),
    (b'{"name": ["x"]}', 400, "invalid"),
    (b'{"name": null}', 400, "invalid"),
    (b'{"name": ""}', 400, "invalid"),
    (b'{"name": "a\\u0000b"}', 400, "invalid"),
    (b'{"name": "\\ud800"}', 400, "invalid"),
    (b'{"name": "x", "owner": "me"}', 400, "invalid"),
]
MANY = [f"role {number}" for number in range(201)]
NO_ROLES: list[Any] = ["staff", {"staff": True}, None, [None], [1], [["staff"]], [""], MANY, ["x" * 1001]]


def test_body_of_another_kind_is_refused(console_site: Emulator, caplog: Any) -> None:
    caller = by_session(console_site, "owner")
    for body, status, code in BODIES:
        assert result(caller.call("PATCH", "", body)) == (status, code), body[:50]
    assert console_site.tenant.organizations[HARBOUR].name == "Harbour Branch"
    for roles in NO_ROLES:
        response = caller.patch(f"members/{sub_of('staff')}/", {"roles": roles})
        assert (*result(response), list(response.json()["fields"])) == (400, "invalid", ["roles"]), roles
    unknown = caller.patch(f"members/{sub_of('staff')}/", {"roles": ["reader@elsewhere.example"]})
    assert result(unknown) == (403, "role_not_grantable")
    assert "reader@" not in caplog.text
    assert console_site.tenant.organizations[HARBOUR].members[sub_of("staff")] == ["staff"]


def test_only_json_is_read_and_sent(console_site: Emulator) -> None:
    caller = by_session(console_site, "owner")
    form = caller.call("PATCH", "", "name=New", content_type="application/x-www-form-urlencoded")
    assert result(form) == (415, "unsupported_media_type")
    assert result(caller.call("GET", "", headers={"Accept": "text/html"})) == (406, "not_acceptable")
    for charset in ("zip", "utf-16", "none"):
        body = {"content_type": f"application/json; charset={charset}", "data": b'{"name": "Hafen \xc3\xa4"}'}
        assert caller.call("PATCH", "", **body).json()["name"] == "Hafen ä"
    browser = "text/html,application/xhtml+xml,*/*;q=0.8"
    assert caller.call("GET", "", headers={"Accept": browser})["Content-Type"] == "application/json"


def test_head_and_options_change_nothing(console_site: Emulator) -> None:
    caller = by_session(console_site, "owner")
    assert caller.call("HEAD", "").status_code == 200
    before = len(calls(console_site))
    assert caller.call("OPTIONS", "").status_code == 200
    assert result(caller.put("")) == (405, "method_not_allowed")
    assert Caller().call("OPTIONS", "").status_code == 401
    assert len(calls(console_site)) == before


# Addresses


HOSTILE = ["..", "%2E", "a%2Fb", "a%3Fb", "%00", "x" * 300]


def test_hostile_id_is_not_found(console_site: Emulator) -> None:
    caller = by_session(console_site, "owner")
    tenant = console_site.tenant
    for id in HOSTILE:
        for method, path, data in [
            ("GET", f"{ROOT}{id}/", None),
            ("DELETE", f"{ROOT}{id}/", None),
            ("GET", f"members/{id}/", None),
            ("PATCH", f"members/{id}/", {"roles": ["staff"]}),
            ("DELETE", f"members/{id}/", None),
            ("DELETE", f"invitations/{id}/", None),
            ("POST", f"invitations/{id}/resend/", {}),
            ("PUT", f"joining/connectors/{id}/", {}),
        ]:
            response = caller.call(method, path, data)
            assert response.status_code in (403, 404, 409), (method, path, response.content)
        for path in (f"joining/domains/{id}/", f"joining/connectors/{id}/"):
            # What is not there counts as removed.
            assert caller.delete(path).status_code in (204, 404), path
    assert set(tenant.organizations) == {HARBOUR, HILL}
    assert len(tenant.organizations[HARBOUR].members) == 3
    changes = [each for each in calls(console_site) if not each.startswith("GET")]
    assert [each for each in changes if each.rstrip("/").endswith((HARBOUR, "users", "invitations"))] == []


def test_text_that_the_site_has_not_sealed_is_not_found(console_site: Emulator) -> None:
    for text in ["x", "..", "x" * 3000, "🌊"]:
        assert result(Client().get(f"{ROOT}invitation/", {"invitation": text})) == (404, "invitation_invalid")
    assert result(Client().get(f"{ROOT}invitation/")) == (400, "invalid")
    assert calls(console_site) == []


def test_unknown_page_of_members_is_an_error(console_site: Emulator) -> None:
    caller = by_session(console_site, "owner")
    for page in ("0", "-1", "x", "9" * 30):
        assert result(caller.get("members/", {"page": page})) == (400, "invalid")
    for page in ("2", "1000000"):
        assert result(caller.get("members/", {"page": page})) == (404, "page_not_found")
    assert caller.get("members/", {"page": "", "q": ""}).status_code == 200


# Logto


def test_failure_of_logto_is_a_temporary_error(console_site: Emulator, caplog: Any) -> None:
    caller = by_session(console_site, "owner")
    fault = HttpFault(status=503, headers={"Retry-After": "7"}, only="POST .*/organization-invitations")
    console_site.faults.http["management_api"] = fault
    response = caller.post("invitations/", {"email": "invited@elsewhere.example", "roles": ["staff"]})
    assert (*result(response), response["Retry-After"]) == (503, "provider_unreachable", "7")
    assert "invited@" not in caplog.text


# Without REST framework

WITHOUT_REST_FRAMEWORK = """
import django
from django.conf import settings

apps = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "logto_auth"]
settings.configure(INSTALLED_APPS=apps)
django.setup()
import logto_auth.organizations.console.api_urls
"""


def test_import_without_rest_framework_names_the_extra(tmp_path: Path) -> None:
    (tmp_path / "rest_framework.py").write_text("raise ModuleNotFoundError('No module', name='rest_framework')")
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_REST_FRAMEWORK],
        env={"PYTHONPATH": f"{tmp_path}:{Path(__file__).parents[2]}"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    message = 'This needs rest_framework, which is not installed: pip install "logto_auth[drf]"'
    assert ran.stderr.splitlines()[-1] == f"ImportError: {message}"
