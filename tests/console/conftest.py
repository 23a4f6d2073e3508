from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator

from .console_site import set_up


@pytest.fixture
def console_site(logto: Emulator, settings: Any) -> Emulator:
    """Return the emulator of a site with the console, its organizations and their members."""
    set_up(logto, settings)
    return logto
