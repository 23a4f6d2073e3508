"""The environment file that logto_setup writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from logto_auth.emulator import Emulator
from tests.management_commands import Run, file_mode

from .tenant_state import own_application, writes


def test_env_file_keeps_its_other_lines(run: Run, fresh: Emulator, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# the shop\nDJANGO_DEBUG=0\nLOGTO_APP_ID=old\nexport LOGTO_APP_SECRET='old'\nLOGTO_APP_ID=older\n"
        "MY_LOGTO_APP_ID=mine\nLOGTO_FRESHNESS_SECONDS=60"
    )
    path.chmod(0o644)
    run("logto_setup", "--yes", "--env-file", str(path))
    application, (hook,) = own_application(fresh), fresh.tenant.hooks.values()
    assert path.read_text() == (
        f"# the shop\nDJANGO_DEBUG=0\nexport LOGTO_APP_SECRET={application.secret}\nLOGTO_APP_ID={application.id}\n"
        f"MY_LOGTO_APP_ID=mine\nLOGTO_FRESHNESS_SECONDS=60\nLOGTO_ENDPOINT={fresh.endpoint}\n"
        f"LOGTO_WEBHOOK_SIGNING_KEY={hook.signing_key}\n"
    )
    assert file_mode(path) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [".env"]


def test_env_file_that_is_a_link_stays_a_link(run: Run, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    run("logto_setup", "--yes", "--env-file", str(tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert file_mode(tmp_path / "real") == 0o600


def test_unwritable_env_file_stops_before_any_change(run: Run, fresh: Emulator, tmp_path: Path) -> None:
    result = run("logto_setup", "--yes", "--env-file", str(tmp_path / "nowhere" / ".env"))
    assert result.code == 2
    assert "cannot be written" in result.error
    assert writes(fresh) == []


@pytest.mark.parametrize("secret", ["one\nDJANGO_DEBUG=1", "two words", "$(reboot)", "#none", 'a"quote'])
def test_secret_that_needs_quotes_is_not_written(run: Run, fresh: Emulator, tmp_path: Path, secret: str) -> None:
    fresh.tenant.add_application(name="Bookstore", secret=secret)
    path = tmp_path / ".env"
    path.write_text("DJANGO_DEBUG=0\n")
    result = run("logto_setup", "--yes", "--env-file", str(path))
    assert result.code == 2
    assert "The value of LOGTO_APP_SECRET contains a character that would need quotes" in result.error
    assert path.read_text() == "DJANGO_DEBUG=0\n"
