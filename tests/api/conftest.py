from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from tests.rights import ask_for_rights, set_up

from .callers import App, Robot


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    """A site that is an API, and signs people in besides."""
    set_up(logto)
    ask_for_rights(settings)
    # The bookstore's pages for errors link to pages that this site has not.
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
