"""Runs all candidates against one emulator, prints them side by side, and fails when a promise is not kept."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from logto_auth.emulator import run_in_thread

from .sites import CALLBACK, SITE

ROUNDS = 60
KINDS = ("start", "callback, known user", "callback, new user", "page")


def run(candidate: str, task: dict[str, Any]) -> dict[str, dict[str, float]]:
    """The costs of one candidate, by kind of request."""
    process = subprocess.run(
        [sys.executable, "-m", "bench.candidate"],
        input=json.dumps({"candidate": candidate, **task}),
        capture_output=True,
        text=True,
    )
    if process.returncode:
        sys.exit(f"{candidate} failed:\n{process.stderr}")
    costs: dict[str, dict[str, float]] = json.loads(process.stdout)
    return costs


def table(results: dict[str, dict[str, dict[str, float]]]) -> str:
    lines = [f"{'':<24}{'':<22}{'HTTP':>6}{'reads':>7}{'writes':>8}{'CPU ms':>9}{'ratio':>8}"]
    for kind in KINDS:
        base = results["mozilla-django-oidc"][kind]["cpu_ms"]
        for candidate, costs in results.items():
            cost, label = costs[kind], kind if candidate == "logto_auth" else ""
            lines.append(
                f"{label:<24}{candidate:<22}{cost['http']:>6.0f}{cost['reads']:>7.0f}"
                f"{cost['writes']:>8.0f}{cost['cpu_ms']:>9.2f}{cost['cpu_ms'] / base:>8.2f}"
            )
    return "\n".join(lines)


def broken_promises(results: dict[str, dict[str, dict[str, float]]]) -> list[str]:
    """What `logto_auth` is to hold, and does not."""
    ours = results["logto_auth"]
    start, known, page = ours["start"], ours["callback, known user"], ours["page"]
    plain = results["mozilla-django-oidc"]["callback, known user"]
    promises = {
        "start: no request, at most 1 read and 1 write": start["http"] == 0
        and start["reads"] <= 1
        and start["writes"] <= 1,
        "callback: 1 request, at most 5 reads and 5 writes": known["http"] == 1
        and known["reads"] <= 5
        and known["writes"] <= 5,
        "page: no request, 2 reads": page["http"] == 0 and page["reads"] <= 2,
        "callback: no more CPU time than the plain base class": known["cpu_ms"] <= plain["cpu_ms"],
    }
    return [promise for promise, kept in promises.items() if not kept]


def main() -> None:
    with run_in_thread() as emulator:
        usernames = [f"reader{number}" for number in range(ROUNDS + 1)]
        for username in usernames:
            emulator.tenant.add_user(
                username=username, password=f"{username}-password", primary_email=f"{username}@example.com"
            )
        application = emulator.tenant.add_application(
            name="Benchmark", type="Traditional", redirect_uris=[SITE + path for path in CALLBACK.values()]
        )
        logto = {"endpoint": emulator.endpoint, "app_id": application.id, "app_secret": application.secret}
        task = {"logto": logto, "usernames": usernames, "rounds": ROUNDS}
        results = {candidate: run(candidate, task) for candidate in CALLBACK}
    print(table(results))
    print("\nMedians; the ratio is CPU time beside plain mozilla-django-oidc in this very run.")
    broken = broken_promises(results)
    if broken:
        sys.exit("Not held: " + "; ".join(broken))
    print("All promises held.")


if __name__ == "__main__":
    main()
