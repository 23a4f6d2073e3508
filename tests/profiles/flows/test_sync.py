"""`manage.py logto_sync`: users of the site, brought up to date with Logto."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command

from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, LogtoSession, OrganizationMembership
from logto_auth.testing import Browser
from tests.profiles.site.visitors import account, is_signed_in, rows, signed_in

User = get_user_model()


@pytest.fixture
def sync(logto: Emulator, settings: Any) -> Callable[..., str]:
    """Run the command and return its output."""
    machine = logto.tenant.add_application(name="Sync", type="MachineToMachine", roles=["Logto Management API access"])
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = machine.id, machine.secret
    reset_clients()

    def run(*arguments: str) -> str:
        output = StringIO()
        call_command("logto_sync", *arguments, stdout=output, stderr=output)
        return output.getvalue()

    return run


def test_sync_creates_accounts_once(sync: Callable[..., str]) -> None:
    assert sync("--create") == "created: 4\n"
    assert sync("--create") == "unchanged: 4\n"
    assert rows(User).count() == rows(LogtoIdentity).count() == 4
    assert rows(OrganizationMembership).count() == 3


def test_synced_user_signs_in_to_same_account(sync: Callable[..., str], logto: Emulator) -> None:
    sync("--create")
    signed_in(logto, "editor")
    user = account("editor000001")
    assert (rows(User).count(), user.email, user.first_name) == (4, "editor@example.com", "Editor")
    assert [group.name for group in user.groups.all()] == ["Editors"]


def test_sync_updates_and_suspends(sync: Callable[..., str], logto: Emulator, reader: Browser) -> None:
    signed_in(logto, "editor")
    logto.tenant.suspend_user("reader000001")
    logto.tenant.update_user("editor000001", name="Renamed")
    sync()
    assert not is_signed_in(reader)
    assert rows(LogtoSession).filter(identity__sub="reader000001").count() == 0
    assert not account("reader000001").is_active
    assert account("editor000001").first_name == "Renamed"


def test_sync_deactivates_users_deleted_at_logto(sync: Callable[..., str], logto: Emulator, reader: Browser) -> None:
    logto.tenant.delete_user("reader000001")
    sync()
    assert not is_signed_in(reader)
    assert not account("reader000001").is_active
