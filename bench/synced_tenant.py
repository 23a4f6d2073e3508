"""The tenant that is synced, the runs of `bench.sync`, and their limits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from logto_auth.emulator import Emulator

from .sync import CHANGED, FEW, KINDS, USERS, connect

Costs = dict[str, dict[str, float]]
NAIVE, FLAT, BULK = "update_or_create", f"logto_sync of {FEW:,}", f"logto_sync of {USERS:,}"
SIZES = {NAIVE: FEW, FLAT: FEW, BULK: USERS}
ROLE = "Logto Management API access"


def measure(emulator: Emulator, logto: dict[str, str], run: Callable[[str, dict[str, Any]], Any]) -> dict[str, Costs]:
    """Return the costs by method and by what changed at Logto before."""
    machine = emulator.tenant.add_application(name="Sync", type="MachineToMachine", roles=[ROLE])
    task = {
        "logto": logto,
        "machine": {"LOGTO_M2M_APP_ID": machine.id, "LOGTO_M2M_APP_SECRET": machine.secret},
    }
    results: dict[str, Costs] = {label: {} for label in SIZES}
    for users, labels in ((USERS, (NAIVE, BULK)), (FEW, (FLAT,))):
        fill(emulator, users)
        with databases(len(labels)) as names:
            for kind in KINDS:
                if kind == CHANGED:
                    change(emulator)
                # Run both in turn, because the load of the machine varies.
                for name, label in zip(names, labels, strict=True):
                    how = "naive" if label == NAIVE else "sync"
                    results[label][kind] = run("bench.sync", {**task, "database": name, "how": how})
    return results


@contextmanager
def databases(number: int) -> Iterator[list[str]]:
    """Create databases and drop them at the end."""
    names = [f"logto_auth_bench_{os.getpid()}_{each}" for each in range(number)]
    with connect() as server:
        try:
            for name in names:
                server.execute(f"CREATE DATABASE {name}")
            yield names
        finally:
            for name in names:
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def fill(emulator: Emulator, number: int) -> None:
    """Create `number` users, all with the role reader and every tenth with the role editor."""
    for sub in list(emulator.tenant.users):
        emulator.tenant.delete_user(sub)
    for role in ("reader", "editor"):
        if emulator.tenant.find_role(role) is None:
            emulator.tenant.add_role(role)
    for each in range(number):
        emulator.tenant.add_user(
            username=f"reader{each}",
            primary_email=f"reader{each}@example.com",
            name=f"Reader {each}",
            roles=["reader", "editor"] if each % 10 == 0 else ["reader"],
        )


def change(emulator: Emulator) -> None:
    """Change the e-mail and the name of every user."""
    for user in list(emulator.tenant.users.values()):
        emulator.tenant.update_user(user.id, primary_email=f"new-{user.primary_email}", name=f"New {user.name}")


def rate(results: dict[str, Costs], label: str, kind: str) -> float:
    """Return users per second, without the time of waiting for Logto."""
    return SIZES[label] / results[label][kind]["own_seconds"]


def table(results: dict[str, Costs]) -> str:
    lines = [f"{'':<20}{'':<24}{'users/s':>9}{'without HTTP':>14}{'ratio':>8}{'SQL per 1,000':>15}{'peak MiB':>10}"]
    for kind in KINDS:
        for label, size in SIZES.items():
            cost, own = results[label][kind], rate(results, label, kind)
            statements, ratio = 1000 * cost["statements"] / size, own / rate(results, NAIVE, kind)
            lines.append(
                f"{kind if label == NAIVE else '':<20}{label:<24}{size / cost['seconds']:>9,.0f}{own:>14,.0f}"
                f"{ratio:>8.1f}{statements:>15,.0f}{cost['peak_mib']:>10.1f}"
            )
    return "\n".join(lines)


def limits(results: dict[str, Costs]) -> dict[str, bool]:
    """Return the limits for `logto_sync`, and whether each is met."""
    return {
        "logto_sync: at least 10 times the users per second of update_or_create, without HTTP": all(
            rate(results, BULK, kind) >= 10 * rate(results, NAIVE, kind) for kind in KINDS
        ),
        f"logto_sync: memory flat from {FEW:,} to {USERS:,} users": all(
            results[BULK][kind]["peak_mib"] - results[FLAT][kind]["peak_mib"] <= 8 for kind in KINDS
        ),
    }
