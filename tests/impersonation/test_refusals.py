"""What staff cannot do while they act as a user."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpResponse

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.rights import API

from .test_journey import who

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.impersonation.site")]
SCRIPT = {"Sec-Fetch-Mode": "cors"}


def assert_refused(response: HttpResponse) -> None:
    assert response.status_code == 403, response.content.decode()[:300]
    if "json" in response["Content-Type"]:
        assert "not_during_impersonation" in response.content.decode()
    else:
        assert "Not during support access" in response.content.decode()


@pytest.mark.parametrize(
    "what", ["get", "update", "set_password", "own_address", "factors", "sessions", "others", "keys", "link"]
)
def test_code_of_the_site_cannot(acting: Browser, site: Emulator, what: str) -> None:
    assert acting.client.get(f"/refused/{what}").status_code == 403
    assert site.tenant.users["reader000001"].name == "Reader"


PAGES = ["/account/", "/account/password", "/account/sessions", "/account/verify", "/keys/", "/account-return"]
VIEWS = ["/factor", "/recent", "/verified", "/second-factor"]


@pytest.mark.parametrize("path", [*PAGES, *VIEWS])
@pytest.mark.parametrize("headers", [{}, SCRIPT], ids=["page", "script"])
def test_pages_of_the_user_are_refused(acting: Browser, settings: Any, path: str, headers: dict[str, str]) -> None:
    settings.LOGTO_SECOND_FACTOR = True
    assert_refused(acting.client.get(path, headers=headers))


@pytest.mark.parametrize("path", ["/sign-out-others", "/account/password"])
def test_forms_of_the_user_are_refused(acting: Browser, path: str) -> None:
    assert_refused(acting.client.post(path))
    assert LogtoSession.objects.filter(user__username="reader").count() == 2


def test_access_token_for_scripts_is_refused(acting: Browser, settings: Any) -> None:
    settings.LOGTO_BROWSER_TOKENS = {API: ["read:books"]}
    headers = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "empty"}
    assert_refused(acting.client.post("/access-token", {"resource": API}, headers=headers))


@pytest.mark.parametrize(("method", "path"), [("get", "/keys-api/"), ("post", "/keys-api/")])
def test_api_of_keys_is_refused(acting: Browser, method: str, path: str) -> None:
    assert_refused(getattr(acting.client, method)(path))


def test_new_organization_is_refused(acting: Browser) -> None:
    assert_refused(acting.client.post("/organizations-api/", {"name": "Mine"}, content_type="application/json"))
    assert_refused(acting.client.get("/organizations/new"))


def test_403_page_offers_no_new_sign_in(acting: Browser) -> None:
    """It would be one of the staff member."""
    LogtoSession.objects.update(started_at=0)
    assert "sign_in_url" not in acting.client.get("/role", headers=SCRIPT).json()


def test_link_to_the_account_center_is_empty(acting: Browser) -> None:
    assert acting.client.get("/link").content == b"[]"


# Only looking


@pytest.fixture
def looking(acting: Browser, settings: Any) -> Browser:
    """A staff member who may only look."""
    settings.LOGTO_IMPERSONATION_READ_ONLY = True
    return acting


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_read_only_refuses_changes(looking: Browser, method: str) -> None:
    page = getattr(looking.client, method)("/note?note=changed")
    assert page.status_code == 403
    assert "change nothing" in page.content.decode()
    script = getattr(looking.client, method)("/note?note=changed", headers=SCRIPT)
    assert (script.status_code, script.json()) == (403, {"error": "impersonation_read_only"})
    assert who(looking)["note"] is None


def test_read_only_shows_pages(looking: Browser) -> None:
    assert who(looking)["user"] == "reader"
    assert looking.client.head("/").status_code == 200


def test_read_only_cannot_be_passed_by_a_token(looking: Browser) -> None:
    """A view that checks the session must not see the user because the request has any token."""
    response = looking.client.post("/", headers={"Authorization": "Bearer x"})
    assert response.json()["user"] == ""


def test_read_only_lets_leave(looking: Browser) -> None:
    assert looking.client.post("/support-access/leave").json() == {"left": "editor"}


def test_read_only_lets_sign_out(looking: Browser) -> None:
    assert looking.client.post("/sign-out").status_code == 302
    assert who(looking)["user"] == ""


# Nothing is stored by browsers and proxies


def test_no_response_is_stored(acting: Browser) -> None:
    for path in ("/", "/note?note=x", "/missing", "/account/"):
        assert acting.client.get(path)["Cache-Control"] == "no-store, private"
    assert acting.client.post("/support-access/leave")["Cache-Control"] == "no-store, private"
    assert "Cache-Control" not in acting.client.get("/")


def test_start_is_not_stored(staff: Browser) -> None:
    assert staff.client.post("/start/reader")["Cache-Control"] == "no-store, private"
