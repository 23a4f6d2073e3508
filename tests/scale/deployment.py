"""The deployment: sites with several processes, the database that they share, and users with browsers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import redis
import requests

from logto_auth.emulator import Application, Emulator, Visitor, run_in_thread

ROOT = Path(__file__).parent.parent.parent
REDIS_URL = "redis://127.0.0.1:6379/14"
DEAD_REDIS_URL = "redis://127.0.0.1:9/14"
APP_ID, APP_SECRET = "scaleapp000000000001", "scalesecret000000000000000000001"
WAIT_SECONDS = 30

# The file in which the processes count signals: see `urls.count_ended_session`.
ENDED_SESSIONS = "ended-sessions"

T = TypeVar("T")


class Site:
    """One instance of the small site: gunicorn with four processes."""

    def __init__(self, *, environment: dict[str, str], threads: int, folder: Path) -> None:
        self.threads = 4 * threads
        self.marks = folder / "marks"
        self.marks.mkdir()
        # Bound here, so that the port is known and cannot be taken by another process.
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._log_path = folder / "log"
        with self._log_path.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "--config", "python:tests.scale.gunicorn_settings"],
                cwd=ROOT,
                env={
                    **environment,
                    "SCALE_SOCKET": str(self._socket.fileno()),
                    "SCALE_MARKS": str(self.marks),
                    "SCALE_THREADS": str(threads),
                },
                pass_fds=[self._socket.fileno()],
                stdout=log,
                stderr=log,
            )

    def wait_until_ready(self) -> None:
        eventually(self._answers, self.log)

    def _answers(self) -> bool:
        assert self._process.poll() is None, self.log()
        try:
            return User(self).get("/").status_code == 200
        except requests.ConnectionError:
            return False

    def log(self) -> str:
        return self._log_path.read_text(errors="replace")[-5000:]

    def start_to_stop(self) -> None:
        self._process.send_signal(signal.SIGQUIT)  # without waiting for requests

    def stop(self) -> None:
        try:
            self._process.wait(WAIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._socket.close()

    def ended_sessions(self) -> int:
        """Return how often the processes have sent `session_ended`."""
        path = self.marks / ENDED_SESSIONS
        return path.stat().st_size if path.exists() else 0

    def kill_worker_of(self, mark: str) -> None:
        """Kill the process that is working on the request with this `X-Mark`."""
        os.kill(int(self._begun(mark)), signal.SIGKILL)

    def _begun(self, mark: str) -> str:
        path = self.marks / mark
        eventually(lambda: path.exists() and path.read_text() != "", lambda: f"no request {mark} has come")
        return path.read_text()


class User:
    """A user with a browser of their own, at a site and at Logto."""

    def __init__(self, site: Site, emulator: Emulator | None = None) -> None:
        self.site = site
        self.session = _session()
        self.logto = Visitor(emulator) if emulator else None

    def get(self, path: str, **headers: str) -> requests.Response:
        return self._send("GET", path, headers=headers)

    def post(self, path: str, data: dict[str, str]) -> requests.Response:
        return self._send("POST", path, data=data)

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        url = path if path.startswith("http") else self.site.url + path
        return self.session.request(method, url, allow_redirects=False, timeout=2 * WAIT_SECONDS, **options)

    def in_parallel(self) -> User:
        """Return the same browser for another thread: the same cookies, another connection."""
        twin = User(self.site)
        twin.session.cookies.update(self.session.cookies)
        return twin

    def get_at_once(self, paths: list[str]) -> list[requests.Response]:
        """Return the responses to parallel requests of one browser."""
        return at_once([partial(self.in_parallel().get, path) for path in paths])

    def callback(self, username: str) -> str:
        """Sign in at Logto and return the callback URL, without opening it."""
        assert self.logto is not None
        return self.logto.sign_in(self.get("/sign-in").headers["Location"], username)

    def sign_in(self, username: str = "reader") -> User:
        response = self.get(self.callback(username))
        assert response.status_code == 302, (response.status_code, response.text, self.site.log())
        return self

    @property
    def signed_in_as(self) -> str | None:
        """The name of the user who is signed in to the site, None if there is none."""
        response = self.get("/")
        assert response.status_code == 200, (response.status_code, response.text, self.site.log())
        name: str | None = response.json()["user"]
        return name


def _session() -> requests.Session:
    session = requests.Session()
    # No proxy of the environment is used.
    session.trust_env = False
    return session


class Deployment:
    """All servers together. Sites share one database and one Redis, so a browser can change between them."""

    def __init__(self, emulator: Emulator, database: str, folder: Path) -> None:
        self.emulator = emulator
        self.database = database
        self.application: Application | None = None
        self._folder = folder
        self._sites: dict[tuple[object, ...], Site] = {}

    def site(
        self, *, engine: str = "db", redis_url: str = REDIS_URL, timeout_seconds: float = 10, threads: int = 6
    ) -> Site:
        """Return the site with this configuration. It is started at the first use."""
        key = (engine, redis_url, timeout_seconds, threads)
        if key not in self._sites:
            folder = self._folder / str(len(self._sites))
            folder.mkdir()
            environment = self.environment(engine, redis_url, timeout_seconds)
            self._sites[key] = Site(environment=environment, threads=threads, folder=folder)
            self._sites[key].wait_until_ready()
            self._allow(self._sites[key])
        return self._sites[key]

    def environment(
        self, engine: str = "db", redis_url: str = REDIS_URL, timeout_seconds: float = 10
    ) -> dict[str, str]:
        return {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.scale.settings",
            "SCALE_DATABASE": self.database,
            "SCALE_REDIS_URL": redis_url,
            "SCALE_SESSION_ENGINE": engine,
            "SCALE_TIMEOUT_SECONDS": str(timeout_seconds),
            "LOGTO_ENDPOINT": self.emulator.endpoint,
            "LOGTO_APP_ID": APP_ID,
            "LOGTO_APP_SECRET": APP_SECRET,
        }

    def reset(self) -> None:
        """Reset the emulator to one application and one user, and empty the tables and Redis."""
        self.emulator.reset(tenant=True)
        self.application = self.emulator.tenant.add_application(name="Scale", id=APP_ID, secret=APP_SECRET)
        for site in self._sites.values():
            self._allow(site)
        for number in range(4):
            self.emulator.tenant.add_resource(f"https://api{number}.example")
        self.emulator.tenant.add_user(username="reader", id="reader000001")
        self.flush_redis()
        tables = "auth_user, logto_auth_logtoidentity, logto_auth_logtosession, logto_auth_webhookmark, django_session"
        self.sql(f"TRUNCATE {tables} CASCADE")

    def _allow(self, site: Site) -> None:
        assert self.application is not None
        self.application.redirect_uris.append(f"{site.url}/callback")

    def flush_redis(self) -> None:
        """Delete the keys of this deployment."""
        with redis.Redis.from_url(REDIS_URL) as server:
            keys = list(server.scan_iter(match=f"{self.database}:*"))
            if keys:
                server.delete(*keys)

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows of the statement."""
        with connect(self.database) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def cut_connections(self) -> None:
        """Cut the connections of all sites to the database."""
        with connect("postgres") as server:
            server.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.database}'")

    def count(self, table: str) -> int:
        [(number,)] = self.sql(f"SELECT count(*) FROM {table}")
        return int(number)

    def refreshes(self) -> int:
        """Return how many requests the token endpoint got."""
        return len(self.emulator.requests.to("token"))

    def close(self) -> None:
        for site in self._sites.values():
            site.start_to_stop()
        for site in self._sites.values():
            site.stop()


@contextmanager
def running(folder: Path) -> Iterator[Deployment]:
    """Yield a deployment with a database of its own. `folder` is for files of the sites."""
    name = f"logto_auth_scale_{os.getpid()}"
    with run_in_thread(outbound_guard=False) as emulator, connect("postgres") as server:
        deployment = Deployment(emulator, name, folder)
        server.execute(f"CREATE DATABASE {name}")
        try:
            migrate = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
            subprocess.run(migrate, cwd=ROOT, env=deployment.environment(), check=True)
            yield deployment
        finally:
            deployment.close()
            deployment.flush_redis()
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def connect(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(
        dbname=database,
        host=os.environ.get("PGHOST", "127.0.0.1"),
        user=os.environ.get("PGUSER", "postgres"),
        password=os.environ.get("PGPASSWORD", ""),
        autocommit=True,
    ) as connection:
        yield connection


def at_once(calls: list[Callable[[], T]]) -> list[T]:
    """Make the calls in one thread each, all at the same moment, and return their results."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@contextmanager
def killed_during(request: Callable[[], object]) -> Iterator[None]:
    """Make the request in another thread, and check that its process is killed before the block ends."""
    outcomes: list[object] = []

    def run() -> None:
        try:
            outcomes.append(request())
        except requests.ConnectionError:
            outcomes.append("killed")

    thread = threading.Thread(target=run)
    thread.start()
    yield
    thread.join()
    assert outcomes == ["killed"]


def eventually(is_so: Callable[[], bool], explain: Callable[[], str]) -> None:
    """Wait until `is_so()`, and fail after `WAIT_SECONDS`."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < give_up_at, explain()
        time.sleep(0.02)
