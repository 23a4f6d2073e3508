"""Callbacks over HTTP: each candidate on one gunicorn worker with PostgreSQL, with interleaved sign-ins.

Logto's part is the time in calls to Logto; the own part is the rest of the request. Needs PostgreSQL.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import requests

from logto_auth.emulator import Emulator, Visitor
from tests.scale.deployment import connect
from tests.servers import listens

from . import callback_site
from .gunicorn import gunicorn
from .sites import CALLBACK, SITE, START

ROUNDS = 60
WARM_UP = 5


def measure(emulator: Emulator, logto: dict[str, str], username: str) -> dict[str, dict[str, float]] | None:
    """Return the medians by candidate, in milliseconds; None if PostgreSQL is missing."""
    if not listens("127.0.0.1", 5432):
        return None
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        sites = {candidate: stack.enter_context(_running(candidate, logto, folder)) for candidate in CALLBACK}
        times: dict[str, list[dict[str, float]]] = {candidate: [] for candidate in sites}
        for number in range(WARM_UP + ROUNDS):
            # The order alternates, because what a candidate leaves in the caches serves the next one.
            for candidate, url in list(sites.items())[:: 1 if number % 2 else -1]:
                times[candidate].append(_sign_in(emulator, candidate, url, username))
    return {candidate: _medians(each[WARM_UP:]) for candidate, each in times.items()}


def _medians(times: list[dict[str, float]]) -> dict[str, float]:
    own = [each["all"] - each["logto"] for each in times]
    return {
        "all_ms": statistics.median(each["all"] for each in times),
        "logto_ms": statistics.median(each["logto"] for each in times),
        "own_ms": statistics.median(own),
        "cpu_ms": statistics.median(each["cpu"] for each in times),
    }


@contextmanager
def _running(candidate: str, logto: dict[str, str], folder: Path) -> Iterator[str]:
    """Run the site of a candidate and yield its URL. It has a database of its own."""
    database = f"logto_auth_bench_{os.getpid()}_{candidate.replace('-', '_')}"
    settings = callback_site.settings(candidate, logto, database)
    environment = {callback_site.SETTINGS_VARIABLE: json.dumps(settings)}
    with connect("postgres") as server:
        server.execute(f"CREATE DATABASE {database}")
        try:
            migrate = "from bench.callback_site import migrate; migrate()"
            subprocess.run([sys.executable, "-c", migrate], env={**os.environ, **environment}, check=True)
            with gunicorn("bench.callback_site:application()", environment, folder / candidate, "/times") as port:
                yield f"http://127.0.0.1:{port}"
        finally:
            server.execute(f"DROP DATABASE {database} WITH (FORCE)")


def _sign_in(emulator: Emulator, candidate: str, url: str, username: str) -> dict[str, float]:
    """Sign in with a new browser and return the times of the callback."""
    visitor = Visitor(emulator.endpoint)
    with requests.Session() as browser:
        start = _get(browser, url + START[candidate])
        callback = visitor.sign_in(start.headers["Location"], username, f"{username}-password")
        answer = _get(browser, url + callback.removeprefix(SITE))
        assert answer.status_code == 302, answer.text
        times: dict[str, float] = browser.get(f"{url}/times", timeout=10).json()
    visitor.close()
    return times


def _get(browser: requests.Session, url: str) -> requests.Response:
    # The redirect URIs of the application have this host.
    return browser.get(url, headers={"Host": SITE.removeprefix("http://")}, allow_redirects=False, timeout=10)


def table(costs: dict[str, dict[str, float]] | None) -> str:
    """Format the figures; ratios are of the own part, to plain mozilla-django-oidc."""
    if costs is None:
        return "Callbacks over HTTP are not measured: they need PostgreSQL."
    base = costs["mozilla-django-oidc"]["own_ms"]
    lines = [f"{'callback on gunicorn and PostgreSQL':<46}{'ms':>7}{'Logto':>8}{'own':>9}{'ratio':>8}{'CPU ms':>9}"]
    for candidate, cost in costs.items():
        lines.append(
            f"{candidate:<46}{cost['all_ms']:>7.1f}{cost['logto_ms']:>8.1f}{cost['own_ms']:>9.1f}"
            f"{cost['own_ms'] / base:>8.2f}{cost['cpu_ms']:>9.1f}"
        )
    return "\n".join(lines)


def limits(costs: dict[str, dict[str, float]] | None) -> dict[str, bool]:
    """Return the limits, and whether each is met."""
    if costs is None:
        return {}
    ours, plain = costs["logto_auth"], costs["mozilla-django-oidc"]
    # Most of the own part is Django's: two saves of its session, and the time of the latest sign-in.
    return {"callback over HTTP: own part at most 0.75 of the base class": ours["own_ms"] <= 0.75 * plain["own_ms"]}
