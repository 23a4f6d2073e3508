"""Fixtures: `target` is a Logto, `shop` and `library` are sites there, and `make_person` makes users."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import chromium

from .mailbox import Mailbox, open_mailbox
from .options import read_options
from .people import Person
from .results import OUTCOME, Results
from .sites import Site
from .targets import Target, open_target, target_names

__all__ = ["chromium"]

OPTIONS = read_options()
PASSWORD = "Long-and-strange-4711"

Note = Callable[[str], None]
MakePerson = Callable[..., Person]


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Results(target_names(OPTIONS)))


@pytest.fixture(scope="session", params=target_names(OPTIONS))
def target(request: pytest.FixtureRequest) -> Iterator[Target]:
    """A Logto. It is as it was before when the run ends, also by Ctrl-C or by a signal of a CI server."""
    if OPTIONS.problem:
        pytest.exit(OPTIONS.problem, returncode=2)
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with open_target(request.param, OPTIONS) as target:
            yield target
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that gets the tables of a site when the first site makes them."""
    return tmp_path_factory.mktemp("database") / "empty.sqlite3"


@pytest.fixture(scope="session")
def shop(target: Target, tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Site]:
    """A site that Logto calls: with webhooks."""
    site = Site(target, "shop", tmp_path_factory.mktemp("shop"), has_webhooks=True)
    with opened(site, empty_database):
        yield site


@pytest.fixture(scope="session")
def library(target: Target, tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Site]:
    """Another site with the same Logto. It has no webhooks, and asks Logto after every second.

    If Logto is at `localhost`, its server reaches Logto at another address than browsers.
    """
    site = Site(
        target,
        "library",
        tmp_path_factory.mktemp("library"),
        has_webhooks=False,
        freshness_seconds=1,
        internal_endpoint=target.endpoint.replace("//localhost", "//127.0.0.1"),
    )
    with opened(site, empty_database):
        yield site


@contextmanager
def opened(site: Site, empty_database: Path) -> Iterator[Site]:
    """Make what the site needs at Logto, and serve it until the block ends."""
    site.set_up()
    site.migrate(empty_database)
    with site.serving():
        yield site


@pytest.fixture(scope="session")
def mailbox(target: Target) -> Iterator[Mailbox]:
    """The e-mails that Logto sends from now on."""
    with open_mailbox(target) as mailbox:
        yield mailbox


@pytest.fixture
def make_person(target: Target) -> Iterator[MakePerson]:
    """A function that creates a user at Logto, and returns that person with a new browser.

    Arguments are members of Logto's payload. `id` is the id at Logto.
    """
    with ExitStack() as browsers:

        def make(who: str, **values: Any) -> Person:
            username = f"{target.run}_{who}"
            payload = {"username": username, "password": PASSWORD, "name": who.capitalize(), **values}
            user = target.api.post("users", payload)
            person = Person(target, username, PASSWORD, user["id"])
            browsers.callback(person.close)
            return person

        yield make


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """A function that puts a named outcome of the journey into the table."""

    def note(outcome: str) -> None:
        record_property(OUTCOME, outcome)

    return note
