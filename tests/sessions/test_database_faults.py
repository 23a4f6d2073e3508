"""Databases that fail in the middle of a refresh: cut connections and locked rows."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection, connections, transaction

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.ageing import age, age_refresh_tokens

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no connections to cut"),
]
CUT_CONNECTIONS = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid()",
    "mysql": "SELECT id FROM information_schema.processlist WHERE db = database() AND id <> connection_id()",
}
# Options of a connection that waits 100 milliseconds, or a second, for a locked row.
IMPATIENT = {
    "postgresql": {"options": "-c lock_timeout=100"},
    "mysql": {"init_command": "SET SESSION innodb_lock_wait_timeout = 1"},
}


@pytest.fixture(autouse=True)
def no_cut_connection_is_left() -> Iterator[None]:
    """Close the connection of the thread in which async tests run their queries: it has been cut, too."""
    yield
    asyncio.run(sync_to_async(connections.close_all)())


def cut_connections() -> None:
    """Let the database close all other connections."""
    with connection.cursor() as cursor:
        cursor.execute(CUT_CONNECTIONS[connection.vendor])
        for (process_id,) in cursor.fetchall() if connection.vendor == "mysql" else ():
            cursor.execute(f"KILL {process_id}")


@contextmanager
def during_the_call(logto: Emulator, act: Callable[[], Any]) -> Iterator[None]:
    """Call `act` in another thread, with its own connection, while Logto handles the refresh."""
    logto.requests.clear()
    logto.faults.http["token"] = HttpFault(delay_seconds=1)

    def wait_and_act() -> None:
        while not logto.requests.to("token"):
            time.sleep(0.01)
        act()
        connections.close_all()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    try:
        yield
    finally:
        thread.join()
        logto.faults.clear()


def lock_row_for(seconds: float) -> Callable[[], None]:
    def lock() -> None:
        with transaction.atomic():
            list(LogtoSession.objects.select_for_update())
            time.sleep(seconds)

    return lock


@pytest.fixture
def reader(logto: Emulator) -> Browser:
    """A user whose session is stale, and whose refresh token Logto replaces at the next use."""
    logto.tenant.add_user(username="reader", id="reader000001")
    reader = Browser(logto)
    reader.sign_in("reader")
    age(reader)
    age_refresh_tokens(logto)
    return reader


def expect_signed_in(reader: Browser, logto: Emulator) -> None:
    """Check that the session goes on, with the refresh token that Logto issued last."""
    age(reader)
    age_refresh_tokens(logto)
    logto.requests.clear()
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.requests.to("token")) == 1


def test_cut_connection_loses_no_rotated_token(reader: Browser, logto: Emulator) -> None:
    with during_the_call(logto, cut_connections):
        assert reader.client.get("/").wsgi_request.user.is_authenticated
    expect_signed_in(reader, logto)


def test_briefly_locked_row_loses_no_rotated_token(
    reader: Browser, logto: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_impatient(monkeypatch)
    seconds = 1.05 if connection.vendor == "postgresql" else 2
    with during_the_call(logto, lock_row_for(seconds)):
        assert reader.client.get("/").wsgi_request.user.is_authenticated
    expect_signed_in(reader, logto)


def test_lasting_database_fault_is_error_without_sign_out(
    reader: Browser, logto: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    be_impatient(monkeypatch)
    with during_the_call(logto, lock_row_for(4)), pytest.raises(OperationalError):
        reader.client.get("/")
    assert LogtoSession.objects.exists()
    assert reader.client.get("/").wsgi_request.user.is_authenticated


def be_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let connections from now on wait only briefly for locked rows."""
    monkeypatch.setitem(
        connection.settings_dict, "OPTIONS", {**connection.settings_dict["OPTIONS"], **IMPATIENT[connection.vendor]}
    )
    connection.close()
