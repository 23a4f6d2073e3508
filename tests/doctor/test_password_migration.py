"""What the doctor says about the script for passwords."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.clients import management_api
from logto_auth.doctor.password_migration import password_migration_findings
from logto_auth.emulator import Emulator
from logto_auth.tenant import TenantDeclaration, apply_plan, make_plan
from logto_auth.tenant.site import site_declaration
from tests.password_migration import site

pytestmark = pytest.mark.django_db
DECLARED = TenantDeclaration(password_migration=True)


@pytest.fixture
def installed(logto: Emulator, settings: Any) -> Emulator:
    if not logto.tenant.version.has_actions:
        pytest.skip("Logto 1.41 has no Actions.")
    site.set_up(logto, settings)
    apply_plan(make_plan(management_api(), site_declaration(["https://shop.example"])))
    return logto


def found(declared: TenantDeclaration = DECLARED) -> list[str]:
    return [f"{each.level}: {each.message}" for each in password_migration_findings(management_api(), declared)]


def test_installed_script_is_reported(installed: Emulator) -> None:
    assert found() == ["ok: Logto asks https://shop.example/password-migration/logto for passwords until 2999-12-31."]


@pytest.mark.parametrize("until", ["2020-01-31", ""])
def test_script_after_the_last_day_is_a_warning(installed: Emulator, settings: Any, until: str) -> None:
    settings.LOGTO_PASSWORD_MIGRATION_UNTIL = until
    (line,) = found()
    assert line.startswith("warning: Logto still sends passwords")


@pytest.mark.parametrize("declared", [None, False])
def test_script_that_is_not_declared_is_a_warning(installed: Emulator, declared: bool | None) -> None:
    (line,) = found(TenantDeclaration(password_migration=declared))
    assert line.endswith("which is not declared.")


def test_missing_script_is_left_to_the_declaration(installed: Emulator) -> None:
    installed.tenant.actions.clear()
    assert found() == []
