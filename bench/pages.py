"""Measure pages that use `request.logto`: `python -m bench.pages`, with the task as JSON on standard input.

Counts and CPU time are measured in this process. Requests per second are those of one gunicorn worker.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import django
from django.conf import settings as django_settings

from . import page_site
from .candidate import Costs, Meter
from .gunicorn import get, gunicorn
from .sessions import in_turn, signed_in_client

PLAIN, RIGHTS = "page without request.logto", "page with roles, a decorator and 4 tags"
PATHS = {PLAIN: "/", RIGHTS: "/rights"}
ROUNDS = 2000
# Batches are short and alternate, because the load of the machine varies.
BATCHES, BATCH_SIZE = 41, 100


def measure_in_process(client: Any) -> dict[str, dict[str, float]]:
    """Return the costs of both pages in this process."""
    meter = Meter()
    for path in PATHS.values():
        assert client.get(path).status_code == 200
    costs = {kind: Costs() for kind in PATHS}
    for number in range(ROUNDS):
        pair = list(PATHS.items())
        for kind, path in pair if number % 4 < 2 else reversed(pair):
            in_turn(meter, costs[kind], number)(lambda path=path: client.get(path))
    return {kind: cost.medians() for kind, cost in costs.items()}


def measure_gunicorn(port: int, cookie: str) -> dict[str, dict[str, float]]:
    """Return the requests per second of the worker, by the clock and by its CPU time: medians of batches."""
    rates: dict[str, dict[str, list[float]]] = {kind: {"per_second": [], "per_cpu_second": []} for kind in PATHS}
    for number in range(BATCHES + 1):
        pair = list(PATHS.items())
        for kind, path in pair if number % 2 else reversed(pair):
            cpu_before, before = float(get(port, "/cpu-seconds")), time.perf_counter()
            for _ in range(BATCH_SIZE):
                get(port, path, cookie)
            seconds, cpu_seconds = time.perf_counter() - before, float(get(port, "/cpu-seconds")) - cpu_before
            if number:  # the first batches warm up
                rates[kind]["per_second"].append(BATCH_SIZE / seconds)
                rates[kind]["per_cpu_second"].append(BATCH_SIZE / cpu_seconds)
    medians = {kind: {name: statistics.median(values) for name, values in each.items()} for kind, each in rates.items()}
    for name in ("per_second", "per_cpu_second"):
        # Neighbours in time are compared.
        ratios = [rights / plain for plain, rights in zip(rates[PLAIN][name], rates[RIGHTS][name], strict=True)]
        medians[PLAIN][f"{name}_ratio"], medians[RIGHTS][f"{name}_ratio"] = 1.0, statistics.median(ratios)
    return medians


def main() -> None:
    task = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        settings = page_site.settings(task["logto"], str(Path(folder) / "db.sqlite3"))
        django_settings.configure(**settings)
        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        client = signed_in_client(task["logto"]["endpoint"], task["username"])
        costs = measure_in_process(client)
        cookie = f"sessionid={client.cookies['sessionid'].value}"
        environment = {page_site.SETTINGS_VARIABLE: json.dumps(settings)}
        with gunicorn("bench.page_site:application()", environment, Path(folder) / "log", "/cpu-seconds") as port:
            rates = measure_gunicorn(port, cookie)
    json.dump({kind: {**costs[kind], **rates[kind]} for kind in PATHS}, sys.stdout)


if __name__ == "__main__":
    main()
