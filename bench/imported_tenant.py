"""The runs of `bench.importing`, and their limit. `python -m bench.imported_tenant` measures nothing else.

The emulator answers each request after 30 ms, as a Logto on another machine does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from logto_auth.emulator import Emulator, HttpFault, run_in_thread

from .synced_tenant import ROLE, databases

ACCOUNTS = 600
DELAY_SECONDS = 0.03
# One request at a time is what the command did before it had the option.
ONE, SEVERAL = "1 request at a time", "8 requests at once"
CONCURRENCY = {ONE: 1, SEVERAL: 8}

Costs = dict[str, dict[str, float]]


def measure(emulator: Emulator, logto: dict[str, str], run: Callable[[str, dict[str, Any]], Any]) -> Costs:
    """Return the costs by the number of simultaneous requests."""
    machine = emulator.tenant.add_application(name="Import", type="MachineToMachine", roles=[ROLE])
    credentials = {"LOGTO_M2M_APP_ID": machine.id, "LOGTO_M2M_APP_SECRET": machine.secret}
    costs: Costs = {}
    for label, concurrency in CONCURRENCY.items():
        for sub in list(emulator.tenant.users):
            emulator.tenant.delete_user(sub)
        emulator.faults.http["management_api"] = HttpFault(delay_seconds=DELAY_SECONDS)
        try:
            with databases(1) as (name,):
                task = {"logto": logto, "machine": credentials, "database": name, "concurrency": concurrency}
                task["accounts"] = ACCOUNTS
                costs[label] = run("bench.importing", task)
        finally:
            emulator.faults.clear()
    return costs


def table(costs: Costs) -> str:
    lines = [f"{'logto_import':<24}{'users/s':>9}{'ratio':>8}{'peak MiB':>10}"]
    for label, cost in costs.items():
        lines.append(f"{label:<24}{rate(cost):>9,.0f}{rate(cost) / rate(costs[ONE]):>8.1f}{cost['peak_mib']:>10.1f}")
    return "\n".join(lines)


def rate(cost: dict[str, float]) -> float:
    """Return users per second."""
    return ACCOUNTS / cost["seconds"]


def limits(costs: Costs) -> dict[str, bool]:
    """Return the limit for `logto_import`, and whether it is met."""
    text = "logto_import: 8 requests at once import at least 5 times the users per second of 1 request at a time"
    return {text: rate(costs[SEVERAL]) >= 5 * rate(costs[ONE])}


def main() -> None:
    """Measure and print this part of the benchmark only."""

    def run(module: str, task: dict[str, Any]) -> Any:
        command = [sys.executable, "-m", module]
        result = subprocess.run(command, input=json.dumps(task), stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(result.stdout)

    with run_in_thread() as emulator:
        application = emulator.tenant.add_application(name="Benchmark", type="Traditional", redirect_uris=[])
        logto = {"endpoint": emulator.endpoint, "app_id": application.id, "app_secret": application.secret}
        costs = measure(emulator, logto, run)
    print(table(costs))


if __name__ == "__main__":
    main()
