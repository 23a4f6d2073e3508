"""The tenant that is synced, and the runs of `bench.sync` against it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from logto_auth.emulator import Emulator

from .sync import AGAIN, CHANGED, CREATING, FEW, PEOPLE, connect

Costs = dict[str, dict[str, float]]
ROLE = "Logto Management API access"


def measure(emulator: Emulator, logto: dict[str, str], run: Callable[[str, dict[str, Any]], Any]) -> dict[str, Costs]:
    """Costs by how many people are synced and how, and by what has happened at Logto before."""
    name = f"logto_auth_bench_{os.getpid()}"
    machine = emulator.tenant.add_application(name="Sync", type="MachineToMachine", roles=[ROLE])
    task = {
        "logto": logto,
        "database": name,
        "machine": {"LOGTO_M2M_APP_ID": machine.id, "LOGTO_M2M_APP_SECRET": machine.secret},
    }
    results = {}
    with connect() as server:
        for label, number, how in (("few", FEW, "sync"), ("naive", FEW, "naive"), ("many", PEOPLE, "sync")):
            fill(emulator, number)
            server.execute(f"CREATE DATABASE {name}")
            try:
                results[label] = {CREATING: run("bench.sync", {**task, "how": how})}
                results[label][AGAIN] = run("bench.sync", {**task, "how": how})
                change(emulator)
                results[label][CHANGED] = run("bench.sync", {**task, "how": how})
            finally:
                server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    return results


def fill(emulator: Emulator, number: int) -> None:
    """So many people, all of them readers and every tenth an editor."""
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
    """A new e-mail and a new name for everybody."""
    for user in list(emulator.tenant.users.values()):
        emulator.tenant.update_user(user.id, primary_email=f"new-{user.primary_email}", name=f"New {user.name}")
