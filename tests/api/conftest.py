from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from tests.rights import ask_for_rights, set_up

from .attack_fixtures import apis, caller, door, doors, stock_doors, token  # noqa: F401
from .callers import App, Robot


@pytest.fixture
def site(logto: Emulator, settings: Any) -> None:
    """A site with an API and a sign-in."""
    set_up(logto)
    ask_for_rights(settings)
    # The bookstore's error pages contain links to pages that this site does not have.
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]


@pytest.fixture
def app(logto: Emulator) -> Iterator[App]:
    app = App(logto)
    yield app
    app.close()


@pytest.fixture
def robot(logto: Emulator) -> Iterator[Robot]:
    robot = Robot(logto)
    yield robot
    robot.close()
