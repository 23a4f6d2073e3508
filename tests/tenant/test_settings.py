"""The settings that logto_setup prints and writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from logto_auth.emulator import Emulator
from tests.management_commands import Run, read_env_file

from .tenant_state import own_application


def test_secrets_are_printed_only_with_show_secret(run: Run, fresh: Emulator) -> None:
    result = run("logto_setup", "--yes")
    hidden = "# hidden; --env-file PATH writes it, --show-secret prints it"
    assert result.out.endswith(f"LOGTO_APP_SECRET=  {hidden}\nLOGTO_WEBHOOK_SIGNING_KEY=  {hidden}\n")
    result = run("logto_setup", "--show-secret")
    (hook,) = fresh.tenant.hooks.values()
    assert result.out.endswith(
        f"LOGTO_APP_SECRET={own_application(fresh).secret}\nLOGTO_WEBHOOK_SIGNING_KEY={hook.signing_key}\n"
    )


def test_expired_secrets_give_a_warning(run: Run, fresh: Emulator, settings: Any, tmp_path: Path) -> None:
    application = fresh.tenant.add_application(name="Bookstore")
    application.secrets[0].expires_at = 1
    path = tmp_path / ".env"
    result = run("logto_setup", "--yes", "--env-file", str(path))
    assert result.code == 0
    assert "All app secrets of the application have expired." in result.err
    assert "LOGTO_APP_SECRET" not in read_env_file(path)
    fresh.tenant.add_application_secret(application.id, "Short", value="s" * 32, expires_at=10**13)
    fresh.tenant.add_application_secret(application.id, "Long", value="l" * 32, expires_at=10**14)
    result = run("logto_setup", "--env-file", str(path))
    assert "expired" not in result.err
    assert read_env_file(path)["LOGTO_APP_SECRET"] == "l" * 32
    settings.LOGTO_APP_SECRET = "s" * 32
    run("logto_setup", "--env-file", str(path))
    assert read_env_file(path)["LOGTO_APP_SECRET"] == "s" * 32
