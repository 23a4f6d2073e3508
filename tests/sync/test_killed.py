"""Commands that are killed while they run, and started again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from logto_auth.emulator import Application, Emulator, HttpFault
from tests.processes import child

ROOT = Path(__file__).parent.parent.parent
PATIENCE_SECONDS = 60


class OwnSite:
    """A site whose commands run in other processes."""

    def __init__(self, logto: Emulator, machine: Application, path: Path) -> None:
        self._path = path
        self._environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.sync.site_settings",
            "SYNC_DATABASE": str(path),
            "LOGTO_ENDPOINT": logto.endpoint,
            "LOGTO_M2M_APP_ID": machine.id,
            "LOGTO_M2M_APP_SECRET": machine.secret,
        }
        self.run("migrate", "--verbosity=0")

    def start(self, *arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
        return child([sys.executable, "-m", "django", *arguments], cwd=ROOT, env=self._environment)

    def run(self, *arguments: str) -> str:
        with self.start(*arguments) as process:
            output, errors = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, errors
        return output

    def kill_once(self, query: str, *arguments: str) -> None:
        """Run the command until the query returns something other than 0, then kill it."""
        with self.start(*arguments) as process:
            give_up_at = time.monotonic() + PATIENCE_SECONDS
            while not self.sql(query)[0][0]:
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < give_up_at
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert process.returncode == -signal.SIGKILL

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self._path, timeout=30)) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture
def site(logto: Emulator, machine: Application, tmp_path: Path) -> OwnSite:
    return OwnSite(logto, machine, tmp_path / "site.sqlite3")


def test_killed_sync_resumes_and_syncs_all_users(logto: Emulator, site: OwnSite) -> None:
    logto.tenant.add_role("reader")
    subs = {logto.tenant.add_user(username=f"reader{number}", roles=["reader"]).id for number in range(2300)}
    logto.faults.http["management_api"] = HttpFault(delay_seconds=0.02)
    site.kill_once("SELECT count(*) FROM auth_user", "logto_sync", "--create")
    assert 0 < site.sql("SELECT count(*) FROM auth_user")[0][0] < len(subs)
    logto.faults.clear()
    logto.requests.clear()
    output = site.run("logto_sync", "--create")
    assert output == "created: 2,300\n"
    listed = [each.query["page"] for each in logto.requests if each.path == "/api/users"]
    # The first request is the count.
    assert ["1"] not in listed[1:]
    assert set(site.sql("SELECT sub, roles FROM logto_auth_logtoidentity")) == {(sub, '["reader"]') for sub in subs}
    assert site.sql("SELECT count(*) FROM logto_auth_syncnote") == [(0,)]


def test_killed_import_restarts_and_links_all_accounts(logto: Emulator, site: OwnSite) -> None:
    names = [f"customer{number}" for number in range(40)]
    rows = ", ".join(f"('{name}', '{name}@example.com', '!', '', '', 1, 0, 0, '2026-01-01')" for name in names)
    columns = "username, email, password, first_name, last_name, is_active, is_staff, is_superuser, date_joined"
    with closing(sqlite3.connect(site._path)) as connection:
        connection.execute(f"INSERT INTO auth_user ({columns}) VALUES {rows}")
        connection.commit()
    logto.faults.http["management_api"] = HttpFault(delay_seconds=0.02)
    site.kill_once("SELECT count(*) FROM logto_auth_logtoidentity", "logto_import")
    logto.faults.clear()
    # Logto may have created a user without this site having received the response.
    site.run("logto_import", "--adopt-by-email")
    linked = dict(site.sql("SELECT sub, username FROM logto_auth_logtoidentity i JOIN auth_user u ON u.id = i.user_id"))
    assert linked == {user.id: user.username for user in logto.tenant.users.values()}
    assert sorted(linked.values()) == sorted(names)
