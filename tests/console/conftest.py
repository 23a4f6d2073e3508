from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from logto_auth.emulator import Emulator

from . import console_site as pages
from . import service
from .service import Signals


@pytest.fixture
def console_site(logto: Emulator, settings: Any) -> Emulator:
    """Return the emulator of a site with the console, its organizations and their members."""
    pages.set_up(logto, settings)
    return logto


@pytest.fixture
def service_site(logto: Emulator, settings: Any) -> None:
    """A site with the console and without its pages."""
    service.set_up(logto, settings)


@pytest.fixture
def signals() -> Iterator[Signals]:
    """What the signals of the console report during the test."""
    signals = Signals()
    yield signals
    signals.disconnect()
