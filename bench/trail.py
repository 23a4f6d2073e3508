"""What the audit trail adds to a callback: in one process, with sign-ins that are recorded and not recorded in turn."""

from __future__ import annotations

import json
import sys
from typing import Any

import django
from django.conf import settings as django_settings

from . import sites
from .candidate import Costs, Meter

WITHOUT, WITH = "callback, no audit trail", "callback, recorded in the audit trail"


def settings(logto: dict[str, str]) -> dict[str, Any]:
    """Return Django's settings: those of the candidate, with the audit trail."""
    own = sites.settings("logto_auth", **logto)
    return {**own, "INSTALLED_APPS": [*own["INSTALLED_APPS"], "logto_auth.audit"]}


def measure(endpoint: str, usernames: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Return the costs of the callback of a known user. Half of the rounds are counted and half are timed."""
    from django.test import Client

    from logto_auth.audit.apps import connect_receivers, disconnect_receivers
    from logto_auth.emulator import Visitor

    meter = Meter()
    costs = {WITHOUT: Costs(), WITH: Costs()}

    def sign_in(username: str, kind: str, *, is_timed: bool) -> None:
        (connect_receivers if kind == WITH else disconnect_receivers)()
        client, visitor = Client(), Visitor(endpoint)
        start = client.get(sites.START["logto_auth"])
        callback = visitor.sign_in(start["Location"], username, f"{username}-password")
        take = meter.time if is_timed else meter.measure
        answer = take(costs[kind], lambda: client.get(callback.removeprefix(sites.SITE)))
        assert answer.status_code == 302, answer.content
        visitor.close()

    username = usernames[0]
    # The first rounds create the account and warm up the process.
    for number in range(-5, rounds):
        if number == 0:
            costs.update({kind: Costs() for kind in costs})
        # The order alternates, because the garbage of the first one may be collected in the second.
        for kind in (WITHOUT, WITH)[:: 1 if number // 2 % 2 else -1]:
            sign_in(username, kind, is_timed=number % 2 == 0)
    return {kind: cost.medians() for kind, cost in costs.items()}


def table(costs: dict[str, dict[str, float]]) -> str:
    """Format the costs; the ratio is to the callback without the audit trail."""
    lines = [f"{'':<46}{'reads':>7}{'writes':>8}{'CPU ms':>9}{'ratio':>8}"]
    for kind, cost in costs.items():
        ratio = cost["cpu_ms"] / costs[WITHOUT]["cpu_ms"]
        lines.append(f"{kind:<46}{cost['reads']:>7.0f}{cost['writes']:>8.0f}{cost['cpu_ms']:>9.2f}{ratio:>8.2f}")
    return "\n".join(lines)


def limits(costs: dict[str, dict[str, float]]) -> dict[str, bool]:
    """Return the limits, and whether each is met."""
    plain, recorded = costs[WITHOUT], costs[WITH]
    return {
        "audit trail: one write and no read more for a sign-in": recorded["writes"] == plain["writes"] + 1
        and recorded["reads"] == plain["reads"],
        # Most of it is Django's `bulk_create`. A statement written by hand would halve it, and would have to know how
        # each database returns the id.
        "audit trail: at most 1.25 of the CPU time of a callback": recorded["cpu_ms"] <= 1.25 * plain["cpu_ms"],
    }


def main() -> None:
    task = json.load(sys.stdin)
    django_settings.configure(**settings(task["logto"]))
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    json.dump(measure(task["logto"]["endpoint"], task["usernames"], task["rounds"]), sys.stdout)


if __name__ == "__main__":
    main()
