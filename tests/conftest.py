from __future__ import annotations

import asyncio
import gc
import importlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg  # noqa: F401  (its extension must not be imported while freezegun replaces datetime.date)
import pytest
from asgiref.sync import sync_to_async
from django.apps import apps
from django.db import connection, connections
from django.test.signals import setting_changed

from bookstore.account import greetings
from logto_auth.audit.apps import disconnect_receivers
from tests import profiles
from tests.servers import require_database_server

pytest_plugins = ["logto_auth.testing.pytest_plugin", "tests.fixtures", "tests.openapi.recorder"]
BLOCKER = pytest.StashKey()


def disconnect_again(setting: str, **kwargs: object) -> None:
    """Disconnect the receivers that Django has connected, because a test has changed the installed apps."""
    if setting == "INSTALLED_APPS":
        disconnect_receivers()
        greetings.disconnect()


def pytest_sessionstart(session: pytest.Session) -> None:
    require_database_server()
    if apps.is_installed("logto_auth.audit"):
        # The tests of the trail connect them again. All others test a site without it, as most sites are.
        disconnect_receivers()
        setting_changed.connect(disconnect_again)
    if apps.is_installed("bookstore.account"):
        # Its declaration depends on the settings of its first import, which a test may have changed.
        importlib.import_module("bookstore.tenant")
        # The messages of the bookstore, which its own tests have, would be on the pages that others examine.
        greetings.disconnect()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    profiles.mark(items, is_whole=not any("::" in argument for argument in config.args))
    # A test without a database proves the same on each server: the SQLite run has it.
    if connection.vendor != "sqlite":
        config.hook.pytest_deselected(items=[item for item in items if not uses_database(item)])
        items[:] = [item for item in items if uses_database(item)]


def uses_database(item: pytest.Item) -> bool:
    """Return whether pytest-django lets the test use a database."""
    fixtures = getattr(item, "fixturenames", ())
    return item.get_closest_marker("django_db") is not None or "db" in fixtures or is_transactional(item)


def is_transactional(item: pytest.Item) -> bool:
    """Return whether the test commits, and its tables are emptied after it."""
    marker = item.get_closest_marker("django_db")
    return bool(marker and marker.kwargs.get("transaction")) or bool(
        {"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    )


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: object, pytestconfig: pytest.Config) -> Iterator[None]:
    pytestconfig.stash[BLOCKER] = django_db_blocker
    yield
    # asgiref keeps the thread of async views, and with it a connection, because of which PostgreSQL drops no database.
    # In a thread of its own: the browser tests have an event loop in this one.
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, sync_to_async(connections.close_all)()).result()


@pytest.fixture(scope="session")
def live_server(django_db_setup: None, live_server: Any) -> Any:
    """Start the live server after the database is set up.

    Before that, the settings name a database in memory, whose one connection the server would share with the test. Two
    threads that use one connection fail at random, and crash Python 3.10.
    """
    return live_server


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Restore the rows that a migration made, for with several workers any test may follow a transactional one."""
    yield
    # After the last test there is no database any more.
    if nextitem and is_transactional(item) and apps.is_installed("bookstore.catalog"):
        migration = importlib.import_module("bookstore.catalog.migrations.0002_editors")
        with item.config.stash[BLOCKER].unblock(), connection.schema_editor() as schema_editor:
            migration.make_editors(apps, schema_editor)


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """Keeps Python's garbage collector from running while a deeply nested document is read: a finalizer that happens
    to be called down there has no stack left, and pytest reports that as an error of the test."""
    gc.disable()
    yield
    gc.enable()
