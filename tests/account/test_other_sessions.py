"""The end of the other sessions: on this site, and at Logto with their tokens."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from freezegun import freeze_time

from logto_auth.emulator import Emulator, HttpFault, VisitFailed
from logto_auth.models import LogtoSession
from logto_auth.sessions.other_sessions import end_each
from logto_auth.testing import Browser

from .account_site import PASSWORD, enable_account_center, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
VERIFIED = {"action": "password", "password": PASSWORD}


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse("|".join(str(message) for message in messages.get_messages(request)))


def end_others(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(request.logto.end_other_sessions()))  # type: ignore[attr-defined]


async def end_others_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(await request.logto.aend_other_sessions()))  # type: ignore[attr-defined]


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("account/", include("logto_auth.account.urls")),
    path("", home),
    path("end-others", end_others),
    path("end-others-async", end_others_async),
]


@pytest.fixture
def user(logto: Emulator, settings: Any) -> Any:
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    enable_account_center(logto, settings)
    add_sid(logto, settings)
    return logto.tenant.add_user(username="reader", password=PASSWORD)


def add_sid(logto: Emulator, settings: Any, *, is_required: bool = True) -> None:
    """Let ID tokens have a `sid`: that of an application with back-channel logout."""
    application = logto.tenant.applications[settings.LOGTO_APP_ID]
    application.backchannel_logout_uri = "http://localhost:9/back-channel-logout"
    application.backchannel_logout_session_required = is_required


@pytest.fixture
def machine(logto: Emulator, settings: Any) -> Any:
    """The site's application for the Management API."""
    machine = logto.tenant.add_application(name="Site", type="MachineToMachine", roles=["Logto Management API access"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    return machine


@pytest.fixture
def laptop(user: Any, logto: Emulator) -> Browser:
    return sign_in(logto)


@pytest.fixture
def phone(laptop: Browser, logto: Emulator) -> Browser:
    return sign_in(logto)


def is_signed_in_here(browser: Browser) -> bool:
    return bool(browser.client.get("/").wsgi_request.user.is_authenticated)


def is_signed_in_at_logto(browser: Browser) -> bool:
    """Return whether Logto signs the browser in without a password, if it has no session on this site."""
    try:
        browser.logto.sign_in(Client().get("/sign-in")["Location"])
    except (AssertionError, VisitFailed):
        return False
    return True


def verify(browser: Browser) -> None:
    assert browser.client.post("/account/verify", VERIFIED).status_code == 302


def tokens_of(browser: Browser) -> dict[str, str]:
    """Return the tokens of the browser's session, before they are gone."""
    tokens: Any = LogtoSession.objects.get(pk=browser.client.session["_logto_session"]).tokens
    return {"refresh": tokens["refresh_token"], "access": next(iter(tokens["access_tokens"].values()))["token"]}


def test_account_api_ends_them_after_verification(laptop: Browser, phone: Browser, logto: Emulator) -> None:
    stolen = tokens_of(phone)
    verify(laptop)
    assert laptop.client.get("/end-others").content == (b"EndedSessions(here=1, at_logto=1, needs_verification=False)")
    assert not is_signed_in_here(phone)
    assert not is_signed_in_at_logto(phone)
    assert is_signed_in_here(laptop)
    assert is_signed_in_at_logto(laptop)
    assert stolen["refresh"] not in logto.instances.refresh_tokens
    assert stolen["access"] not in logto.instances.access_tokens


def test_management_api_ends_them_without_verification(laptop: Browser, phone: Browser, machine: Any) -> None:
    assert b"here=1, at_logto=1" in laptop.client.get("/end-others").content
    assert not is_signed_in_here(phone)
    assert not is_signed_in_at_logto(phone)
    assert is_signed_in_here(laptop)
    assert is_signed_in_at_logto(laptop)


def test_async_view_ends_them_too(laptop: Browser, phone: Browser, machine: Any) -> None:
    assert b"here=1, at_logto=1" in laptop.client.get("/end-others-async").content
    assert not is_signed_in_here(phone)


def test_session_at_logto_that_never_came_here_ends_too(laptop: Browser, machine: Any, logto: Emulator) -> None:
    other = logto.tenant.add_application(name="Other", type="SPA", redirect_uris=["http://other.example/callback"])
    phone = sign_in(logto)
    LogtoSession.objects.filter(pk=phone.client.session["_logto_session"]).delete()
    (session,) = [each for each in logto.instances.sessions.values() if each.uid != _own_uid(laptop, logto)]
    session.authorizations = {other.id: next(iter(session.authorizations.values()))}
    assert b"here=0, at_logto=1" in laptop.client.get("/end-others").content


def _own_uid(browser: Browser, logto: Emulator) -> str:
    sid = LogtoSession.objects.get(pk=browser.client.session["_logto_session"]).sid
    return next(
        session.uid
        for session in logto.instances.sessions.values()
        if any(authorization.sid == sid for authorization in session.authorizations.values())
    )


def test_nothing_else_to_end(laptop: Browser, machine: Any) -> None:
    assert b"here=0, at_logto=0" in laptop.client.get("/end-others").content


def test_sessions_of_others_are_left_alone(laptop: Browser, machine: Any, logto: Emulator) -> None:
    logto.tenant.add_user(username="other")
    other = sign_in(logto, "other")
    assert b"here=0, at_logto=0" in laptop.client.get("/end-others").content
    assert is_signed_in_here(other)


def test_second_session_of_same_browser_ends_here_only(laptop: Browser, machine: Any, logto: Emulator) -> None:
    laptop.client.cookies.clear()
    laptop.sign_in()
    assert LogtoSession.objects.count() == 2
    assert b"here=1, at_logto=0" in laptop.client.get("/end-others").content
    assert is_signed_in_at_logto(laptop)


def test_without_any_way_sessions_end_here(laptop: Browser, phone: Browser) -> None:
    assert b"here=1, at_logto=None, needs_verification=True" in laptop.client.get("/end-others").content
    assert not is_signed_in_here(phone)
    assert is_signed_in_at_logto(phone)


@pytest.mark.parametrize("permission", ["ReadOnly", "Off"])
def test_verification_is_not_requested_in_vain(
    laptop: Browser, logto: Emulator, settings: Any, permission: str
) -> None:
    enable_account_center(logto, settings, session=permission)
    assert b"needs_verification=False" in laptop.client.get("/end-others").content


def test_missing_scope_needs_no_verification(user: Any, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile")
    browser = sign_in(logto)
    verify(browser)
    assert b"at_logto=None, needs_verification=False" in browser.client.get("/end-others").content


def test_management_api_helps_if_account_api_refuses(
    laptop: Browser, phone: Browser, machine: Any, logto: Emulator, settings: Any
) -> None:
    verify(laptop)
    enable_account_center(logto, settings, session="ReadOnly")
    assert b"here=1, at_logto=1" in laptop.client.get("/end-others").content
    assert not is_signed_in_at_logto(phone)


def test_management_api_needs_sid_of_current_session(
    user: Any, machine: Any, logto: Emulator, settings: Any, caplog: Any
) -> None:
    add_sid(logto, settings, is_required=False)
    laptop, phone = sign_in(logto), sign_in(logto)
    assert b"here=1, at_logto=None, needs_verification=True" in laptop.client.get("/end-others").content
    assert "manage.py logto_setup" in caplog.text
    assert is_signed_in_at_logto(laptop)
    verify(laptop)
    assert b"at_logto=1" in laptop.client.get("/end-others").content, "the Account API marks the current session"
    assert is_signed_in_at_logto(laptop)
    assert not is_signed_in_at_logto(phone)


@pytest.mark.parametrize(
    "fault",
    [HttpFault(status=500, body="Oops"), HttpFault(drop=True), HttpFault(body="[]"), HttpFault(body="{}")],
)
def test_unreachable_logto_still_ends_them_here(
    laptop: Browser, phone: Browser, machine: Any, logto: Emulator, fault: HttpFault, caplog: Any
) -> None:
    logto.faults.http["management_api"] = HttpFault(**vars(fault))
    assert b"here=1, at_logto=None" in laptop.client.get("/end-others").content
    assert not is_signed_in_here(phone)
    assert any(record.levelno == logging.ERROR and "Management API" in record.getMessage() for record in caplog.records)


def test_missing_role_of_machine_is_logged(
    laptop: Browser, phone: Browser, logto: Emulator, settings: Any, caplog: Any
) -> None:
    machine = logto.tenant.add_application(name="Powerless", type="MachineToMachine")
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    assert b"here=1, at_logto=None" in laptop.client.get("/end-others").content
    assert "Logto Management API access" in caplog.text


def test_session_that_ends_meanwhile_is_no_error(
    laptop: Browser, phone: Browser, machine: Any, logto: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = logto.requests.append

    def end_first(request: Any) -> None:
        if request.method == "DELETE":
            logto.instances.sessions.clear()
        append(request)

    monkeypatch.setattr(logto.requests, "append", end_first)
    assert b"here=1, at_logto=0" in laptop.client.get("/end-others").content
    assert "DELETE" in {request.method for request in logto.requests}


def test_list_without_mark_of_current_session_ends_nothing(
    user: Any, logto: Emulator, settings: Any, caplog: Any
) -> None:
    add_sid(logto, settings, is_required=False)
    laptop = sign_in(logto)
    verify(laptop)
    sessions = [{"payload": {"uid": session.uid}} for session in logto.instances.sessions.values()]
    logto.faults.http["account_api"] = HttpFault(body=json.dumps({"sessions": sessions}), times=1)
    assert b"at_logto=None" in laptop.client.get("/end-others").content
    assert "which session is the current one" in caplog.text
    assert len(logto.instances.sessions) == len(sessions) == 1


# The button


def test_button_says_how_many_ended(laptop: Browser, phone: Browser, machine: Any) -> None:
    response = laptop.client.post("/sign-out-others", {"next": "/"})
    assert (response.status_code, response["Location"]) == (302, "/")
    page = laptop.client.get("/").content
    assert page == b"1 other session on this site has ended. 1 other session at Logto has ended."
    assert not is_signed_in_at_logto(phone)


def test_button_leads_to_verification_first(laptop: Browser, phone: Browser) -> None:
    response = laptop.client.post("/sign-out-others", {"next": "/"})
    assert not is_signed_in_here(phone), "sessions on this site end at once"
    assert response["Location"].startswith("/account/verify?next=/account-return")
    response = laptop.client.post(response["Location"], VERIFIED)
    assert response["Location"].startswith("/account-return?next=/&state=")
    response = laptop.client.get(response["Location"])
    assert response["Location"] == "/"
    assert laptop.client.get("/").content == b"1 other session at Logto has ended."
    assert not is_signed_in_at_logto(phone)
    assert is_signed_in_at_logto(laptop)


def test_script_gets_url_of_verification(laptop: Browser, phone: Browser) -> None:
    headers = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    response = laptop.client.post("/sign-out-others", headers=headers)
    assert response.status_code == 401
    assert response.json()["sign_in_url"].startswith("http://testserver/account/verify?next=/account-return")


def test_long_next_page_is_given_up(laptop: Browser, phone: Browser) -> None:
    response = laptop.client.post("/sign-out-others", {"next": "/?q=" + "x" * 900})
    response = laptop.client.post(response["Location"], VERIFIED)
    assert response["Location"].startswith("/account-return?state=")


def test_button_works_without_messages(laptop: Browser, phone: Browser, machine: Any, settings: Any) -> None:
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "messages" not in each]
    client = Client()
    client.cookies = laptop.client.cookies
    response = client.post("/sign-out-others", {"next": "/"})
    page = response.content.decode()
    assert "1 other session at Logto has ended." in page
    assert 'href="/"' in page


@pytest.mark.urls("tests.account.urls_without_pages")
def test_button_works_without_account_pages(user: Any, logto: Emulator) -> None:
    laptop, _phone = sign_in(logto), sign_in(logto)
    response = laptop.client.post("/sign-out-others", {"next": "/payment/"})
    assert response["Location"] == "/payment/"
    assert LogtoSession.objects.count() == 1
    (message,) = messages.get_messages(response.wsgi_request)
    assert "You may still be signed in at Logto on other devices." in str(message)


def test_other_users_state_ends_nothing(laptop: Browser, phone: Browser, logto: Emulator) -> None:
    url = laptop.client.post("/sign-out-others", {"next": "/"})["Location"]
    url = laptop.client.post(url, VERIFIED)["Location"]
    logto.tenant.add_user(username="other", password=PASSWORD)
    attacked = sign_in(logto, "other")
    second = sign_in(logto, "other")
    assert attacked.client.get(url)["Location"] == "/"
    assert is_signed_in_here(second)


def test_slow_logto_does_not_hold_the_request() -> None:
    ended: list[str] = []
    with freeze_time(tick=False) as clock:

        def end(uid: str) -> bool:
            ended.append(uid)
            clock.tick(6)
            return True

        assert end_each([{"payload": {"uid": f"s{i}"}} for i in range(50)], end) is None
    assert ended == ["s0", "s1", "s2"]
