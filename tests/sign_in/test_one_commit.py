"""The rows of a sign-in are committed together, if no receiver of the site could break the transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in
from django.db import IntegrityError, connection
from django.db.models import Model
from django.db.models.signals import post_save, pre_save
from django.dispatch import Signal

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


def ignore_an_error(**kwargs: Any) -> None:
    """Try to add a row and go on when it exists already, as receivers of sites do."""
    if kwargs.get("sender") not in (User, LogtoSession):
        return
    try:
        User.objects.bulk_create([User(username="reader")])
    except IntegrityError:
        return
    raise AssertionError("The name is taken.")


def test_rows_are_committed_together(reader: Browser, seen_in_transaction: list[bool]) -> None:
    reader.sign_in("reader")
    assert seen_in_transaction == [connection.vendor != "sqlite"]


@pytest.mark.parametrize(
    ("signal", "sender"),
    [
        (user_logged_in, None),
        # `login()` saves the time of the sign-in.
        (post_save, User),
        (pre_save, None),
        (post_save, LogtoSession),
    ],
    ids=["login", "save-of-user", "any-save", "save-of-row"],
)
def test_receiver_may_ignore_an_error(
    reader: Browser, seen_in_transaction: list[bool], signal: Signal, sender: type[Model] | None
) -> None:
    signal.connect(ignore_an_error, sender=sender)
    try:
        reader.sign_in("reader")
    finally:
        signal.disconnect(ignore_an_error, sender=sender)
    assert seen_in_transaction == [False]
    assert LogtoSession.objects.count() == 2


def test_save_of_user_may_ignore_an_error(
    reader: Browser, seen_in_transaction: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def save(user: Any, **kwargs: Any) -> None:
        ignore_an_error(sender=User)
        AbstractBaseUser.save(user, **kwargs)

    monkeypatch.setattr(User, "save", save)
    reader.sign_in("reader")
    assert seen_in_transaction == [False]
    assert LogtoSession.objects.count() == 2
