from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import call_command

from logto_auth.clients import reset_clients
from logto_auth.emulator import Application, Emulator
from tests.emulator.management_api_client import ROLE


@pytest.fixture
def machine(logto: Emulator, settings) -> Application:
    """The site's application for the Management API."""
    machine = logto.tenant.add_application(name="Machine", type="MachineToMachine", roles=[ROLE])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    reset_clients()
    return machine


@pytest.fixture
def command(machine: Application) -> Callable[..., str]:
    """Run a command and return what it wrote."""

    def run(*arguments: str) -> str:
        output = StringIO()
        call_command(*arguments, stdout=output, stderr=output)
        return output.getvalue()

    return run
