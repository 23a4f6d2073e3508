from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator

from . import site


@pytest.fixture
def moving_site(logto: Emulator, settings: Any, db: None) -> Emulator:
    """Return the emulator of a site that moves passwords."""
    site.set_up(logto, settings)
    return logto
