"""Commands, run against a tenant as Logto seeds it."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from logto_auth.clients import management_api
from logto_auth.emulator import Emulator
from logto_auth.management_api import ManagementAPI

SITE = "http://testserver"
ROLE = "Logto Management API access"

Run = Callable[..., "Ran"]


@dataclass(frozen=True)
class Ran:
    """What a command has said, and its exit code. `error` is the sentence that it ended with."""

    code: int
    out: str
    err: str
    error: str = ""


@pytest.fixture
def fresh(logto: Emulator, settings: Any) -> Emulator:
    """A tenant with nothing in it but a machine that may use the Management API; the site has no application there."""
    logto.tenant.clear()
    machine = logto.tenant.add_application(name="Setup", type="MachineToMachine", roles=[ROLE])
    settings.LOGTO_APP_ID = settings.LOGTO_APP_SECRET = ""
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    settings.LOGTO_BASE_URL = SITE
    return logto


@pytest.fixture
def api(fresh: Emulator) -> ManagementAPI:
    """The Management API of that tenant, as the commands use it."""
    return management_api()


@pytest.fixture
def run(fresh: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command, with what somebody types. No output may hold a secret, unless it was asked for."""

    def run(name: str, *arguments: str, typed: str = "", stdout: io.StringIO | None = None) -> Ran:
        out, err = stdout or io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code, error = 0, ""
        try:
            call_command(name, *arguments, stdout=out, stderr=err, no_color=True)
        except CommandError as raised:
            code, error = raised.returncode, str(raised)
        except SystemExit as raised:
            code = int(str(raised.code))
        ran = Ran(code, out.getvalue(), err.getvalue(), error)
        if "--show-secret" not in arguments:
            for secret in secrets_of(fresh, settings):
                assert secret not in ran.out + ran.err + ran.error
        return ran

    return run


def secrets_of(logto: Emulator, settings: Any) -> set[str]:
    """All secrets of the tenant, and those in the site's settings."""
    applications = logto.tenant.applications.values()
    found = {secret.value for application in applications for secret in application.secrets}
    found |= {application.internal_secret for application in applications}
    found |= {hook.signing_key for hook in logto.tenant.hooks.values()}
    names = ("LOGTO_APP_SECRET", "LOGTO_M2M_APP_SECRET", "LOGTO_WEBHOOK_SIGNING_KEY", "SECRET_KEY")
    given = [getattr(settings, name) for name in names]
    return {secret for each in [*found, *given] for secret in ([each] if isinstance(each, str) else each) if secret}


def settings_in(path: Path) -> dict[str, str]:
    """What an env file says."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def use(settings: Any, values: dict[str, str]) -> None:
    """Lay values over the site's settings, as an environment would."""
    for name, value in values.items():
        setattr(settings, name, value)


def mode(path: Path) -> int:
    """Who may do what with a file."""
    return os.stat(path).st_mode & 0o777
