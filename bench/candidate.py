"""Measure one candidate in its own process: `python -m bench.candidate`, with the task as JSON on standard input."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import django
import requests
from django.conf import settings as django_settings

from . import sites


@dataclass
class Costs:
    """The costs of one kind of request."""

    http: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def medians(self) -> dict[str, float]:
        return {name: statistics.median(values) for name, values in asdict(self).items()}


class Meter:
    """Counts outbound requests and SQL queries, and measures the CPU time of this thread.

    `distance_seconds` is how much longer each request takes than to the emulator on this machine.
    """

    def __init__(self) -> None:
        self.http = 0
        self.distance_seconds = 0.0
        send = requests.adapters.HTTPAdapter.send

        def counting_send(*args: Any, **kwargs: Any) -> Any:
            self.http += 1
            time.sleep(self.distance_seconds)
            return send(*args, **kwargs)

        requests.adapters.HTTPAdapter.send = counting_send

    def measure(self, costs: Costs, call: Callable[[], Any]) -> Any:
        """Return the result of `call`; add its counts to `costs`."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        http = self.http
        with CaptureQueriesContext(connection) as queries:
            result = call()
        costs.http.append(self.http - http)
        words = [query["sql"].split(None, 1)[0].upper() for query in queries]
        costs.reads.append(words.count("SELECT"))
        costs.writes.append(sum(words.count(word) for word in ("INSERT", "UPDATE", "DELETE")))
        return result

    def time(self, costs: Costs, call: Callable[[], Any]) -> Any:
        """Return the result of `call`; add its CPU time to `costs`."""
        before = time.thread_time()
        result = call()
        costs.cpu_ms.append((time.thread_time() - before) * 1000)
        return result


def measure(candidate: str, endpoint: str, usernames: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Return the costs by kind of request. Half of the rounds are counted and half are timed: counting takes time."""
    from django.test import Client

    from logto_auth.emulator import Visitor

    meter = Meter()
    costs = {kind: Costs() for kind in ("start", "callback, new user", "callback, known user", "page")}

    def journey(username: str, callback_kind: str, take: Callable[[Costs, Callable[[], Any]], Any]) -> None:
        client, visitor = Client(), Visitor(endpoint)
        start = take(costs["start"], lambda: client.get(sites.START[candidate]))
        callback = visitor.sign_in(start["Location"], username, f"{username}-password")
        path = callback.removeprefix(sites.SITE)
        answer = take(costs[callback_kind], lambda: client.get(path))
        assert answer.status_code == 302, answer.content
        page = take(costs["page"], lambda: client.get("/"))
        assert page.content != b"hello AnonymousUser", callback_kind
        visitor.close()

    # The first round warms up the process and is not counted.
    warm_up, *others = usernames
    journey(warm_up, "callback, new user", meter.measure)
    costs.update({kind: Costs() for kind in costs})
    for number in range(rounds):
        take = meter.measure if number % 2 else meter.time
        journey(others[number], "callback, new user", take)
        journey(others[number], "callback, known user", take)
    return {kind: cost.medians() for kind, cost in costs.items()}


def main() -> None:
    task = json.load(sys.stdin)
    django_settings.configure(**sites.settings(task["candidate"], **task["logto"]))
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    json.dump(measure(task["candidate"], task["logto"]["endpoint"], task["usernames"], task["rounds"]), sys.stdout)


if __name__ == "__main__":
    main()
