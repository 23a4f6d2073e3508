"""Sessions that end when they should: how long Logto's word counts, and what happens when it is not renewed."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connections

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import SignInRefused
from logto_auth.models import LogtoSession
from logto_auth.sessions.refresh import clear_outage
from logto_auth.signals import session_ended, signed_out
from logto_auth.testing import Browser
from tests.flows.ageing import age

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def ended() -> list[str]:
    """The reasons that `session_ended` gave."""
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
    return browser.client.get("/account/").status_code == 200


def test_a_fresh_session_asks_nobody(reader: Browser, logto: Emulator) -> None:
    age(reader, 3500)
    assert reader.client.get("/").status_code == 200
    assert len(logto.requests) == 0


def test_an_aged_session_is_refreshed_once_and_then_fresh_again(reader: Browser, logto: Emulator) -> None:
    age(reader)
    for _ in range(3):
        assert reader.client.get("/").wsgi_request.user.is_authenticated
    assert [request.endpoint for request in logto.requests] == ["token"]


def test_the_setting_shortens_how_long_a_page_trusts_logto(browser: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_FRESHNESS_SECONDS = 60
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    logto.requests.clear()
    age(browser, 61)
    browser.client.get("/")
    assert len(logto.requests.to("token")) == 1


@pytest.mark.parametrize("seconds", [0, 1])
def test_a_word_that_counts_for_no_time_at_all_is_asked_for_at_each_request(
    browser: Browser, logto: Emulator, settings, seconds: int
) -> None:
    settings.LOGTO_FRESHNESS_SECONDS = seconds
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    for _ in range(2):
        logto.requests.clear()
        age(browser, seconds)
        assert browser.client.get("/").wsgi_request.user.is_authenticated
        assert len(logto.requests.to("token")) == 1


def test_a_refresh_that_brings_no_id_token_confirms_the_session(reader: Browser, logto: Emulator) -> None:
    logto.faults.token_response = lambda answer: {k: v for k, v in answer.items() if k != "id_token"}
    age(reader)
    for _ in range(2):
        assert reader.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.requests.to("token")) == 1


def test_while_logto_is_out_of_reach_one_session_waits_for_all(browser: Browser, logto: Emulator) -> None:
    others = []
    for number in range(3):
        logto.tenant.add_user(username=f"reader{number}")
        others.append(Browser(logto))
        others[-1].sign_in(f"reader{number}")
    age_all = [age(other, 0) or other for other in others]
    LogtoSession.objects.update(fresh_until=LogtoSession.objects.first().fresh_until - timedelta(hours=1, seconds=5))
    for other in age_all:
        session = other.client.session
        session["_logto_fresh_until"] = 1
        session.save()
    logto.requests.clear()
    logto.faults.http["token"] = HttpFault(drop=True)
    for other in others:
        assert other.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.requests.to("token")) == 1


def test_a_view_that_asks_for_a_token_finds_out_that_the_session_has_ended(
    reader: Browser, logto: Emulator, ended: list[str]
) -> None:
    logto.tenant.suspend_user("reader000001")
    age(reader, 0)
    row = LogtoSession.objects.get()
    tokens = row.tokens
    tokens["access_tokens"] = {}
    row.tokens = tokens
    row.save()
    # The account page asks for an access token, for userinfo; the session itself is still fresh.
    assert reader.client.get("/account/").status_code == 200
    assert LogtoSession.objects.count() == 0
    assert reader.client.get("/account/").status_code == 302
    assert ended == ["sign_in_required"]


def test_names_roles_and_groups_follow_each_refresh(reader: Browser, logto: Emulator, settings) -> None:
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
def test_C9_a_suspended_or_deleted_person_is_out_at_the_next_refresh(
    reader: Browser, logto: Emulator, ended: list[str], action: str
) -> None:
    getattr(logto.tenant, action)("reader000001")
    assert is_signed_in(reader), "until then Logto's last word counts"
    age(reader)
    assert reader.client.get("/account/")["Location"] == "/sign-in?next=/account/"
    assert "_auth_user_id" not in reader.client.session
    assert LogtoSession.objects.count() == 0
    assert ended == ["sign_in_required"]


def test_C12_a_form_sent_with_a_session_that_has_ended_is_not_carried_out(reader: Browser, logto: Emulator) -> None:
    logto.tenant.suspend_user("reader000001")
    age(reader)
    response = reader.client.post("/basket/add/1/", headers={"Referer": "http://testserver/?page=2"})
    assert response.status_code == 401
    assert "Your session has ended" in response.content.decode()
    assert 'href="/sign-in?next=/%3Fpage%3D2"' in response.content.decode()
    age(reader)
    assert "_auth_user_id" not in reader.client.session


def test_C12_a_script_is_told_so_in_json(reader: Browser, logto: Emulator) -> None:
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
def test_C11_an_outage_keeps_people_in_for_a_bounded_time(
    reader: Browser, logto: Emulator, settings, ended: list[str], fault: HttpFault
) -> None:
    settings.LOGTO_OUTAGE_GRACE_SECONDS = 600
    logto.faults.http["token"] = fault
    age(reader)
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    asked = len(logto.requests.to("token"))
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.requests.to("token")) == asked, "Logto is not asked again at once"
    age(reader, 601)
    assert not reader.client.get("/").wsgi_request.user.is_authenticated
    assert len(ended) == 1


def test_C11_after_the_outage_all_is_as_before(reader: Browser, logto: Emulator) -> None:
    logto.faults.http["token"] = HttpFault(drop=True)
    age(reader)
    reader.client.get("/")
    logto.faults.clear()
    LogtoSession.objects.update(no_refresh_before=None)
    clear_outage()
    age(reader, 31)
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    row = LogtoSession.objects.get()
    assert row.unreachable_since is None
    assert row.fresh_until > datetime.now(tz=row.fresh_until.tzinfo)


@pytest.mark.parametrize("change", [{"sub": "somebody0001"}, {"iss": "https://evil.example/oidc"}, {"aud": "other"}])
def test_A27_a_refreshed_token_that_is_not_what_it_should_be_ends_the_session(
    reader: Browser, logto: Emulator, change: dict[str, str], ended: list[str]
) -> None:
    logto.faults.id_token_claims = lambda claims: {**claims, **change}
    age(reader)
    assert not reader.client.get("/").wsgi_request.user.is_authenticated
    assert ended == ["token_invalid"]


def test_a_disabled_account_is_not_refreshed(reader: Browser, logto: Emulator) -> None:
    User.objects.update(is_active=False)  # no signal tells of this
    age(reader)
    assert not reader.client.get("/").wsgi_request.user.is_authenticated


def test_disabling_or_deleting_an_account_ends_its_sessions_at_once(reader: Browser, logto: Emulator) -> None:
    Browser(logto).sign_in("reader")
    user = User.objects.get()
    user.is_active = False
    user.save()
    assert LogtoSession.objects.count() == 0
    assert not reader.client.session.exists(reader.client.session.session_key)
    user.is_active = True
    user.save()
    again = Browser(logto)
    again.sign_in("reader")
    user.delete()
    assert not again.client.session.exists(again.client.session.session_key)


class TestWithoutRefreshToken:
    @pytest.fixture(autouse=True)
    def scopes(self, settings) -> None:
        settings.LOGTO_SCOPES = ("openid", "profile")

    def test_a_page_goes_on_a_silent_round_trip(self, reader: Browser, logto: Emulator) -> None:
        age(reader)
        response = reader.client.get("/account/?tab=2")
        assert "prompt=none" in response["Location"]
        assert reader.open(reader.logto.sign_in(response["Location"]))["Location"] == "/account/?tab=2"
        assert is_signed_in(reader)

    def test_whoever_is_signed_out_at_logto_goes_on_signed_out(
        self, reader: Browser, logto: Emulator, ended: list[str]
    ) -> None:
        reader.logto.session.cookies.clear()
        age(reader)
        response = reader.client.get("/account/")
        callback = reader.logto.sign_in(response["Location"])
        assert "error=login_required" in callback
        assert reader.open(callback)["Location"] == "/account/"
        assert reader.client.get("/account/")["Location"] == "/sign-in?next=/account/"
        assert ended == ["login_required"]

    @pytest.mark.parametrize("error", ["access_denied", "invalid_scope", "interaction_required"])
    def test_whoever_logto_does_not_confirm_goes_on_signed_out(
        self, reader: Browser, logto: Emulator, error: str
    ) -> None:
        logto.faults.callback = lambda parameters: [
            ("error", error),
            *(pair for pair in parameters if pair[0] in ("state", "iss")),
        ]
        age(reader)
        callback = reader.logto.sign_in(reader.client.get("/account/")["Location"])
        assert reader.open(callback)["Location"] == "/account/"
        assert "_auth_user_id" not in reader.client.session

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_a_script_gets_a_401(self, reader: Browser, method: str) -> None:
        age(reader)
        response = getattr(reader.client, method)("/account/", headers={"Sec-Fetch-Mode": "cors"})
        assert response.status_code == 401

    def test_a_form_is_not_carried_out(self, reader: Browser) -> None:
        age(reader)
        assert reader.client.post("/basket/add/1/").status_code == 401

    def test_signing_out_works_all_the_same(self, reader: Browser) -> None:
        age(reader)
        assert reader.sign_out().startswith("http://testserver/")


@pytest.mark.django_db(transaction=True)
def test_C10_however_many_requests_meet_an_aged_session_one_refresh_goes_out(logto: Emulator) -> None:
    logto.tenant.add_user(username="reader", id="reader000001")
    reader = Browser(logto)
    reader.sign_in("reader")
    age(reader)
    logto.requests.clear()
    logto.faults.http["token"] = HttpFault(delay_seconds=0.3)
    seen: list[bool] = []

    def visit() -> None:
        browser = Browser(logto)
        browser.client.cookies = reader.client.cookies
        seen.append(browser.client.get("/").wsgi_request.user.is_authenticated)
        connections.close_all()

    threads = [threading.Thread(target=visit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 20
    assert len(logto.requests.to("token")) == 1


def test_a_lease_whose_holder_died_runs_out(reader: Browser, logto: Emulator) -> None:
    row = LogtoSession.objects.get()
    row.no_refresh_before = row.created_at - timedelta(seconds=1)
    row.save()
    age(reader)
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.requests.to("token")) == 1


def test_a_person_the_site_wants_no_more_is_out_at_the_refresh(
    reader: Browser, logto: Emulator, settings, ended: list[str]
) -> None:
    settings.LOGTO_USER_FIELDS = "tests.flows.test_freshness.refuse"
    age(reader)
    assert not reader.client.get("/").wsgi_request.user.is_authenticated
    assert LogtoSession.objects.count() == 0
    assert ended == ["refused_by_site"]


def refuse(claims: object) -> dict[str, object]:
    raise SignInRefused("Not any more.")


def test_signals_are_sent_by_the_user_model(reader: Browser, logto: Emulator) -> None:
    seen: list[object] = []

    def note(user: object, **kwargs: object) -> None:
        seen.append(user)

    for signal in (session_ended, signed_out):
        signal.connect(note, sender=User)
    logto.tenant.suspend_user("reader000001")
    age(reader)
    reader.client.get("/")
    logto.tenant.suspend_user("reader000001", is_suspended=False)
    reader.sign_in("reader")
    reader.client.post("/sign-out")
    for signal in (session_ended, signed_out):
        signal.disconnect(note, sender=User)
    assert seen == [User.objects.get()] * 2


def test_a_session_that_django_gave_another_key_is_found_under_it_after_the_next_refresh(
    reader: Browser, logto: Emulator, settings
) -> None:
    session = reader.client.session
    session.cycle_key()
    session.save()
    reader.client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    age(reader)
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    assert LogtoSession.objects.get().session_key == session.session_key
