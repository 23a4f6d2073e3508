"""A session ends with its row: whatever happened to its key, on every engine, and for the rest of the request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model, update_session_auth_hash
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.urls import include, path
from django.utils.decorators import async_only_middleware

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.sessions.store import DELETION_DELAY_SECONDS
from logto_auth.testing import Browser
from tests.ageing import age
from tests.support import row_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()

DAY = 24 * 3600


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username() or "nobody")


def cycle_key(request: HttpRequest) -> HttpResponse:
    request.session.cycle_key()
    return who(request)


def change_password(request: HttpRequest) -> HttpResponse:
    request.user.set_password("a-new-password")
    request.user.save()
    update_session_auth_hash(request, request.user)
    return who(request)


def remember_me(request: HttpRequest) -> HttpResponse:
    request.session.set_expiry(365 * DAY)
    return who(request)


async def users(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"{await request.auser()} {(await sync_to_async(str)(request.user))}")


def fail_after_token(request: HttpRequest) -> HttpResponse:
    request.logto.access_token()  # type: ignore[attr-defined]
    raise AssertionError("the token request should have failed")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", who),
    path("cycle", cycle_key),
    path("password", change_password),
    path("remember", remember_me),
    path("users", users),
    path("token", fail_after_token),
]


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Browser:
    logto.tenant.add_user(username="reader", id="reader000001")
    browser.sign_in("reader")
    return browser


def name(browser: Browser) -> str:
    return browser.client.get("/").content.decode()


# The key of Django's session changes


@pytest.mark.parametrize("change", ["/cycle", "/password", "/"])
def test_session_with_changed_key_is_ended_elsewhere(
    reader: Browser, logto: Emulator, settings: Any, change: str
) -> None:
    other = Browser(logto)
    other.sign_in("reader")
    if change == "/":  # Django changes the key when it finds a fallback of the secret key
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
        settings.SECRET_KEY = "another-key-of-the-site-0123456789abcdef"
    before = other.client.cookies[settings.SESSION_COOKIE_NAME].value
    assert other.client.get(change).content == b"reader"
    assert other.client.cookies[settings.SESSION_COOKIE_NAME].value != before
    assert reader.client.get("/").wsgi_request.logto.is_authenticated or change == "/password"
    LogtoSession.objects.of_user(User.objects.get()).end()
    assert name(other) == "nobody"


@pytest.mark.parametrize("engine", ["db", "cached_db", "cache", "file"])
def test_ended_session_is_signed_out_on_every_engine(
    browser: Browser, logto: Emulator, settings: Any, tmp_path: Any, engine: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    key = browser.client.session.session_key
    assert name(browser) == "reader"
    LogtoSession.objects.of_user(User.objects.get().pk).end()
    assert name(browser) == "nobody"
    assert not browser.client.session.exists(key)


def test_session_id_copied_to_another_session_ends_it(reader: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="mallory")
    mallory = Browser(logto)
    mallory.sign_in("mallory")
    session = mallory.client.session
    session["_logto_session"] = reader.client.session["_logto_session"]
    session.save()
    assert name(mallory) == "nobody"


def test_unknown_session_id_ends_session(reader: Browser) -> None:
    session = reader.client.session
    session["_logto_session"] = "00000000-0000-0000-0000-000000000000"
    session.save()
    assert name(reader) == "nobody"


class HeaderSessionMiddleware(SessionMiddleware):
    """Sessions of an app that sends the key in a header."""

    def process_request(self, request: HttpRequest) -> None:
        request.session = self.SessionStore(request.headers.get("X-Session"))


def test_session_whose_key_is_in_a_header_is_ended(reader: Browser, client: Client, settings: Any) -> None:
    settings.MIDDLEWARE = [
        f"{__name__}.HeaderSessionMiddleware" if name.endswith(".SessionMiddleware") else name
        for name in settings.MIDDLEWARE
    ]
    headers = {"X-Session": reader.client.session.session_key}
    assert client.get("/", headers=headers).content == b"reader"
    LogtoSession.objects.all().delete()
    assert client.get("/", headers=headers).content == b"nobody"


# What the request of an ended session sees


@pytest.mark.parametrize(("method", "status"), [("get", 200), ("head", 200), ("post", 401), ("delete", 401)])
def test_ended_session_answers_unsafe_methods_with_401(reader: Browser, method: str, status: int) -> None:
    LogtoSession.objects.all().delete()
    assert getattr(reader.client, method)("/", headers={"Sec-Fetch-Mode": "cors"}).status_code == status
    assert name(reader) == "nobody"


@async_only_middleware
def early_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Load the user before `LogtoMiddleware`, in both ways."""

    async def middleware(request: HttpRequest) -> HttpResponse:
        await request.auser()
        await sync_to_async(str)(request.user)
        response: HttpResponse = await get_response(request)
        return response

    return middleware


@pytest.mark.django_db(transaction=True)
def test_async_request_of_ended_session_has_no_user(reader: Browser, settings: Any) -> None:
    index = settings.MIDDLEWARE.index("logto_auth.middleware.LogtoMiddleware")
    settings.MIDDLEWARE = [*settings.MIDDLEWARE[:index], f"{__name__}.early_middleware", *settings.MIDDLEWARE[index:]]
    client = AsyncClient()
    client.cookies = reader.client.cookies

    async def visit() -> bytes:
        response = await client.get("/users")
        await sync_to_async(connections.close_all)()
        content: bytes = response.content
        return content

    assert asyncio.run(visit()) == b"reader reader"
    LogtoSession.objects.all().delete()
    assert asyncio.run(visit()) == b"AnonymousUser AnonymousUser"


def test_view_that_fails_after_suspension_ends_session(reader: Browser, logto: Emulator) -> None:
    logto.tenant.suspend_user("reader000001")
    age(reader, 0)
    row = row_of(reader)
    row.tokens = {**row.tokens, "access_tokens": {}}
    row.save()
    reader.client.raise_request_exception = False
    assert reader.client.get("/token").status_code == 500
    assert name(reader) == "nobody"


# A fault of the database is not the end of a session


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("word", ["SELECT", "UPDATE"])
def test_database_fault_keeps_session(reader: Browser, logto: Emulator, word: str) -> None:
    age(reader)
    reader.client.raise_request_exception = False

    def cut(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(word) and "logtosession" in sql:
            raise OperationalError("the connection was cut")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(cut):
        assert reader.client.get("/").status_code == 500
    LogtoSession.objects.update(no_refresh_before=0)
    assert name(reader) == "reader"


# Rows of expired sessions


def test_row_outlives_django_session(reader: Browser, settings: Any) -> None:
    expires_at = Session.objects.get().expire_date.timestamp()
    assert row_of(reader).delete_after == pytest.approx(expires_at + DELETION_DELAY_SECONDS, abs=5)


def test_longer_expiry_keeps_row(reader: Browser) -> None:
    reader.client.get("/remember")
    assert row_of(reader).delete_after > time.time() + 365 * DAY
    age(reader, 300 * DAY)
    LogtoSession.objects.update(delete_after=row_of(reader).delete_after - 300 * DAY)
    call_command("logto_clearsessions")
    assert LogtoSession.objects.count() == 1


def test_used_session_keeps_row_by_one_query_a_day(reader: Browser, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(3):
        name(reader)
    LogtoSession.objects.update(delete_after=row_of(reader).delete_after - DAY - 1)
    with django_assert_num_queries(4):
        name(reader)
    with django_assert_num_queries(3):
        name(reader)


def test_row_of_forgotten_session_is_deleted(reader: Browser) -> None:
    Session.objects.all().delete()
    LogtoSession.objects.update(delete_after=time.time() - 1)
    call_command("logto_clearsessions")
    assert LogtoSession.objects.count() == 0


def test_identity_moved_to_another_account_ends_session(reader: Browser) -> None:
    LogtoIdentity.objects.update(user=User.objects.create_user("other"))
    age(reader)
    assert name(reader) == "nobody"
    assert LogtoSession.objects.count() == 0
