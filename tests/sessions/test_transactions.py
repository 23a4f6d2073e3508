"""Tokens that are refreshed inside a transaction of the site, which may be rolled back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import connection, connections, transaction
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.urls import include, path

from logto_auth.emulator import Emulator
from logto_auth.exceptions import LogtoError
from logto_auth.models import LogtoSession
from logto_auth.sessions.refresh import WAIT_SECONDS
from logto_auth.testing import Browser
from tests.ageing import age, age_refresh_tokens

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]
API, OTHER_API = "https://api.example", "https://other-api.example"


class ViewFailed(Exception):
    """The error of a view."""


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username())


def token(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.logto.access_token(API))


def failing(request: HttpRequest) -> HttpResponse:
    request.logto.access_token(API)
    raise ViewFailed


def rolled_back(request: HttpRequest) -> HttpResponse:
    token = request.logto.access_token(API)
    transaction.set_rollback(True)
    return HttpResponse(token)


def rolled_back_to_savepoint(request: HttpRequest) -> HttpResponse:
    """Refresh in a block that is rolled back, and again after that, with the rotated refresh token."""
    try:
        with transaction.atomic():
            request.logto.access_token(API)
            raise ViewFailed
    except ViewFailed:
        return HttpResponse(request.logto.access_token(OTHER_API))


def both_rolled_back(request: HttpRequest) -> HttpResponse:
    rolled_back_to_savepoint(request)
    raise ViewFailed


def failing_after_the_end(request: HttpRequest) -> HttpResponse:
    try:
        request.logto.access_token(API)
    except LogtoError as error:
        raise ViewFailed from error
    return HttpResponse()


def refreshed(request: HttpRequest) -> HttpResponse:
    request.logto.refresh()
    raise ViewFailed


VIEWS = (
    page,
    token,
    failing,
    rolled_back,
    rolled_back_to_savepoint,
    both_rolled_back,
    failing_after_the_end,
    refreshed,
)
urlpatterns = [path("", include("logto_auth.urls")), *(path(f"{view.__name__}/", view) for view in VIEWS)]


@pytest.fixture
def reader(logto: Emulator, settings, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """A signed-in user of a site with `ATOMIC_REQUESTS`. Logto replaces the refresh token at each use."""
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    settings.LOGTO_RESOURCES = [API, OTHER_API]
    for resource in settings.LOGTO_RESOURCES:
        logto.tenant.add_resource(resource)
    logto.tenant.add_user(username="reader", id="reader000001")
    reader = Browser(logto)
    reader.sign_in("reader")
    reader.client.raise_request_exception = False
    age_refresh_tokens(logto)
    logto.requests.clear()
    return reader


def get(reader: Browser, path: str) -> Any:
    return reader.client.get(path)


def get_by_asgi(reader: Browser, path: str) -> Any:
    client = AsyncClient(raise_request_exception=False)
    client.cookies = reader.client.cookies
    return async_to_sync(client.get)(path)


@pytest.mark.parametrize("get", [get, get_by_asgi])
@pytest.mark.parametrize(
    "view", ["failing", "rolled_back", "rolled_back_to_savepoint", "both_rolled_back", "refreshed"]
)
def test_rotated_token_outlasts_rollback(
    view: str, get: Callable[[Browser, str], Any], reader: Browser, logto: Emulator
) -> None:
    response = get(reader, f"/{view}/")
    assert response.status_code == (200 if view.startswith("rolled_back") else 500)
    assert len(logto.instances.refresh_tokens) > 1, "it was rotated"
    age_refresh_tokens(logto)
    age(reader)
    assert get(reader, "/page/").content == b"reader"
    assert get(reader, "/token/").status_code == 200


def test_token_of_failed_view_is_not_fetched_again(reader: Browser, logto: Emulator) -> None:
    assert reader.client.get("/failing/").status_code == 500
    assert reader.client.get("/token/").status_code == 200
    assert len(logto.requests.to("token")) == 1


def test_end_of_session_outlasts_rollback(reader: Browser, logto: Emulator) -> None:
    logto.tenant.suspend_user("reader000001")
    assert reader.client.get("/failing_after_the_end/").status_code == 500
    assert reader.client.get("/page/").content == b""
    assert not LogtoSession.objects.exists()


def test_committed_tokens_are_not_stored_again(reader: Browser) -> None:
    reader.client.get("/token/")
    row = LogtoSession.objects.get()
    assert (row.version, row.no_refresh_before) == (1, 0)


def webhook_after_view(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: a webhook reports a change of the user after the transaction of the view."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        LogtoSession.objects.all().require_revalidation()
        return response

    return middleware


def test_required_revalidation_outlasts_stored_tokens(reader: Browser, logto: Emulator, settings) -> None:
    age(reader)
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.webhook_after_view"]
    reader.client.handler.load_middleware()
    assert reader.client.get("/failing/").status_code == 500
    age_refresh_tokens(logto)
    logto.requests.clear()
    assert reader.client.get("/page/").content == b"reader"
    assert len(logto.requests.to("token")) == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite does not lock rows")
def test_other_requests_do_not_wait_for_transaction(reader: Browser, logto: Emulator) -> None:
    """PostgreSQL and MariaDB lock a row until the transaction that has changed it ends."""
    age(reader)
    seen: list[float] = []

    def visit() -> None:
        browser = Browser(logto)
        browser.client.cookies = reader.client.cookies
        began_at = time.monotonic()
        assert browser.client.get("/page/").content == b"reader"
        seen.append(time.monotonic() - began_at)
        connections.close_all()

    with transaction.atomic():
        LogtoSession.objects.update(no_refresh_before=time.time() + 30)
        thread = threading.Thread(target=visit)
        thread.start()
        thread.join(10)
    thread.join()
    assert WAIT_SECONDS <= seen[0] < WAIT_SECONDS + 1
