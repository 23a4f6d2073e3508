"""The rows of a sign-in are committed together, if no receiver of the site could break the transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in
from django.db import IntegrityError, connection

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db(transaction=True)
User = get_user_model()


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Browser:
    """A browser whose user has an account already."""
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    browser.client.cookies.clear()
    return browser


@pytest.fixture
def seen_in_transaction() -> Iterator[list[bool]]:
    """For each INSERT of a session's row: whether a transaction was open."""
    seen = []

    def look(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("INSERT") and "logto_auth_logtosession" in sql:
            seen.append(connection.in_atomic_block)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield seen


@pytest.fixture
def receiver_that_ignores_errors() -> Iterator[None]:
    """A receiver of the site that tries to add a row and goes on when it exists already."""

    def receiver(user: Any, **kwargs: Any) -> None:
        try:
            User.objects.create(username=user.username)
        except IntegrityError:
            return
        raise AssertionError("The name is taken.")

    user_logged_in.connect(receiver)
    yield
    user_logged_in.disconnect(receiver)


def test_rows_are_committed_together(reader: Browser, seen_in_transaction: list[bool]) -> None:
    reader.sign_in("reader")
    assert seen_in_transaction == [connection.vendor != "sqlite"]


@pytest.mark.usefixtures("receiver_that_ignores_errors")
def test_receiver_may_ignore_an_error(reader: Browser, seen_in_transaction: list[bool]) -> None:
    reader.sign_in("reader")
    assert seen_in_transaction == [False]
    assert LogtoSession.objects.count() == 2
