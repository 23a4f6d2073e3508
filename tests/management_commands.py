"""Run management commands against an emulated tenant that is as empty as Logto creates it."""

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

Run = Callable[..., "Result"]


@dataclass(frozen=True)
class Result:
    """The output and the exit code of a command. `error` is the message of its CommandError."""

    code: int
    out: str
    err: str
    error: str = ""


@pytest.fixture
def fresh(logto: Emulator, settings: Any) -> Emulator:
    """An empty tenant with a machine-to-machine application for the commands. The site has no application there."""
    logto.tenant.clear()
    machine = logto.tenant.add_application(name="Setup", type="MachineToMachine", roles=[ROLE])
    settings.LOGTO_APP_ID = settings.LOGTO_APP_SECRET = ""
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    settings.LOGTO_BASE_URL = SITE
    return logto


@pytest.fixture
def api(fresh: Emulator) -> ManagementAPI:
    """The Management API of the empty tenant, as the commands use it."""
    return management_api()


@pytest.fixture
def run(fresh: Emulator, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A function that runs a command with the text `stdin`, and checks that it prints no secret without being asked."""

    def run(name: str, *arguments: str, stdin: str = "", stdout: io.StringIO | None = None) -> Result:
        out, err = stdout or io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code, error = 0, ""
        try:
            call_command(name, *arguments, stdout=out, stderr=err, no_color=True)
        except CommandError as raised:
            code, error = raised.returncode, str(raised)
        except SystemExit as raised:
            code = int(str(raised.code))
        result = Result(code, out.getvalue(), err.getvalue(), error)
        if "--show-secret" not in arguments:
            for secret in _secrets(fresh, settings):
                assert secret not in result.out + result.err + result.error
        return result

    return run


def _secrets(logto: Emulator, settings: Any) -> set[str]:
    """Return all secrets of the tenant and of the site's settings."""
    applications = logto.tenant.applications.values()
    found = {secret.value for application in applications for secret in application.secrets}
    found |= {application.internal_secret for application in applications}
    found |= {hook.signing_key for hook in logto.tenant.hooks.values()}
    names = ("LOGTO_APP_SECRET", "LOGTO_M2M_APP_SECRET", "LOGTO_WEBHOOK_SIGNING_KEY", "SECRET_KEY")
    given = [getattr(settings, name) for name in names]
    return {secret for each in [*found, *given] for secret in ([each] if isinstance(each, str) else each) if secret}


def read_env_file(path: Path) -> dict[str, str]:
    """Return the values of an environment file."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def set_all(settings: Any, values: dict[str, Any]) -> None:
    """Set the values as settings of the site."""
    for name, value in values.items():
        setattr(settings, name, value)


def file_mode(path: Path) -> int:
    """Return the permission bits of a file."""
    return os.stat(path).st_mode & 0o777
