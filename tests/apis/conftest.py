from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from logto_auth.emulator import Emulator

from .callers import API, App, Robot, set_up


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    """A site that is an API, and signs people in besides."""
    set_up(logto)
    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_SCOPES = [
        "openid",
        "offline_access",
        "profile",
        "roles",
        "urn:logto:scope:organizations",
        "urn:logto:scope:organization_roles",
        "read:books",
        "write:books",
        "manage:stock",
    ]
    # The bookstore's pages for errors link to pages that this site has not.
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
    settings.LOGTO_RESOURCES = [API, "urn:logto:resource:organizations"]


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
