"""The rows of sessions: as the user and the admin see them, and what they store."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.sessions import store
from logto_auth.testing import Browser
from tests.support import row_of

pytestmark = pytest.mark.django_db
User = get_user_model()


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


def test_row_is_read_by_the_query_of_the_orm(devices: list[Browser]) -> None:
    row = row_of(devices[0])
    with CaptureQueriesContext(connection) as expected:
        [values] = LogtoSession.objects.filter(pk=row.pk).order_by().values_list(*store.COLUMNS[1:])
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            stored = store.read(str(row.pk))
        assert [query["sql"] for query in queries] == [query["sql"] for query in expected]
        assert stored is not None
        assert tuple(getattr(stored, name) for name in store.COLUMNS) == (row.pk, *values)
        assert stored.tokens.data == row.tokens
        assert row.encrypted_tokens not in repr(stored)


def test_missing_row_is_none(devices: list[Browser]) -> None:
    pk = row_of(devices[0]).pk
    LogtoSession.objects.filter(pk=pk).delete()
    assert store.read(pk) is None


class ReplicaRouter:
    def db_for_read(self, model: type, **hints: object) -> str | None:
        return "replica" if model is LogtoSession else None


def test_row_is_read_from_the_database_that_writes_it(devices: list[Browser], settings) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.ReplicaRouter"]
    assert devices[0].client.get("/").wsgi_request.logto.claims
    assert LogtoSession.objects.count() == 3


def test_tokens_of_another_row_are_not_decrypted(devices: list[Browser]) -> None:
    rows = [row_of(browser) for browser in devices[:2]]
    LogtoSession.objects.filter(pk=rows[0].pk).update(encrypted_tokens=rows[1].encrypted_tokens)
    assert row_of(devices[0]).tokens == {}
    assert dict(devices[0].client.get("/").wsgi_request.logto.claims) == {}


def test_version_without_verification_can_write_rows(browser: Browser, logto: Emulator) -> None:
    """During an upgrade, its processes still run on the new table."""
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    table, quote = LogtoSession._meta.db_table, connection.ops.quote_name
    columns = {field.column for field in LogtoSession._meta.concrete_fields} - {
        "encrypted_verification_id",
        "verified_until",
    }
    names = ", ".join(map(quote, columns))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {names} FROM {quote(table)}")
        row = cursor.fetchone()
        cursor.execute(f"DELETE FROM {quote(table)}")
        cursor.execute(f"INSERT INTO {quote(table)} ({names}) VALUES ({', '.join(['%s'] * len(row))})", row)
    assert not browser.client.get("/sign-in").wsgi_request.logto.account.is_verified
