"""A site without refresh tokens asks Logto by a redirect that shows no page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import MakePerson, opened
from .people import Person
from .sites import Site, eventually
from .targets import Target

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]


@pytest.fixture(scope="session")
def terminal(target: Target, tmp_path_factory: pytest.TempPathFactory, empty_database: Path) -> Iterator[Site]:
    """A site without refresh tokens. Its webhook lets a session ask Logto at the next request."""
    site = Site(target, "terminal", tmp_path_factory.mktemp("terminal"), has_webhooks=True, has_refresh_tokens=False)
    with opened(site, empty_database):
        yield site


def change(site: Site, user: Person) -> None:
    """Change the user at Logto, and wait until the site knows that something has changed."""
    before = len(site.received("/webhooks/logto"))
    site.target.api.patch(f"users/{user.id}", {"customData": {"changed": True}})
    eventually(lambda: len(site.received("/webhooks/logto")) > before, lambda: "Logto did not call the webhook")


def test_silent_redirect_keeps_the_session(terminal: Site, make_person: MakePerson) -> None:
    reader = make_person("quiet")
    reader.sign_in(terminal)
    change(terminal, reader)
    assert reader.get(terminal, "/").status_code == 302
    assert reader.follow(terminal, "/").json()["sub"] == reader.id


def test_silent_redirect_after_a_new_sign_in_elsewhere(terminal: Site, library: Site, make_person: MakePerson) -> None:
    """Logto's new session does not know of the first site. Logto then wants to show a page, but needs no answer."""
    reader = make_person("twice")
    reader.sign_in(terminal)
    reader.forget_logto()
    reader.sign_in(library)
    change(terminal, reader)
    assert reader.follow(terminal, "/").json()["sub"] == reader.id


def test_silent_redirect_finds_the_sign_out(terminal: Site, library: Site, make_person: MakePerson) -> None:
    reader = make_person("gone")
    reader.sign_in(terminal)
    reader.sign_in_silently(library)
    reader.sign_out(library)
    change(terminal, reader)
    assert reader.follow(terminal, "/").json()["sub"] is None
