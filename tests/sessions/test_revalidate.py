"""Revalidation: a stale session is confirmed by Logto, or ends."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db.models import F

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import SignInRefused
from logto_auth.models import LogtoSession
from logto_auth.sessions.outage import clear_outage
from logto_auth.signals import session_ended
from logto_auth.testing import Browser
from tests.ageing import age
from tests.support import changed_claims

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def ended() -> list[str]:
    """Return the list of reasons that `session_ended` was sent with."""
    reasons: list[str] = []

    def note(reason: str, **kwargs: object) -> None:
        reasons.append(reason)

    session_ended.connect(note)
    yield reasons
    session_ended.disconnect(note)


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Browser:
    logto.tenant.add_user(username="reader", id="reader000001", name="Reader")
    browser.sign_in("reader")
    logto.requests.clear()
    return browser


def is_signed_in(browser: Browser) -> bool:
    return browser.client.get("/account/claims").status_code == 200


def test_fresh_session_makes_no_call(reader: Browser, logto: Emulator) -> None:
    age(reader, 3500)
    assert reader.client.get("/").status_code == 200
    assert len(logto.requests) == 0


def test_stale_session_is_refreshed_once(reader: Browser, logto: Emulator) -> None:
    age(reader)
    for _ in range(3):
        assert reader.client.get("/").wsgi_request.user.is_authenticated
    assert [request.endpoint for request in logto.requests] == ["token"]


def test_freshness_seconds_shorten_freshness(browser: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_FRESHNESS_SECONDS = 60
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    logto.requests.clear()
    age(browser, 61)
    browser.client.get("/")
    assert len(logto.requests.to("token")) == 1


def test_freshness_lasts_a_day_at_most(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    logto.faults.id_token_claims = changed_claims(exp=time.time() + 10 * 365 * 24 * 3600)
    browser.sign_in("reader")
    logto.requests.clear()
    age(browser, 24 * 3600 - 60)
    browser.client.get("/")
    assert len(logto.requests.to("token")) == 0
    age(browser, 61)
    browser.client.get("/")
    assert len(logto.requests.to("token")) == 1


@pytest.mark.parametrize("seconds", [0, 1])
def test_zero_freshness_refreshes_at_every_request(browser: Browser, logto: Emulator, settings, seconds: int) -> None:
    settings.LOGTO_FRESHNESS_SECONDS = seconds
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    for _ in range(2):
        logto.requests.clear()
        age(browser, seconds)
        assert browser.client.get("/").wsgi_request.user.is_authenticated
        assert len(logto.requests.to("token")) == 1


def test_failed_token_request_ends_session_at_next_request(reader: Browser, logto: Emulator, ended: list[str]) -> None:
    logto.tenant.suspend_user("reader000001")
    age(reader, 0)
    row = LogtoSession.objects.get()
    tokens = row.tokens
    tokens["access_tokens"] = {}
    row.tokens = tokens
    row.save()
    # The account page asks for an access token, for userinfo; the session itself is still fresh.
    assert reader.client.get("/account/claims").status_code == 200
    assert LogtoSession.objects.count() == 0
    assert reader.client.get("/account/claims").status_code == 302
    assert ended == ["sign_in_required"]


def test_refresh_updates_name_roles_and_groups(reader: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_GROUPS_BY_ROLE = {"editor": "Editors"}
    logto.tenant.add_role("editor")
    logto.tenant.update_user("reader000001", name="Renamed", roles=["editor"])
    age(reader)
    request = reader.client.get("/").wsgi_request
    assert request.logto.roles == ("editor",)
    user = User.objects.get()
    assert user.first_name == "Renamed"
    assert [group.name for group in user.groups.all()] == ["Editors"]
    logto.tenant.update_user("reader000001", roles=[])
    age(reader)
    reader.client.get("/")
    assert not user.groups.exists()


@pytest.mark.parametrize("action", ["suspend_user", "delete_user"])
def test_suspended_user_is_signed_out_on_refresh(
    reader: Browser, logto: Emulator, ended: list[str], action: str
) -> None:
    getattr(logto.tenant, action)("reader000001")
    assert is_signed_in(reader), "the session is still fresh"
    age(reader)
    assert reader.client.get("/account/claims")["Location"] == "/sign-in?next=/account/claims"
    assert "_auth_user_id" not in reader.client.session
    assert LogtoSession.objects.count() == 0
    assert ended == ["sign_in_required"]


def test_form_of_ended_session_is_answered_with_401(reader: Browser, logto: Emulator) -> None:
    logto.tenant.suspend_user("reader000001")
    age(reader)
    response = reader.client.post("/basket/add/1/", headers={"Referer": "http://testserver/?page=2"})
    assert response.status_code == 401
    assert "Your session has ended" in response.content.decode()
    assert 'href="/sign-in?next=/%3Fpage%3D2"' in response.content.decode()
    age(reader)
    assert "_auth_user_id" not in reader.client.session


def test_script_of_ended_session_gets_json_401(reader: Browser, logto: Emulator) -> None:
    logto.tenant.suspend_user("reader000001")
    age(reader)
    response = reader.client.post("/basket/add/1/", headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert response.json()["error"] == "sign_in_required"


@pytest.mark.parametrize(
    "fault",
    [HttpFault(drop=True), HttpFault(status=503), HttpFault(status=500), HttpFault(status=200, body="<html>")],
    ids=["gone", "503", "500", "garbage"],
)
def test_outage_keeps_session_for_grace_period_only(
    reader: Browser, logto: Emulator, settings, ended: list[str], fault: HttpFault
) -> None:
    settings.LOGTO_OUTAGE_GRACE_SECONDS = 600
    logto.faults.http["token"] = fault
    age(reader)
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    asked = len(logto.requests.to("token"))
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.requests.to("token")) == asked, "Logto is not contacted again at once"
    age(reader, 601)
    assert not reader.client.get("/").wsgi_request.user.is_authenticated
    assert len(ended) == 1


def test_session_is_refreshed_after_outage(reader: Browser, logto: Emulator) -> None:
    logto.faults.http["token"] = HttpFault(drop=True)
    age(reader)
    reader.client.get("/")
    logto.faults.clear()
    LogtoSession.objects.update(no_refresh_before=0)
    clear_outage()
    age(reader, 31)
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    row = LogtoSession.objects.get()
    assert row.unreachable_since is None
    assert row.fresh_until > time.time()


def test_logto_is_asked_again_before_grace_period_ends_session(reader: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_OUTAGE_GRACE_SECONDS = 20
    logto.faults.http["token"] = HttpFault(drop=True)
    age(reader)
    assert is_signed_in(reader)
    logto.faults.clear()
    clear_outage()
    # Twenty seconds later: the grace period has ended, and the cool-down of thirty seconds has not.
    LogtoSession.objects.update(fresh_until=F("fresh_until") - 20, no_refresh_before=F("no_refresh_before") - 20)
    assert is_signed_in(reader)
    assert LogtoSession.objects.get().unreachable_since is None


@pytest.mark.parametrize("change", [{"sub": "somebody0001"}, {"iss": "https://evil.example/oidc"}, {"aud": "other"}])
def test_wrong_refreshed_id_token_ends_session(
    reader: Browser, logto: Emulator, change: dict[str, str], ended: list[str]
) -> None:
    logto.faults.id_token_claims = lambda claims: {**claims, **change}
    age(reader)
    assert not reader.client.get("/").wsgi_request.user.is_authenticated
    assert ended == ["token_invalid"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("invalid_grant", "Logto no longer accepts the refresh token."),
        ("access_denied", "Logto denies the user access to this application"),
    ],
)
def test_log_tells_why_refresh_ended_session(
    reader: Browser, logto: Emulator, ended: list[str], caplog: Any, error: str, text: str
) -> None:
    body = json.dumps({"error": error, "error_description": "Access denied."})
    logto.faults.http["token"] = HttpFault(status=400, body=body)
    age(reader)
    assert not reader.client.get("/").wsgi_request.user.is_authenticated
    assert text in caplog.text
    assert ("access control of the application" in caplog.text) == (error == "access_denied")
    assert ended == ["sign_in_required"]


def test_deactivated_user_is_signed_out_on_refresh(reader: Browser, logto: Emulator) -> None:
    User.objects.update(is_active=False)  # this sends no signal
    age(reader)
    assert not reader.client.get("/").wsgi_request.user.is_authenticated


class TestWithoutRefreshToken:
    @pytest.fixture(autouse=True)
    def scopes(self, settings) -> None:
        settings.LOGTO_SCOPES = ("openid", "profile")

    def test_page_is_redirected_to_silent_sign_in(self, reader: Browser, logto: Emulator) -> None:
        age(reader)
        response = reader.client.get("/account/claims?tab=2")
        assert "prompt=none" in response["Location"]
        assert reader.open(reader.logto.sign_in(response["Location"]))["Location"] == "/account/claims?tab=2"
        assert is_signed_in(reader)

    def test_user_signed_out_at_logto_continues_signed_out(
        self, reader: Browser, logto: Emulator, ended: list[str]
    ) -> None:
        reader.logto.session.cookies.clear()
        age(reader)
        response = reader.client.get("/account/claims")
        callback = reader.logto.sign_in(response["Location"])
        assert "error=login_required" in callback
        assert reader.open(callback)["Location"] == "/account/claims"
        assert reader.client.get("/account/claims")["Location"] == "/sign-in?next=/account/claims"
        assert ended == ["login_required"]

    @pytest.mark.parametrize("error", ["access_denied", "invalid_scope", "interaction_required"])
    def test_unconfirmed_user_continues_signed_out(self, reader: Browser, logto: Emulator, error: str) -> None:
        logto.faults.callback = lambda parameters: [
            ("error", error),
            *(pair for pair in parameters if pair[0] in ("state", "iss")),
        ]
        age(reader)
        callback = reader.logto.sign_in(reader.client.get("/account/claims")["Location"])
        assert reader.open(callback)["Location"] == "/account/claims"
        assert "_auth_user_id" not in reader.client.session

    def test_prefetch_is_refused_and_click_confirms(self, reader: Browser, logto: Emulator) -> None:
        age(reader)
        response = reader.client.get("/account/claims", headers={"Sec-Purpose": "prefetch"})
        assert (response.status_code, response.content) == (403, b"")
        assert not response.cookies
        assert "prompt=none" in reader.client.get("/account/claims")["Location"]

    def test_turbo_opens_page_anew(self, reader: Browser) -> None:
        age(reader)
        response = reader.client.get("/account/claims?tab=2", headers={"X-Turbo-Request-Id": "1"})
        assert response.status_code == 200
        assert 'name="turbo-visit-control" content="reload"' in response.content.decode()
        assert 'href="/account/claims?tab=2"' in response.content.decode()

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_script_gets_401(self, reader: Browser, method: str) -> None:
        age(reader)
        response = getattr(reader.client, method)("/account/claims", headers={"Sec-Fetch-Mode": "cors"})
        assert response.status_code == 401

    def test_form_gets_401(self, reader: Browser) -> None:
        age(reader)
        assert reader.client.post("/basket/add/1/").status_code == 401

    def test_signing_out_works_without_revalidation(self, reader: Browser) -> None:
        age(reader)
        assert reader.sign_out().startswith("http://testserver/")


def test_refused_user_is_signed_out_on_refresh(reader: Browser, logto: Emulator, settings, ended: list[str]) -> None:
    settings.LOGTO_USER_FIELDS = "tests.sessions.test_revalidate.refuse"
    age(reader)
    assert not reader.client.get("/").wsgi_request.user.is_authenticated
    assert LogtoSession.objects.count() == 0
    assert ended == ["refused_by_site"]


def refuse(claims: object) -> dict[str, object]:
    raise SignInRefused("Not any more.")


def use_other_host(browser: Browser, settings: Any) -> None:
    settings.MIDDLEWARE = ["tests.sessions.urls_of_other_host.other_host", *settings.MIDDLEWARE]
    browser.client.handler.load_middleware()


@pytest.mark.parametrize("is_ended", [False, True], ids=["stale", "ended"])
def test_host_without_sign_in_pages_revalidates(reader: Browser, settings, is_ended: bool) -> None:
    age(reader)
    if is_ended:
        LogtoSession.objects.all().end()
    use_other_host(reader, settings)
    assert reader.client.get("/").content == (b"nobody" if is_ended else b"reader")


def test_host_without_sign_in_pages_names_sign_in_of_site(reader: Browser, settings) -> None:
    LogtoSession.objects.all().end()
    use_other_host(reader, settings)
    settings.LOGTO_BASE_URL = "https://www.shop.example"
    response = reader.client.post("/", headers={"Accept": "application/json"})
    assert response.status_code == 401
    assert response.json()["sign_in_url"].startswith("https://www.shop.example/sign-in")
