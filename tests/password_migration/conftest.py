from __future__ import annotations

from typing import Any

import pytest

from logto_auth.emulator import Emulator

from . import site


@pytest.fixture
def has_actions(logto: Emulator) -> None:
    """Skip the test with a Logto that runs no scripts in a sign-in."""
    if not logto.tenant.version.has_actions:
        pytest.skip("Logto 1.41 has no Actions.")


@pytest.fixture
def moving_site(logto: Emulator, settings: Any, db: None) -> Emulator:
    """Return the emulator of a site that moves passwords."""
    site.set_up(logto, settings)
    return logto
