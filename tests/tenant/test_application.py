"""Which application a plan uses, and which one is an error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from tests.management_commands import SITE, Run, read_env_file

from .tenant_state import own_application, writes


def test_application_of_app_id_is_used_with_any_name(run: Run, fresh: Emulator, settings: Any, tmp_path: Path) -> None:
    application = fresh.tenant.add_application(name="Staging", redirect_uris=["https://other.example/callback"])
    settings.LOGTO_APP_ID, settings.LOGTO_APP_SECRET = application.id, application.secret
    fresh.tenant.add_application_secret(application.id, "Another", value="another0000000000000000000000000")
    run("logto_setup", "--yes", "--env-file", str(tmp_path / ".env"))
    assert own_application(fresh).name == "Staging"
    assert read_env_file(tmp_path / ".env")["LOGTO_APP_SECRET"] == application.secret


def test_traditional_application_with_declared_name_is_used(run: Run, fresh: Emulator) -> None:
    for type in ("SPA", "Native", "MachineToMachine"):
        fresh.tenant.add_application(name="Bookstore", type=type)
    fresh.tenant.add_application(name="Bookstore", is_third_party=True)
    fresh.tenant.add_application(name="Other bookstore")
    meant = fresh.tenant.add_application(name="Bookstore")
    result = run("logto_setup", "--yes")
    assert f"~ application Bookstore ({meant.id})" in result.out
    assert f"LOGTO_APP_ID={meant.id}" in result.out
    changed = [each for each in fresh.tenant.applications.values() if f"{SITE}/callback" in each.redirect_uris]
    assert changed == [meant]


def test_application_of_other_type_is_not_used(run: Run, fresh: Emulator) -> None:
    fresh.tenant.add_application(name="Bookstore", type="SPA")
    fresh.tenant.add_application(name="Bookstore", is_third_party=True)
    assert "+ application Bookstore\n" in run("logto_setup", "--yes").out
    changed = [each for each in fresh.tenant.applications.values() if f"{SITE}/callback" in each.redirect_uris]
    assert [(each.type, each.is_third_party) for each in changed] == [("Traditional", False)]


def test_two_applications_with_the_name_are_an_error(run: Run, fresh: Emulator) -> None:
    ids = [fresh.tenant.add_application(name="Bookstore").id for _ in range(2)]
    result = run("logto_setup", "--yes")
    assert result.code == 2
    assert result.error.startswith('2 applications have the name "Bookstore": ')
    assert all(id in result.error for id in ids)
    assert writes(fresh) == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"type": "SPA"}, "which has the type SPA"),
        ({"type": "MachineToMachine"}, "which has the type MachineToMachine"),
        ({"is_third_party": True}, "which is third-party"),
    ],
)
def test_application_of_wrong_kind_is_an_error(
    run: Run, fresh: Emulator, settings: Any, changes: dict[str, Any], text: str
) -> None:
    settings.LOGTO_APP_ID = fresh.tenant.add_application(name="Bookstore", **changes).id
    result = run("logto_setup", "--yes")
    assert result.code == 2
    assert text in result.error
    assert writes(fresh) == []


def test_unknown_app_id_is_an_error(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_APP_ID = "ofanothertenant000001"
    result = run("logto_setup", "--yes")
    assert result.code == 2
    assert "LOGTO_APP_ID is 'ofanothertenant000001'" in result.error
    assert writes(fresh) == []
