"""Support access with each session engine, under async, in transactions, and what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings as django_settings
from django.db import connection
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext

from logto_auth.models import LogtoSession
from logto_auth.testing import Browser

from .conftest import Events
from .test_journey import who

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.impersonation.site")]
COOKIE = django_settings.SESSION_COOKIE_NAME
ENGINES = ["db", "cache", "cached_db", "file"]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest, settings: Any, tmp_path: Path) -> str:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{request.param}"
    settings.SESSION_FILE_PATH = str(tmp_path)
    return str(request.param)


def test_journey(engine: str, staff: Browser, events: Events) -> None:
    staff.client.get("/note?note=own")
    staff.client.post("/start/reader")
    old = staff.client.cookies[COOKIE].value
    assert (who(staff)["user"], who(staff)["note"]) == ("reader", None)
    assert staff.client.post("/support-access/leave").json() == {"left": "editor"}
    assert (who(staff)["user"], who(staff)["note"]) == ("editor", "own")
    stolen = Client()
    stolen.cookies[COOKIE] = old
    assert stolen.get("/").status_code == 302
    assert COOKIE not in stolen.get("/").cookies
    assert [each[3] for each in events.short] == ["Ticket 4711", "left"]


def test_forced_end(engine: str, acting: Browser) -> None:
    LogtoSession.objects.impersonations().update(impersonation_ends_at=1)
    assert acting.client.get("/")["Location"].startswith("/support-access/?ended=expired&user=")
    assert who(acting)["user"] == "editor"


def test_in_transactions_of_requests(settings: Any, staff: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    staff.client.post("/start/reader")
    assert who(staff)["user"] == "reader"
    assert staff.client.post("/support-access/leave").json() == {"left": "editor"}
    assert who(staff)["user"] == "editor"


def test_session_that_ends_with_the_browser(staff: Browser, settings: Any) -> None:
    settings.SESSION_EXPIRE_AT_BROWSER_CLOSE = True
    cookie = staff.client.post("/start/reader").cookies[COOKIE]
    assert not cookie["max-age"]


def test_csrf_secret_in_the_session(staff: Browser, settings: Any) -> None:
    settings.CSRF_USE_SESSIONS = True
    staff.client.post("/start/reader")
    assert who(staff)["user"] == "reader"
    staff.client.post("/support-access/leave")
    assert who(staff)["user"] == "editor"


@pytest.mark.parametrize("use_tz", [True, False])
def test_without_time_zones(staff: Browser, settings: Any, use_tz: bool) -> None:
    settings.USE_TZ = use_tz
    staff.client.post("/start/reader")
    assert who(staff)["user"] == "reader"
    LogtoSession.objects.impersonations().update(impersonation_ends_at=1)
    staff.client.get("/")
    assert who(staff)["user"] == "editor"


@pytest.mark.django_db(transaction=True)
def test_async_views(staff: Browser) -> None:
    client = AsyncClient()
    client.cookies = staff.client.cookies

    async def journey() -> None:
        assert (await client.post("/astart/reader")).json() == {"user": "reader"}
        assert (await client.get("/")).json()["impersonator"] == "editor"
        assert (await client.post("/aleave")).json() == {"left": "editor", "user": "editor"}
        assert (await client.get("/")).json()["user"] == "editor"

    async_to_sync(journey)()


# What it costs


def queries_of(browser: Browser) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        who(browser)
    return [each["sql"] for each in captured]


def test_ordinary_request_costs_no_query_more(staff: Browser, customer: Browser) -> None:
    assert len(queries_of(customer)) == 3, "Django's session, the row, and the user"


def test_request_of_an_impersonation(acting: Browser) -> None:
    """Also: the row of the staff member's own session, the staff member, and the permissions of both people."""
    assert len(queries_of(acting)) <= 9
