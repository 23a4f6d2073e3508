"""The rows of sessions: as the user and the admin see them, and what they store."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.connection import ConnectionDoesNotExist

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.sessions import store
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def devices(logto: Emulator) -> list[Browser]:
    logto.tenant.add_user(username="reader")
    browsers = []
    for name in ("Laptop", "Phone", "Library"):
        browser = Browser(logto)
        browser.client.defaults["HTTP_USER_AGENT"] = name
        browser.sign_in("reader")
        browsers.append(browser)
    return browsers


def test_sessions_list_browser_address_and_current_one(devices: list[Browser]) -> None:
    sessions = devices[1].client.get("/sign-in").wsgi_request.logto.sessions
    assert [(session.user_agent, session.is_current) for session in sessions] == [
        ("Library", False),
        ("Phone", True),
        ("Laptop", False),
    ]
    assert {session.ip_address for session in sessions} == {"127.0.0.1"}


def test_long_user_agent_is_truncated(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    browser.client.defaults["HTTP_USER_AGENT"] = "x" * 5000
    browser.client.defaults["REMOTE_ADDR"] = "unix:"
    assert browser.sign_in("reader").status_code == 302
    assert LogtoSession.objects.get().ip_address is None


def test_models_show_no_tokens(devices: list[Browser]) -> None:
    row = LogtoSession.objects.select_related("identity").first()
    assert str(row) == str(row.pk)
    assert str(row.identity) == row.identity.sub
    assert row.encrypted_tokens not in repr(row)


def test_forwarded_headers_do_not_change_ip_address(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    for header in ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED"):
        browser.client.defaults[header] = "203.0.113.7"
    browser.sign_in("reader")
    assert LogtoSession.objects.get().ip_address == "127.0.0.1"


def test_reused_sub_gets_a_new_user(browser: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_STAFF_ROLES = ("admin",)
    logto.tenant.add_role("admin")
    sub = logto.tenant.add_user(username="reader", roles=["admin"]).id
    browser.sign_in("reader")
    User.objects.get().delete()
    logto.tenant.delete_user(sub)
    logto.tenant.add_user(username="newcomer", id=sub)
    Browser(logto).sign_in("newcomer")
    user = User.objects.get()
    assert (user.username, user.is_staff) == ("newcomer", False)


def test_tokens_are_read_by_the_query_of_the_orm(devices: list[Browser]) -> None:
    session = devices[0].client.session
    pk = store.session_id(session)
    with CaptureQueriesContext(connection) as expected:
        [tokens] = LogtoSession.objects.filter(pk=pk).order_by().values_list("encrypted_tokens", flat=True)
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            loaded = store.load(session)
        assert [query["sql"] for query in queries] == [query["sql"] for query in expected]
        assert loaded is not None
        assert loaded.data == LogtoSession(encrypted_tokens=tokens).tokens


def test_tokens_of_deleted_row_are_none(devices: list[Browser]) -> None:
    session = devices[0].client.session
    LogtoSession.objects.filter(pk=store.session_id(session)).delete()
    assert store.load(session) is None


class ReplicaRouter:
    def db_for_read(self, model: type, **hints: object) -> str | None:
        return "replica" if model is LogtoSession else None


def test_router_selects_the_database_of_tokens(devices: list[Browser], settings) -> None:
    session = devices[0].client.session
    assert store.load(session) is not None
    settings.DATABASE_ROUTERS = [f"{__name__}.ReplicaRouter"]
    with pytest.raises(ConnectionDoesNotExist, match="replica"):
        store.load(session)
