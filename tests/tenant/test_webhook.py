"""The webhook of a plan."""

from __future__ import annotations

from pathlib import Path

from logto_auth.emulator import Emulator
from logto_auth.tenant import WEBHOOK_EVENTS
from tests.management_commands import SITE, Run, read_env_file


def test_site_with_webhook_view_gets_webhook_and_key(run: Run, fresh: Emulator, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    run("logto_setup", "--yes", "--env-file", str(path))
    (hook,) = fresh.tenant.hooks.values()
    assert (hook.url, hook.events, hook.enabled) == (f"{SITE}/webhooks/logto", list(WEBHOOK_EVENTS), True)
    assert read_env_file(path)["LOGTO_WEBHOOK_SIGNING_KEY"] == hook.signing_key
    assert run("logto_setup", "--check").code == 0


def test_existing_webhook_keeps_key_headers_and_events(run: Run, fresh: Emulator) -> None:
    other = fresh.tenant.add_hook("https://other.example/hook", ["User.Created"])
    hook = fresh.tenant.add_hook(f"{SITE}/webhooks/logto", ["PostRegister", "User.Deleted"], enabled=False)
    hook.config["headers"] = {"X-Proxy": "open"}
    key = hook.signing_key
    result = run("logto_setup", "--yes")
    assert f"~ webhook {SITE}/webhooks/logto\n" in result.out
    assert hook.events[:2] == ["PostRegister", "User.Deleted"]
    assert set(hook.events) == {"PostRegister", *WEBHOOK_EVENTS}
    assert hook.enabled
    assert (hook.signing_key, hook.config["headers"]) == (key, {"X-Proxy": "open"})
    assert (other.url, other.events) == ("https://other.example/hook", ["User.Created"])
