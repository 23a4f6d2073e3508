"""The sites under test, each with a server of its own, and the people in front of them."""

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
from urllib.parse import urlsplit

import requests

from tests.management_commands import read_env_file
from tests.processes import child
from tests.servers import free_port

from .experience import ExperienceVisitor
from .targets import Target

ROOT = Path(__file__).parents[2]
WAIT_SECONDS = 20
# A longer wait proves no more where something is expected not to come.
NOTHING_COMES_SECONDS = 4
MAX_REDIRECTS = 10


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
    ) -> None:
        self.target = target
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.url = f"http://{target.options.site_host}:{self.port}"
        self.log_path = folder / "log"
        self._has_webhooks = has_webhooks
        self._has_refresh_tokens = has_refresh_tokens
        self._freshness_seconds = freshness_seconds

    @property
    def env_file(self) -> Path:
        """The file in which `logto_setup` writes the settings of the site."""
        return self.folder / ".env"

    @property
    def app_id(self) -> str:
        return self._written()["LOGTO_APP_ID"]

    @property
    def environment(self) -> dict[str, str]:
        target = self.target
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
            "LOGTO_M2M_APP_ID": target.m2m_app_id,
            "LOGTO_M2M_APP_SECRET": target.m2m_app_secret,
            "LOGTO_MANAGEMENT_API_RESOURCE": target.options.management_api_resource,
            "LOGTO_ENDPOINT": target.endpoint,
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
        host = "127.0.0.1" if self.target.options.site_host == "127.0.0.1" else "0.0.0.0"
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


class Person:
    """A browser, at the sites and at Logto. A password is that of `username`."""

    def __init__(self, target: Target, username: str = "", password: str = "") -> None:
        self.username = username
        self.password = password
        self.logto = target.visitor()
        self._sessions: dict[str, requests.Session] = {}

    def get(self, site: Site, path: str, **query: str) -> requests.Response:
        return self._send("GET", site, path, params=query)

    def post(self, site: Site, path: str, fields: dict[str, str] | None = None) -> requests.Response:
        """Send a form of the site, with its CSRF token."""
        self.get(site, "/page/")
        csrf_token = self._session(site).cookies.get("csrftoken", "")
        return self._send("POST", site, path, data={"csrfmiddlewaretoken": csrf_token, **(fields or {})})

    def start(self, site: Site, path: str = "/sign-in", **query: str) -> str:
        """Return the URL at Logto to which the site redirects."""
        response = self.get(site, path, **query)
        assert response.status_code == 302, (response.status_code, response.text, site.log())
        return response.headers["Location"]

    def sign_in(self, site: Site, **query: str) -> dict[str, Any]:
        """Sign in with the password and return who the user is at the site."""
        return self.arrive(site, self.logto.sign_in(self.start(site, **query), self.username, self.password))

    def sign_in_silently(self, site: Site) -> dict[str, Any]:
        """Sign in without a page of Logto, and return who the user is. Raise VisitFailed if Logto shows a page."""
        return self.arrive(site, self.logto.sign_in(self.start(site)))

    def sign_in_by_link(self, authorization_url: str) -> str:
        """Use the one-time token in the URL, and return the callback URL. A new user gets username and password."""
        if isinstance(self.logto, ExperienceVisitor):
            return self.logto.sign_in_by_link(authorization_url, username=self.username, password=self.password)
        return self.logto.sign_in_by_link(authorization_url)

    def follow(self, site: Site, url: str) -> requests.Response:
        """Open a URL and follow redirects between the site and Logto. Return the last page, of the one or the other."""
        for _ in range(MAX_REDIRECTS):
            page = self.get(site, url) if url.startswith((site.url, "/")) else self.logto.open(url)
            if "Location" not in page.headers:
                return page
            url = page.headers["Location"]
        raise AssertionError(f"{MAX_REDIRECTS} redirects, the last one to {url}")

    def arrive(self, site: Site, callback: str) -> dict[str, Any]:
        """Open the callback URL and return who the user is at the site."""
        assert callback.startswith(f"{site.url}/callback"), callback
        parts = urlsplit(callback)
        response = self.get(site, f"{parts.path}?{parts.query}")
        assert response.status_code == 302, (response.status_code, response.text, site.log())
        return self.at(site)

    def sign_out(self, site: Site) -> str:
        """Sign out at the site and at Logto, and return the URL to which Logto finally redirects."""
        response = self.post(site, "/sign-out")
        assert response.status_code == 302, (response.status_code, response.text, site.log())
        return self.logto.sign_out(response.headers["Location"])

    def forget_logto(self) -> None:
        """Delete the cookies of Logto. The sessions at the sites go on."""
        self.logto.session.cookies.clear()

    def at(self, site: Site) -> dict[str, Any]:
        """Return who the user is at the site."""
        response = self.get(site, "/")
        assert response.status_code == 200, (response.status_code, response.text, site.log())
        found: dict[str, Any] = response.json()
        return found

    def is_signed_in(self, site: Site) -> bool:
        return self.at(site)["user"] is not None

    def close(self) -> None:
        self.logto.close()
        for session in self._sessions.values():
            session.close()

    def _send(self, method: str, site: Site, path: str, **options: Any) -> requests.Response:
        url = path if path.startswith("http") else site.url + path
        return self._session(site).request(method, url, allow_redirects=False, timeout=30, **options)

    def _session(self, site: Site) -> requests.Session:
        # Cookies do not know ports, so each site has its own.
        if site.url not in self._sessions:
            self._sessions[site.url] = requests.Session()
            self._sessions[site.url].trust_env = False
        return self._sessions[site.url]


def eventually(
    is_so: Callable[[], bool], explain: Callable[[], str] = lambda: "", seconds: float = WAIT_SECONDS
) -> None:
    """Wait until `is_so()`, and fail after some seconds."""
    assert comes_true(is_so, seconds), explain()


def comes_true(is_so: Callable[[], bool], seconds: float = NOTHING_COMES_SECONDS) -> bool:
    """Wait until `is_so()`, at most for some seconds, and return whether it is."""
    give_up_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.05)
    return True
