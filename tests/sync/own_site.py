"""A site whose commands and workers run in other processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

from logto_auth.emulator import Application, Emulator
from tests.processes import child

ROOT = Path(__file__).parent.parent.parent
PATIENCE_SECONDS = 60
# The database file after the migrations, which take seconds.
_migrated: list[bytes] = []


class OwnSite:
    """A site whose commands run in other processes."""

    def __init__(self, logto: Emulator, machine: Application, path: Path) -> None:
        self.path = path
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.sync.site_settings",
            "SYNC_DATABASE": str(path),
            "LOGTO_ENDPOINT": logto.endpoint,
            "LOGTO_M2M_APP_ID": machine.id,
            "LOGTO_M2M_APP_SECRET": machine.secret,
        }
        if not _migrated:
            self.run("migrate", "--verbosity=0")
            _migrated.append(path.read_bytes())
        path.write_bytes(_migrated[0])

    def start(self, *arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
        return child([sys.executable, "-m", "django", *arguments], cwd=ROOT, env=self.environment)

    def run(self, *arguments: str) -> str:
        with self.start(*arguments) as process:
            output, errors = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, errors
        return output

    def kill_once(self, query: str, *arguments: str) -> None:
        """Run the command until the query returns something other than 0, then kill it."""
        with self.start(*arguments) as process:
            self.wait_for(query, lambda: process.poll() is None)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert process.returncode == -signal.SIGKILL

    def wait_for(self, query: str, may_come: Callable[[], bool] = lambda: True) -> None:
        """Wait until the query returns something other than 0."""
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not self.sql(query)[0][0]:
            assert may_come(), query
            assert time.monotonic() < give_up_at, query
            time.sleep(0.01)

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path, timeout=30)) as connection:
            return connection.execute(query).fetchall()
