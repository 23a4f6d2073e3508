from __future__ import annotations

from pathlib import Path

import pytest

from logto_auth.emulator import Application, Emulator
from tests.sync.conftest import machine as machine
from tests.sync.own_site import OwnSite


@pytest.fixture
def site(logto: Emulator, machine: Application, tmp_path: Path) -> OwnSite:
    """A site whose commands run in processes of their own."""
    return OwnSite(logto, machine, tmp_path / "site.sqlite3")
