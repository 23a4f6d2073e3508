"""Tables in two databases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.db import DatabaseError, connection, connections
from django.db.models.signals import post_save

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.testing import Browser
from tests.profiles.site.routers import ACCOUNT_APPS, AccountsRouter
from tests.profiles.site.visitors import account, deliver, new_browser, rows
from tests.webhooks.deliveries import user_event


class ApartRouter(AccountsRouter):
    """Users are in `accounts`, and our tables in `default`."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "accounts" if model._meta.app_label in ACCOUNT_APPS - {"logto_auth"} else "default"

    db_for_write = db_for_read


def test_tables_are_in_second_database(reader: Browser) -> None:
    for model in (type(account("reader000001")), LogtoIdentity, LogtoSession):
        assert rows(model).db == "accounts"
        assert rows(model).count() == 1


def test_check_reports_user_model_in_another_database(settings: Any) -> None:
    settings.DATABASE_ROUTERS = [f"{__name__}.ApartRouter"]
    assert [message for message in run_checks() if str(message.id).startswith("logto_auth.")]


def test_parallel_first_sign_ins_create_one_account(logto: Emulator, settings: Any, monkeypatch: Any) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: there is no race.")
    browsers = [new_browser(logto) for _ in range(4)]
    urls = [browser.logto.sign_in(browser.start(), "reader") for browser in browsers]
    # All of them find no account before the first one creates it.
    settings.LOGTO_USER_FIELDS = "tests.support.meet_then_map"
    monkeypatch.setattr("tests.support.meeting", threading.Barrier(4))
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(finish, browsers, urls))
    assert answers == [302] * 4
    assert rows(type(account("reader000001"))).count() == rows(LogtoIdentity).count() == 1
    assert rows(LogtoSession).count() == 4


def finish(browser: Browser, url: str) -> int:
    try:
        return int(browser.open(url).status_code)
    finally:
        connections.close_all()


@pytest.fixture
def broken_accounts() -> Iterator[None]:
    """Each save of a user fails after the row was written."""

    def fail(**kwargs: Any) -> None:
        raise DatabaseError("The connection is lost.")

    post_save.connect(fail, sender=get_user_model())
    yield
    post_save.disconnect(fail, sender=get_user_model())


@pytest.mark.usefixtures("reader")
def test_failed_suspension_changes_nothing(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("broken_accounts")
    assert deliver(user_event("User.SuspensionStatus.Updated", "reader000001", isSuspended=True)) == 500
    assert rows(LogtoIdentity).get().status == "active"
    assert rows(LogtoSession).count() == 1
