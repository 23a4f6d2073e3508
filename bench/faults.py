"""Faults while 50 users read 20 pages a second on 4 sync workers of gunicorn: what do other users notice?

One user, the victim, has the fault: the worker that refreshes their session is killed, and so on. The pages of the
other users are timed, without the fault and with it. Needs PostgreSQL, Redis and gunicorn on this machine.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import requests

from logto_auth.emulator import HttpFault
from logto_auth.emulator.faults import ENDPOINTS
from tests.scale.deployment import Deployment, User, eventually, killed_during, running
from tests.servers import listens

USERS = 50
PAGES_PER_SECOND = 20
SECONDS = 20
# The pages that the victim opens at once, and how often.
TABS, TAB_SECONDS = 3, 2

Fault = Callable[[Deployment, User], None]


def killed_worker(deployment: Deployment, victim: User) -> None:
    victim.get("/age-session")
    deployment.emulator.requests.clear()
    deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=3, times=1)
    with killed_during(partial(victim.in_parallel().get, "/", **{"X-Mark": "refresh"})):
        eventually(lambda: deployment.refreshes() == 1, victim.site.log)
        victim.site.kill_worker_of("refresh")


def cut_connections(deployment: Deployment, victim: User) -> None:
    for _ in range(5):
        victim.get("/age-session")
        deployment.emulator.requests.clear()
        deployment.emulator.faults.http["token"] = HttpFault(delay_seconds=0.2, times=1)
        refresh = threading.Thread(target=victim.in_parallel().get, args=["/"])
        refresh.start()
        eventually(lambda: deployment.refreshes() == 1, victim.site.log)
        deployment.cut_connections()
        refresh.join()
        time.sleep(1)


def flushed_redis(deployment: Deployment, victim: User) -> None:
    for _ in range(10):
        deployment.flush_redis()
        time.sleep(1)


def hanging_logto(deployment: Deployment, victim: User) -> None:
    for endpoint in ENDPOINTS:
        deployment.emulator.faults.http[endpoint] = HttpFault(delay_seconds=SECONDS)
    victim.get("/age-session")


FAULTS: dict[str, tuple[str, Fault]] = {
    "a worker is killed in a refresh": ("db", killed_worker),
    "database connections are cut": ("db", cut_connections),
    "Redis is emptied, sessions in cached_db": ("cached_db", flushed_redis),
    "Logto hangs": ("db", hanging_logto),
}


def measure() -> dict[str, dict[str, float]] | None:
    """Return the figures by fault; None if a server is missing."""
    if not listens("127.0.0.1", 5432) or not listens("127.0.0.1", 6379):
        return None
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as deployment:
        return {name: _measure(deployment, engine, fault) for name, (engine, fault) in FAULTS.items()}


def _measure(deployment: Deployment, engine: str, fault: Fault) -> dict[str, float]:
    deployment.reset()
    site = deployment.site(engine=engine, threads=1)
    victim = User(site, deployment.emulator).sign_in()
    others = [User(site, deployment.emulator).sign_in() for _ in range(USERS - 1)]
    _Load(others).run(victim, seconds=3)
    # Half of it before the fault and half after: other processes of the machine change the figures.
    usual = _Load(others)
    usual.run(victim, seconds=SECONDS / 2)
    disturbed = _Load(others)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(disturbed.run, victim)
        time.sleep(1)
        fault(deployment, victim)
    deployment.emulator.faults.clear()
    deployment.sql("UPDATE logto_auth_logtosession SET no_refresh_before = 0")
    usual.run(victim, seconds=SECONDS / 2)
    lost = sum(user.signed_in_as is None for user in [victim, *others])
    return {
        "usual_ms": 1000 * usual.percentile_95,
        "disturbed_ms": 1000 * disturbed.percentile_95,
        "ratio": disturbed.percentile_95 / usual.percentile_95,
        "slowest_ms": 1000 * max(disturbed.seconds),
        "errors": disturbed.errors,
        "lost": lost,
    }


class _Load:
    """Users who read pages at a steady rate, however long the answers take."""

    def __init__(self, users: list[User]) -> None:
        self._users = users
        self.seconds: list[float] = []
        self.errors = 0

    def run(self, victim: User, *, seconds: float = SECONDS) -> None:
        with ThreadPoolExecutor(64) as pool:
            begins_at = time.monotonic()
            for number in range(int(seconds * PAGES_PER_SECOND)):
                time.sleep(max(0, begins_at + number / PAGES_PER_SECOND - time.monotonic()))
                pool.submit(self._read, self._users[number % len(self._users)].in_parallel())
                if number % (PAGES_PER_SECOND * TAB_SECONDS) == 0:
                    for _ in range(TABS):
                        pool.submit(victim.in_parallel().get, "/")

    def _read(self, user: User) -> None:
        began_at = time.monotonic()
        try:
            is_error = user.get("/").status_code != 200
        except requests.ConnectionError:
            is_error = True
        self.errors += is_error
        self.seconds.append(time.monotonic() - began_at)

    @property
    def percentile_95(self) -> float:
        return statistics.quantiles(self.seconds, n=20)[-1]


def table(costs: dict[str, dict[str, float]] | None) -> str:
    """Format the figures."""
    if costs is None:
        return "Faults under load are not measured: they need PostgreSQL and Redis."
    lines = [
        f"{'pages of other users (95th percentile)':<46}{'usual ms':>9}{'ms':>9}{'ratio':>8}{'errors':>8}{'lost':>6}"
    ]
    for name, cost in costs.items():
        lines.append(
            f"{name:<46}{cost['usual_ms']:>9.1f}{cost['disturbed_ms']:>9.1f}{cost['ratio']:>8.2f}"
            f"{cost['errors']:>8.0f}{cost['lost']:>6.0f}"
        )
    return "\n".join([*lines, "\nLost: users who are no longer signed in after the fault."])


def limits(costs: dict[str, dict[str, float]] | None) -> dict[str, bool]:
    """Return the limits, and whether each is met."""
    limits = {}
    for name, cost in (costs or {}).items():
        limits[f"{name}: no session is lost"] = cost["lost"] == 0
        limits[f"{name}: pages of others take at most 1.5 of the usual time"] = cost["ratio"] <= 1.5
    return limits


if __name__ == "__main__":
    print(table(measure()))
