"""Support access on a site where something goes wrong at the same time."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.contrib.auth import get_user, get_user_model, login, logout, update_session_auth_hash
from django.core.exceptions import PermissionDenied
from django.db import connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import path
from rest_framework.authentication import BasicAuthentication, SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from logto_auth.audit.apps import connect_receivers, disconnect_receivers
from logto_auth.audit.models import AuditEvent
from logto_auth.conf import conf
from logto_auth.contrib.rest_framework import LogtoAuthentication
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.impersonation import end_impersonation, start_impersonation
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


def user_of_session(request: HttpRequest) -> HttpResponse:
    """Say who the user of the session is, as code does that does not trust `request.user`."""
    request.session["note"] = "mine"
    return HttpResponse(get_user(request).get_username())


def many_permissions(request: HttpRequest) -> HttpResponse:
    """A page whose template asks for many permissions of Logto."""
    return HttpResponse(str([request.user.has_perm(f"logto.read:{number}") for number in range(10)]))


def sign_in_by_code(request: HttpRequest, username: str) -> HttpResponse:
    """Sign in a user, as a page of the site for registration does."""
    login(request, User.objects.get(username=username), backend="logto_auth.backends.LogtoBackend")
    return HttpResponse()


def sign_out_by_code(request: HttpRequest) -> HttpResponse:
    """Sign out without Logto."""
    logout(request)
    return HttpResponse()


def set_password(request: Any) -> HttpResponse:
    """Change the password of the user, and keep the session."""
    user = User.objects.get(pk=request.user.pk)
    user.set_password("Another-4711")
    user.save()
    update_session_auth_hash(request, user)
    return HttpResponse()


class Endpoint(APIView):
    """Start and end by REST framework, whose request has a user of its own."""

    authentication_classes = [LogtoAuthentication, BasicAuthentication, SessionAuthentication]

    def get(self, request: Request) -> Response:
        """Say who the user is."""
        return Response({"user": request.user.get_username(), "sub": request._request.logto.sub})

    def post(self, request: Request) -> Response:
        """Begin to act as a user."""
        start_impersonation(request, User.objects.get(username="reader"), reason="Ticket 4711")
        return Response({"user": request.user.get_username()})

    def delete(self, request: Request) -> Response:
        """Leave."""
        end_impersonation(request)
        return Response({"user": request.user.get_username()})


urlpatterns = [
    path("user-of-session", user_of_session),
    path("many-permissions", many_permissions),
    path("sign-in-by-code/<str:username>", sign_in_by_code),
    path("sign-out-by-code", sign_out_by_code),
    path("set-password", set_password),
    path("endpoint", Endpoint.as_view()),
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


@pytest.mark.django_db(transaction=True)
def test_request_in_flight_on_an_async_site(acting: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    tab, client = copy_of(acting), AsyncClient()
    client.cookies = acting.client.cookies
    monkeypatch.setattr(f"{__name__}.meanwhile", [lambda: tab.post("/support-access/leave")])
    response = async_to_sync(client.get)("/waiting")
    assert response.status_code == 200
    assert COOKIE not in response.cookies
    assert COOKIE not in copy_of(acting).get("/").cookies


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


# Code of the site


@pytest.mark.parametrize("state", ["running", "expired"])
def test_access_token_hides_the_session(acting: Browser, settings: Any, state: str) -> None:
    """Any text after "Bearer" gets past the end, and past read-only. The session must not get past with it."""
    settings.LOGTO_IMPERSONATION_READ_ONLY = True
    if state == "expired":
        LogtoSession.objects.impersonations().update(impersonation_ends_at=1)
    response = acting.client.post("/user-of-session", headers={"Authorization": "Bearer x"})
    assert (response.status_code, response.content) == (200, b"")


def test_refused_resource_is_one_call_in_a_request(acting: Browser, site: Emulator) -> None:
    site.faults.http["token"] = HttpFault(status=400, body='{"error": "invalid_target"}')
    for _ in range(2):
        site.requests.clear()
        assert acting.client.get("/many-permissions").content.count(b"False") == 10
        assert len(site.requests.to("token")) == 1


@pytest.mark.parametrize(
    ("username", "causes"), [("reader", []), ("editor", ["session_ended"]), ("customer", ["session_ended"])]
)
def test_sign_in_by_code_of_the_site(
    acting: Browser, site: Emulator, events: Events, username: str, causes: list[str]
) -> None:
    Browser(site).sign_in("customer")
    acting.client.get(f"/sign-in-by-code/{username}")
    assert [each["cause"] for each in events[1:]] == causes
    assert (who(acting)["user"], who(acting)["impersonator"]) == (username, None if causes else "editor")
    left = acting.client.post("/support-access/leave").json()
    assert left == {"left": None if causes else "editor"}


def test_sign_out_by_code_of_the_site_ends_both(acting: Browser, events: Events) -> None:
    acting.client.get("/sign-out-by-code")
    assert who(acting)["user"] == ""
    assert events.short[-1] == ("ended", "reader", "editor", "signed_out")
    assert not LogtoSession.objects.filter(user__username="editor").exists()


def test_password_change_by_code_of_the_site_keeps_the_way_back(acting: Browser) -> None:
    acting.client.get("/set-password")
    assert who(acting)["user"] == "reader"
    assert acting.client.post("/support-access/leave").json() == {"left": "editor"}


def test_rest_framework_has_the_new_user_at_once(staff: Browser) -> None:
    assert staff.client.post("/endpoint").json() == {"user": "reader"}
    assert staff.client.get("/endpoint").json() == {"user": "reader", "sub": "reader000001"}
    assert staff.client.delete("/endpoint").json() == {"user": "editor"}
    assert who(staff)["user"] == "editor"


def test_other_user_of_rest_framework_has_no_rights_of_the_session(acting: Browser, site: Emulator) -> None:
    Browser(site).sign_in("customer")
    user = User.objects.get(username="customer")
    user.set_password("Another-4711")
    user.save()
    credentials = base64.b64encode(b"customer:Another-4711").decode()
    response = acting.client.get("/endpoint", headers={"Authorization": f"Basic {credentials}"})
    assert response.json() == {"user": "customer", "sub": None}
