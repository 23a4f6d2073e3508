"""The way back from a task of Logto's Account Center."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from freezegun import freeze_time

from logto_auth.account import account_url
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoSession
from logto_auth.signals import account_changed
from logto_auth.testing import Browser
from tests.emulator.account_visitor import AccountVisitor

from .account_site import EMAIL, PASSWORD, calls, enable_account_center, sign_in
from .test_other_sessions import add_sid

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def settings_page(request: HttpRequest) -> HttpResponse:
    """Show the messages, or the link to the task in the query."""
    task = request.GET.get("task")
    if task:
        connector = {"connector_id": "abc"} if task.startswith("social") else {}
        return HttpResponse(account_url(request, task, next="/settings/", **connector))
    return HttpResponse("|".join(str(message) for message in messages.get_messages(request)))


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", settings_page),
    path("account/", include("logto_auth.account.urls")),
    path("settings/", settings_page),
]


@pytest.fixture
def user(logto: Emulator, settings: Any) -> Any:
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    enable_account_center(logto, settings)
    add_sid(logto, settings)
    return logto.tenant.add_user(username="reader", password=PASSWORD, primary_email=EMAIL, name="Reader")


@pytest.fixture
def reader(user: Any, logto: Emulator) -> Browser:
    return sign_in(logto)


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    """The arguments with which `account_changed` was sent."""
    received: list[dict[str, Any]] = []

    def note(**arguments: Any) -> None:
        received.append(arguments)

    account_changed.connect(note)
    yield received
    account_changed.disconnect(note)


def return_url(browser: Browser, task: str) -> str:
    """Return the URL to which Logto sends the browser after the task, as path and query."""
    url = browser.client.get("/settings/", {"task": task}).content.decode()
    (redirect,) = parse_qs(urlsplit(url).query)["redirect"]
    return redirect.removeprefix("http://testserver")


def shown(browser: Browser) -> str:
    """Return the messages on the next page."""
    return browser.client.get("/settings/").content.decode()


def come_back(browser: Browser, url: str) -> str:
    """Follow the URL, which redirects to the settings; return the messages there."""
    response = browser.client.get(url)
    assert (response.status_code, response["Location"]) == (302, "/settings/"), response.content.decode()
    assert (response["Cache-Control"], response["Referrer-Policy"]) == ("no-store", "no-referrer")
    return shown(browser)


CHANGES = [
    ("email", {"primary_email": "new@example.com"}, {"email"}, "Your e-mail address has been changed."),
    ("email", {"primary_email": None}, {"email"}, "Your e-mail address has been removed."),
    ("phone", {"primary_phone": "15551234567"}, {"phone_number"}, "Your phone number has been changed."),
    ("username", {"username": "writer"}, {"username"}, "Your username has been changed."),
]


@pytest.mark.parametrize(("task", "changes", "claims", "text"), CHANGES)
def test_change_is_found_in_the_claims(
    reader: Browser, user: Any, logto: Emulator, sent: Any, task: str, changes: Any, claims: set[str], text: str
) -> None:
    url = return_url(reader, task)
    logto.tenant.update_user(user.id, **changes)
    logto.requests.clear()
    assert come_back(reader, url) == text
    assert len(logto.requests.to("token")) == 1
    assert calls(logto) == []
    (signal,) = sent
    assert signal["sender"] is get_user_model()
    assert (signal["task"], signal["changed"]) == (task, claims)
    assert signal["user"] == get_user_model().objects.get()


def test_all_changed_claims_are_named(reader: Browser, user: Any, logto: Emulator, sent: Any) -> None:
    url = return_url(reader, "email")
    logto.tenant.update_user(
        user.id,
        primary_email="new@example.com",
        name="Writer",
        avatar="https://cdn.example/1.png",
        profile={"nickname": "W", "website": "https://example.com"},
    )
    assert come_back(reader, url) == (
        "Your name has been changed.|Your picture has been changed.|Your e-mail address has been changed.|"
        "Your profile has been changed."
    )
    assert sent[0]["changed"] == {"name", "picture", "email", "nickname", "website"}
    assert get_user_model().objects.get().email == "new@example.com"


def test_nothing_is_claimed_if_nothing_changed(reader: Browser, sent: Any) -> None:
    assert come_back(reader, return_url(reader, "email")) == ""
    assert sent == []


def test_change_that_another_request_has_fetched_is_named(reader: Browser, user: Any, logto: Emulator) -> None:
    url = return_url(reader, "email")
    logto.tenant.update_user(user.id, primary_email="new@example.com")
    come_back(reader, return_url(reader, "passkey/add"))
    assert come_back(reader, url) == "Your e-mail address has been changed."


@pytest.mark.parametrize(
    ("task", "text"),
    [
        ("authenticator-app", "Your authenticator app has been set up."),
        ("backup-codes/generate", "You have new backup codes."),
        ("backup-codes/manage", ""),
        ("passkey/add", "Your passkey has been added."),
        ("social", "The account has been linked."),
        ("social/remove", "The linked account has been removed."),
    ],
)
def test_task_without_claim_is_named(reader: Browser, sent: Any, task: str, text: str) -> None:
    assert come_back(reader, return_url(reader, task)) == text
    assert [(signal["task"], signal["changed"]) for signal in sent] == [(task, set())]


def test_claim_without_scope_is_taken_as_done(user: Any, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile")
    browser = sign_in(logto)
    assert come_back(browser, return_url(browser, "email")) == "Your e-mail address has been changed."


# A changed password, and the whole way


def journey(browser: Browser, logto: Emulator, task: str, form: str, **values: str) -> str:
    """Follow the link in the browser, finish the task at Logto, and return the URL to which Logto sends the browser."""
    with AccountVisitor(logto) as visitor:
        visitor.session.cookies = browser.logto.session.cookies
        visitor.page = visitor.open(browser.client.get("/settings/", {"task": task}).content.decode())
        return visitor.verify(PASSWORD).fill(form, **values).left_to.removeprefix("http://testserver")


def test_user_returns_from_account_center(reader: Browser, logto: Emulator) -> None:
    url = journey(reader, logto, "username", "username-form", username="writer")
    assert come_back(reader, url) == "Your username has been changed."


def test_password_changed_at_account_center_keeps_others_out(reader: Browser, logto: Emulator) -> None:
    phone = sign_in(logto)
    new = "a-Long-and-new-passphrase-7"
    url = journey(reader, logto, "password", "password-form", password=new, confirm_password=new)
    verify_url = reader.client.get(url)["Location"]
    response = reader.client.post(verify_url, {"action": "password", "password": new})
    assert come_back(reader, response["Location"]).endswith("1 other session at Logto has ended.")
    assert not phone.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.instances.sessions) == 1


def test_changed_password_ends_other_sessions(reader: Browser, logto: Emulator, settings: Any) -> None:
    machine = logto.tenant.add_application(name="Site", type="MachineToMachine", roles=["Logto Management API access"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    phone = sign_in(logto)
    assert come_back(reader, return_url(reader, "password")) == (
        "Your password has been changed.|1 other session on this site has ended. 1 other session at Logto has ended."
    )
    assert not phone.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.instances.sessions) == 1


def test_changed_password_without_other_sessions_says_no_more(reader: Browser, logto: Emulator, settings: Any) -> None:
    machine = logto.tenant.add_application(name="Site", type="MachineToMachine", roles=["Logto Management API access"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    assert come_back(reader, return_url(reader, "password")) == "Your password has been changed."


def test_changed_password_leads_to_verification(reader: Browser, logto: Emulator) -> None:
    phone = sign_in(logto)
    response = reader.client.get(return_url(reader, "password"))
    assert response["Location"].startswith("/account/verify?next=/account-return%3Fnext%3D/settings/")
    assert not phone.client.get("/").wsgi_request.user.is_authenticated
    assert "Your password has been changed." in reader.client.get(response["Location"]).content.decode()
    response = reader.client.post(response["Location"], {"action": "password", "password": PASSWORD})
    assert come_back(reader, response["Location"]) == "1 other session at Logto has ended."
    assert len(logto.instances.sessions) == 1


# Values that prove nothing


@pytest.mark.parametrize("state", ["", "forged", "é", "\x00", "gAAAAA" + "A" * 5000])
def test_forged_state_claims_nothing(reader: Browser, logto: Emulator, sent: Any, state: str) -> None:
    logto.requests.clear()
    response = reader.client.get("/account-return", {"next": "/settings/", "state": state})
    assert response["Location"] == "/settings/"
    assert shown(reader) == ""
    assert (sent, len(logto.requests)) == ([], 0)


def test_foreign_state_claims_nothing(reader: Browser, logto: Emulator, sent: Any) -> None:
    logto.tenant.add_user(username="other")
    attacker, attacked = sign_in(logto, "other"), reader
    second = sign_in(logto)
    assert come_back(attacked, return_url(attacker, "password")) == ""
    assert sent == []
    assert second.client.get("/").wsgi_request.user.is_authenticated


def test_step_of_account_page_is_no_state(reader: Browser, sent: Any) -> None:
    response = reader.client.post("/account/verify?next=/settings/", {"action": "send", "kind": "email"})
    step = response.content.decode().partition('name="step" value="')[2].partition('"')[0]
    assert step
    assert reader.client.get("/account-return", {"state": step, "next": "/settings/"})["Location"] == "/settings/"
    assert sent == []


def test_old_state_claims_nothing(reader: Browser, sent: Any) -> None:
    url = return_url(reader, "passkey/add")
    with freeze_time(tick=False) as clock:
        clock.tick(12 * 3600 + 1)
        assert reader.client.get(url)["Location"].endswith("/settings/")
    assert sent == []


def test_signed_out_user_only_goes_on(reader: Browser, sent: Any) -> None:
    url = return_url(reader, "password")
    assert Client().get(url)["Location"] == "/settings/"
    assert sent == []


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "/sign-out", "javascript:alert(1)"])
def test_return_is_no_open_redirect(reader: Browser, settings: Any, url: str) -> None:
    settings.LOGIN_REDIRECT_URL = "/settings/"
    assert reader.client.get("/account-return", {"next": url})["Location"] == "/settings/"


def test_prefetch_changes_nothing(reader: Browser, sent: Any) -> None:
    url = return_url(reader, "passkey/add")
    assert reader.client.get(url, headers={"Sec-Purpose": "prefetch"}).status_code == 403
    assert reader.client.head(url).content == b""
    assert reader.client.post(url).status_code == 405
    assert sent == []


# Logto does not answer, or ends the session


def test_unreachable_logto_is_said(reader: Browser, logto: Emulator, sent: Any, caplog: Any) -> None:
    url = return_url(reader, "email")
    logto.faults.http["token"] = HttpFault(drop=True)
    assert "This site will show your change later." in come_back(reader, url)
    assert sent == []
    assert any(record.levelno == logging.WARNING for record in caplog.records)


def test_unreachable_logto_still_ends_sessions_here(reader: Browser, logto: Emulator) -> None:
    url = return_url(reader, "password")
    phone = sign_in(logto)
    for endpoint in ("token", "account_api", "management_api"):
        logto.faults.http[endpoint] = HttpFault(drop=True)
    assert reader.client.get(url).status_code == 302
    assert not phone.client.get("/").wsgi_request.user.is_authenticated


def test_session_without_refresh_token_goes_on(user: Any, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile", "email")
    browser = sign_in(logto)
    assert come_back(browser, return_url(browser, "passkey/add")) == "Your passkey has been added."


def test_session_that_has_ended_at_logto_ends(reader: Browser, user: Any, logto: Emulator, sent: Any) -> None:
    url = return_url(reader, "email")
    logto.tenant.suspend_user(user.id)
    assert reader.client.get(url)["Location"] == "/settings/"
    assert LogtoSession.objects.count() == 0
    assert not reader.client.get("/").wsgi_request.user.is_authenticated
    assert sent == []


def test_failing_receiver_breaks_nothing(reader: Browser) -> None:
    def fail(**arguments: Any) -> None:
        raise ValueError("broken")

    account_changed.connect(fail)
    try:
        assert come_back(reader, return_url(reader, "passkey/add")) == "Your passkey has been added."
    finally:
        account_changed.disconnect(fail)


def test_site_without_messages_shows_a_page(user: Any, logto: Emulator, settings: Any) -> None:
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "messages" not in each]
    browser = sign_in(logto)
    url = browser.client.get("/settings/", {"task": "passkey/add"}).content.decode()
    (redirect,) = parse_qs(urlsplit(url).query)["redirect"]
    page = browser.client.get(redirect.removeprefix("http://testserver")).content.decode()
    assert "Your passkey has been added." in page
    assert 'href="/settings/"' in page
