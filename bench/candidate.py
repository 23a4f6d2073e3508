"""Measures one candidate, in its own process: `python -m bench.candidate`, with its task as JSON on standard input."""

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
    """What the requests of one kind cost."""

    http: list[int] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    writes: list[int] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def medians(self) -> dict[str, float]:
        return {name: statistics.median(values) for name, values in asdict(self).items()}


class Meter:
    """Counts outbound requests and SQL, and takes the time of this thread.

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
        """The result of `call`, with what it cost added to `costs`."""
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
        """The result of `call`, with the CPU time it took added to `costs`."""
        before = time.thread_time()
        result = call()
        costs.cpu_ms.append((time.thread_time() - before) * 1000)
        return result


def measure(candidate: str, endpoint: str, usernames: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Costs by kind of request. Half of the rounds are counted, half are timed: counting takes time too."""
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

    # The first journey warms up what a process does once, and is not counted.
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
