"""The sites under test, each with a server of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.management_commands import read_env_file
from tests.processes import child
from tests.servers import free_port

from .targets import Target

ROOT = Path(__file__).parents[2]
THIS_MACHINE = "127.0.0.1"
WAIT_SECONDS = 20
# A longer wait proves no more where something is expected not to come.
NOTHING_COMES_SECONDS = 4


class Site:
    """A site with a database, an application at Logto, and the commands of its developer."""

    def __init__(
        self,
        target: Target,
        name: str,
        folder: Path,
        *,
        has_webhooks: bool,
        has_refresh_tokens: bool = True,
        freshness_seconds: int | None = None,
        internal_endpoint: str = "",
        has_account_pages: bool = False,
        has_second_factor: bool = False,
        has_console: bool = False,
        has_agents: bool = False,
        moves_passwords: str = "",
        has_support_access: bool = False,
    ) -> None:
        self.target = target
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.url = f"http://{THIS_MACHINE}:{self.port}"
        self.log_path = folder / "log"
        self._has_webhooks = has_webhooks
        self._has_refresh_tokens = has_refresh_tokens
        self._freshness_seconds = freshness_seconds
        self._internal_endpoint = internal_endpoint
        self._has_account_pages = has_account_pages
        self._has_second_factor = has_second_factor
        self._has_console = has_console
        self._has_agents = has_agents
        self.moves_passwords = moves_passwords
        self._has_support_access = has_support_access

    @property
    def env_file(self) -> Path:
        """The file in which `logto_setup` writes the settings of the site."""
        return self.folder / ".env"

    @property
    def app_id(self) -> str:
        return self._written()["LOGTO_APP_ID"]

    @property
    def environment(self) -> dict[str, str]:
        target, site_host = self.target, self.target.options.site_host
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("LOGTO_")},
            "DJANGO_SETTINGS_MODULE": "tests.live.site.settings",
            "LIVE_FOLDER": str(self.folder),
            "LIVE_RUN": target.run,
            "LIVE_SITE": self.name,
            "LIVE_URL": self.url,
            "LIVE_WEBHOOKS": "1" if self._has_webhooks else "",
            "LIVE_REFRESH_TOKENS": "1" if self._has_refresh_tokens else "",
            "LIVE_FRESHNESS_SECONDS": "" if self._freshness_seconds is None else str(self._freshness_seconds),
            "LIVE_ACCOUNT_PAGES": "1" if self._has_account_pages else "",
            "LIVE_SECOND_FACTOR": "1" if self._has_second_factor else "",
            "LIVE_CONSOLE": "1" if self._has_console else "",
            "LIVE_AGENTS": "1" if self._has_agents else "",
            "LIVE_MOVES_PASSWORDS": self.moves_passwords,
            "LIVE_SUPPORT_ACCESS": "1" if self._has_support_access else "",
            "LOGTO_M2M_APP_ID": target.m2m_app_id,
            "LOGTO_M2M_APP_SECRET": target.m2m_app_secret,
            "LOGTO_MANAGEMENT_API_RESOURCE": target.options.management_api_resource,
            "LOGTO_ENDPOINT": target.endpoint,
            "LOGTO_INTERNAL_ENDPOINT": self._internal_endpoint,
            "LOGTO_INTERNAL_BASE_URL": f"http://{site_host}:{self.port}" if site_host else "",
            **self._written(),
        }

    def command(self, *arguments: str, code: int = 0) -> str:
        """Run a management command, check its exit code, and return what it printed."""
        done = self.run(*arguments)
        assert done.returncode == code, f"{arguments} exited with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def command_json(self, *arguments: str, code: int = 0) -> Any:
        return json.loads(self.command(*arguments, "--json", code=code))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "django", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def migrate(self, template: Path) -> None:
        """Make the tables. They are made once, in the file `template`, and then copied."""
        database = self.folder / "site.sqlite3"
        if not template.exists():
            self.command("migrate", "--verbosity=0")
            shutil.copy(database, template)
        else:
            shutil.copy(template, database)

    def set_up(self) -> str:
        """Make what the site needs at Logto, and return the output of the command."""
        return self.command("logto_setup", "--yes", "--env-file", str(self.env_file))

    @contextmanager
    def serving(self) -> Iterator[Site]:
        """Serve the site until the block ends."""
        host = "0.0.0.0" if self.target.options.site_host else THIS_MACHINE
        command = [sys.executable, "-m", "django", "runserver", "--noreload", f"{host}:{self.port}"]
        with (
            self.log_path.open("w") as log,
            child(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log) as process,
        ):
            eventually(lambda: process.poll() is not None or self._answers(), self.log)
            assert process.poll() is None, self.log()
            yield self

    def received(self, path: str) -> list[int]:
        """Return the statuses of the calls of Logto's server to this path."""
        calls = requests.get(f"{self.url}/received/", timeout=10).json()["calls"]
        return [status for called, status in calls if called == path]

    def log(self) -> str:
        return self.log_path.read_text()[-5000:]

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/", timeout=10).status_code == 200
        except requests.ConnectionError:
            return False

    def _written(self) -> dict[str, str]:
        return read_env_file(self.env_file) if self.env_file.exists() else {}


def eventually(
    is_so: Callable[[], bool], explain: Callable[[], str] = lambda: "", seconds: float = WAIT_SECONDS
) -> None:
    """Wait until `is_so()`, and fail after some seconds."""
    assert comes_true(is_so, seconds), explain()


def comes_true(is_so: Callable[[], bool], seconds: float) -> bool:
    """Wait until `is_so()`, at most for some seconds, and return whether it is."""
    give_up_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.05)
    return True
