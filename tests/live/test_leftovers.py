"""The run leaves a tenant as it was. These tests need no site, and run with `make test`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from logto_auth.emulator import Emulator

from . import leftovers
from .leftovers import DEFAULT_SIGN_IN, kept_settings, remove_all, remove_old_runs
from .options import Options
from .targets import MANY_USERS, REAL, ROLE, open_target
from .tenant_api import TenantAPI

RUN = f"live_{time.time_ns() // 1_000_000:x}"
OLD_RUN = f"live_{time.time_ns() // 1_000_000 - 7_200_000:x}"


@pytest.fixture
def machine(logto: Emulator) -> Any:
    return logto.tenant.add_application(name="Machine", type="MachineToMachine", roles=[ROLE])


@pytest.fixture
def api(logto: Emulator, machine: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[TenantAPI]:
    monkeypatch.setattr(leftovers, "SNAPSHOTS", tmp_path)
    api = TenantAPI(logto.endpoint, machine.id, machine.secret)
    yield api
    api.close()


def fill(api: TenantAPI, prefix: str) -> None:
    """Create one object of each kind."""
    api.post("users", {"username": f"{prefix}_reader"})
    api.post("users", {"primaryEmail": f"{prefix}_guest@example.com"})
    api.post("roles", {"name": f"{prefix} editor", "description": "Edits"})
    api.post("resources", {"name": f"{prefix} API", "indicator": f"https://{prefix.replace('_', '-')}.example"})
    api.post("organizations", {"name": f"{prefix} branch"})
    api.post("organization-roles", {"name": f"{prefix} manager"})
    api.post("organization-scopes", {"name": f"{prefix}:manage"})
    api.post("hooks", {"name": f"{prefix} shop", "events": ["User.Created"], "config": {"url": "http://127.0.0.1:9"}})
    api.post("applications", {"name": f"{prefix} shop", "type": "Traditional"})
    api.post("one-time-tokens", {"email": f"{prefix}_guest@example.com"})


def contents(api: TenantAPI) -> dict[str, set[str]]:
    return {path: {each["id"] for each in api.all(path)} for path, _ in leftovers.KINDS}


def test_run_removes_only_what_it_made(api: TenantAPI) -> None:
    fill(api, "live_music")
    fill(api, OLD_RUN)
    before = contents(api)
    fill(api, RUN)
    assert all(len(rows) > len(before[path]) for path, rows in contents(api).items())
    remove_all(api, RUN)
    assert contents(api) == before


def test_next_run_removes_what_a_killed_one_left(api: TenantAPI) -> None:
    fill(api, "live_music")
    fill(api, RUN)
    before = contents(api)
    fill(api, OLD_RUN)
    remove_old_runs(api)
    assert contents(api) == before


def test_sign_in_experience_is_restored_after_a_failure(api: TenantAPI) -> None:
    before = api.patch("sign-in-exp", {"signInMode": "SignIn", "socialSignInConnectorTargets": ["wechat"]})
    with pytest.raises(KeyboardInterrupt):
        interrupted_run(api)
    assert api.get("sign-in-exp") == before


def interrupted_run(api: TenantAPI) -> None:
    with kept_settings(api):
        assert api.get("sign-in-exp")["signInMode"] == DEFAULT_SIGN_IN["signInMode"]
        api.patch("sign-in-exp", {"socialSignInConnectorTargets": []})
        raise KeyboardInterrupt


def test_sign_in_experience_is_restored_after_a_kill(api: TenantAPI) -> None:
    before = api.patch("sign-in-exp", {"signInMode": "SignIn"})
    with kept_settings(api):
        [file] = leftovers.SNAPSHOTS.iterdir()
        kept = file.read_text()
    # As a killed run leaves it.
    file.write_text(kept)
    api.patch("sign-in-exp", DEFAULT_SIGN_IN)
    with kept_settings(api):
        pass
    assert api.get("sign-in-exp") == before
    assert not file.exists()


def test_factors_and_account_center_are_restored(api: TenantAPI) -> None:
    before = [api.get(path) for path in leftovers.KEPT]
    with kept_settings(api):
        api.patch("sign-in-exp", {"mfa": {"factors": ["Totp"], "policy": "NoPrompt"}})
        api.patch(
            "account-center", {"enabled": True, "fields": {"name": "Edit"}, "deleteAccountUrl": "https://a.example"}
        )
        assert [api.get(path) for path in leftovers.KEPT] != before
    assert [api.get(path) for path in leftovers.KEPT] == before


def test_used_tenant_is_refused(logto: Emulator, api: TenantAPI, machine: Any) -> None:
    for number in range(MANY_USERS + 1):
        logto.tenant.add_user(username=f"customer{number}")
    options = Options(endpoint=logto.endpoint, m2m_app_id=machine.id, m2m_app_secret=machine.secret)
    before = contents(api)
    with pytest.raises(pytest.exit.Exception, match="LOGTO_LIVE_ANY_TENANT=1"), open_target("this Logto", options):
        pass
    assert contents(api) == before


@pytest.mark.parametrize(
    ("endpoint", "text"),
    [
        ("http://localhost:3001/oidc", "without /oidc"),
        ("http://müller.example", "'http://xn--mller-kva.example'"),
        ("localhost:3001", "not an origin"),
    ],
)
def test_wrong_endpoint_is_a_problem(endpoint: str, text: str) -> None:
    assert text in Options(endpoint, "machine", "secret").problem
    assert Options("http://localhost:3001", "machine", "secret").problem == ""


def test_logto_without_access_ends_the_run(logto: Emulator, machine: Any) -> None:
    for endpoint, text in (
        (logto.endpoint, "Check LOGTO_LIVE_M2M_APP_ID"),
        ("http://127.0.0.1:9", "cannot be reached"),
    ):
        options = Options(endpoint, machine.id, "hush")
        with pytest.raises(pytest.exit.Exception, match=text) as caught, open_target(REAL, options):
            pass
        assert "hush" not in str(caught.value)
