"""Measure `django.setup()`, which each `manage.py` command runs, without and with the app, each in its own process."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Mapping

ROUNDS = 20
CONTRIB = ["auth", "contenttypes", "sessions", "messages", "staticfiles"]
WITHOUT, APP, ADMIN = "without logto_auth", "logto_auth", "logto_auth, LogtoAdminConfig"
APPS = {
    WITHOUT: ["django.contrib.admin"],
    APP: ["django.contrib.admin", "logto_auth"],
    ADMIN: ["logto_auth.apps.LogtoAdminConfig", "logto_auth"],
}
SET_UP = """
import json, resource, sys, time

from django.conf import settings

settings.configure(SECRET_KEY="bench", INSTALLED_APPS=sys.argv[1:])
start = time.process_time()
import django

django.setup()
cpu_ms = 1000 * (time.process_time() - start)
mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)
print(json.dumps({"cpu_ms": cpu_ms, "mib": mib, "modules": len(sys.modules)}))
"""

Costs = Mapping[str, Mapping[str, float]]


def measure() -> Costs:
    """Return the medians of all rounds by candidate, and the least CPU time as `min_cpu_ms`."""
    rounds: dict[str, list[dict[str, float]]] = {name: [] for name in APPS}
    for _ in range(ROUNDS):
        for name, apps in APPS.items():
            rounds[name].append(_set_up([*apps, *(f"django.contrib.{each}" for each in CONTRIB)]))
    return {
        name: {key: statistics.median(cost[key] for cost in costs) for key in costs[0]}
        | {"min_cpu_ms": min(cost["cpu_ms"] for cost in costs)}
        for name, costs in rounds.items()
    }


def _set_up(apps: list[str]) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", SET_UP, *apps], capture_output=True, text=True, check=True)
    cost: dict[str, float] = json.loads(done.stdout)
    return cost


def table(costs: Costs) -> str:
    """Format the costs; ratios are to the process without the app."""
    base = costs[WITHOUT]
    lines = [f"{'django.setup()':<46}{'modules':>9}{'MiB':>7}{'CPU ms':>9}{'min':>8}{'ratio':>8}"]
    for name, cost in costs.items():
        lines.append(
            f"{name:<46}{cost['modules']:>9.0f}{cost['mib']:>7.1f}{cost['cpu_ms']:>9.1f}{cost['min_cpu_ms']:>8.1f}"
            f"{cost['min_cpu_ms'] / base['min_cpu_ms']:>8.2f}"
        )
    return "\n".join(lines)


def limits(costs: Costs) -> dict[str, bool]:
    """Return the limits for `django.setup()`, and whether each is met."""
    base = costs[WITHOUT]
    return {
        "django.setup(): at most 1.3 of the CPU time without the app": all(
            cost["min_cpu_ms"] <= 1.3 * base["min_cpu_ms"] for cost in costs.values()
        ),
        "django.setup(): at most 5 MiB more": all(cost["mib"] <= base["mib"] + 5 for cost in costs.values()),
    }
