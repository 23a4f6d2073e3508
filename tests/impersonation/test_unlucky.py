"""Support access on a site where something goes wrong at the same time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from logto_auth.audit.apps import connect_receivers, disconnect_receivers
from logto_auth.audit.models import AuditEvent
from logto_auth.conf import conf
from logto_auth.emulator import Emulator
from logto_auth.impersonation import start_impersonation
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.ageing import age, age_refresh_tokens

from .conftest import Events
from .site import urlpatterns as patterns_of_site
from .test_journey import who

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()
COOKIE = django_settings.SESSION_COOKIE_NAME
SCRIPT = {"Sec-Fetch-Mode": "cors"}
# What happens while `waiting` runs.
meanwhile: list[Callable[[], Any]] = []


def failing(request: Any) -> HttpResponse:
    """Get a token for the API, and fail."""
    request.logto.access_token(conf.api_resource)
    raise PermissionDenied


def back_to_savepoint(request: Any) -> HttpResponse:
    """Get a token for the API in a block that is rolled back, and another one."""
    try:
        with transaction.atomic():
            failing(request)
    except PermissionDenied:
        return HttpResponse(request.logto.access_token(conf.api_resource))
    raise AssertionError


def waiting(request: HttpRequest) -> HttpResponse:
    """Write into the session, while another request runs."""
    request.session["note"] = "mine"
    for action in meanwhile:
        action()
    return HttpResponse("<body>done</body>")


def start_and_fail(request: HttpRequest) -> HttpResponse:
    """Begin to act as a user, in a view whose transaction is rolled back."""
    start_impersonation(request, User.objects.get(username="reader"), reason="Ticket 4711")
    raise PermissionDenied


def start_by_json(request: HttpRequest) -> HttpResponse:
    """Begin to act as a user for a reason that no form can send."""
    start_impersonation(request, User.objects.get(username="reader"), reason=json.loads(request.body))
    return HttpResponse()


urlpatterns = [
    path("failing", failing),
    path("back-to-savepoint", back_to_savepoint),
    path("waiting", waiting),
    path("start-and-fail", start_and_fail),
    path("start-by-json", start_by_json),
    *patterns_of_site,
]


@pytest.fixture
def trail() -> Any:
    connect_receivers()
    yield AuditEvent.objects
    disconnect_receivers()


def copy_of(browser: Browser) -> Client:
    """Return another tab, or a thief, with the cookies that the browser has now."""
    client = Client()
    client.cookies[COOKIE] = browser.client.cookies[COOKIE].value
    return client


# The token of the staff member that `act` needs is refreshed in a transaction


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("view", ["failing", "back-to-savepoint"])
def test_rotated_token_of_staff_outlasts_rollback(
    view: str, acting: Browser, site: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    row = LogtoSession.objects.get(user__username="editor")
    former, tokens = row.encrypted_tokens, row.tokens
    for token in tokens["access_tokens"].values():
        token["expires_at"] -= 7200
    row.tokens = tokens
    row.save()
    age_refresh_tokens(site)
    acting.client.get(f"/{view}")
    row.refresh_from_db()
    assert row.encrypted_tokens != former
    age(acting)
    age_refresh_tokens(site)
    assert who(acting)["user"] == "reader"
    acting.client.post("/support-access/leave")
    assert who(acting)["user"] == "editor"


@pytest.mark.django_db(transaction=True)
def test_start_that_is_rolled_back_leaves_staff_as_they_were(staff: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    before = staff.client.cookies[COOKIE].value
    assert staff.client.post("/start-and-fail").status_code == 403
    assert staff.client.cookies[COOKIE].value == before
    assert who(staff)["user"] == "editor"
    assert not LogtoSession.objects.impersonations().exists()


# Requests at the same time


@pytest.fixture(params=["db", "cache", "cached_db", "file"])
def engine(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> str:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    return str(request.param)


@pytest.mark.parametrize("in_session", [False, True])
def test_request_in_flight_does_not_bring_the_session_back(
    engine: str, in_session: bool, settings: Any, acting: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that saves the session after another tab has left: it was read before the end."""
    settings.CSRF_USE_SESSIONS = in_session
    thief, tab = copy_of(acting), copy_of(acting)
    monkeypatch.setattr(f"{__name__}.meanwhile", [lambda: tab.post("/support-access/leave")])
    response = acting.client.get("/waiting")
    assert COOKIE not in response.cookies
    assert thief.get("/")["Location"] == "/support-access/"
    assert thief.get("/").cookies.get(COOKIE) is None
    assert tab.get("/").json()["user"] == "editor"


def test_request_in_flight_of_a_site_that_saves_each_session(
    settings: Any, acting: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SESSION_SAVE_EVERY_REQUEST = True
    thief, tab = copy_of(acting), copy_of(acting)
    monkeypatch.setattr(f"{__name__}.meanwhile", [lambda: tab.post("/support-access/leave")])
    assert COOKIE not in acting.client.get("/waiting").cookies
    assert COOKIE not in thief.get("/").cookies


def test_lost_response_to_the_end_is_no_loop(acting: Browser) -> None:
    """The browser has kept the cookie of the impersonation, because the response to its end was lost."""
    copy_of(acting).post("/support-access/leave")
    assert acting.client.get("/")["Location"] == "/support-access/"
    assert acting.client.get("/support-access/").json()["user"] == ""
    acting.sign_in("editor")
    assert who(acting)["user"] == "editor"


def test_lost_response_to_the_end_lets_staff_sign_out(acting: Browser) -> None:
    copy_of(acting).post("/support-access/leave")
    assert acting.client.post("/sign-out").status_code == 302


# Deleted accounts


@pytest.mark.parametrize(("username", "cause"), [("editor", "impersonator_session_ended"), ("reader", "user_refused")])
@pytest.mark.parametrize("by", ["instance", "query"])
def test_deletion_of_either_account_ends_it(
    acting: Browser, events: Events, username: str, cause: str, by: str, trail: Any
) -> None:
    users = User.objects.filter(username=username)
    key = str(users.get().pk)
    if by == "query":
        users.delete()
    else:
        users.get().delete()
    assert events.short[-1] == ("ended", "reader", "editor", cause)
    event = trail.filter(action="impersonation_ended").get()
    assert key in (event.actor_id, event.user_id)
    for stored in trail.all():
        assert f'"name":"{username}"' not in stored.actor_json + stored.user_json
    acting.client.get("/")
    assert who(acting)["user"] == ("" if username == "editor" else "editor")
    assert [each[0] for each in events.short] == ["started", "ended"]


# Reasons


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("Ticket\x00 4711", "Ticket 4711"),
        ("Ticket \ud83d 4711", "Ticket 4711"),
        ("Ticket\r\n4711\tx", "Ticket 4711 x"),
        ("\N{GRINNING FACE}" * 499 + "a", "\N{GRINNING FACE}" * 499 + "a"),
    ],
)
def test_reason_is_one_line_that_each_database_stores(staff: Browser, trail: Any, reason: str, kept: str) -> None:
    assert staff.client.post("/start-by-json", json.dumps(reason), content_type="application/json").status_code == 200
    assert who(staff)["reason"] == kept
    assert trail.latest("pk").details["reason"] == kept
