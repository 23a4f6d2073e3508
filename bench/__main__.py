"""Runs all candidates against one emulator, prints them side by side, and fails when a promise is not kept."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from logto_auth.emulator import Emulator, run_in_thread

from . import sessions
from .sites import CALLBACK, SITE

ROUNDS = 60
KINDS = ("start", "callback, known user", "callback, new user", "page")


def run(module: str, task: dict[str, Any]) -> dict[str, dict[str, float]]:
    """What `module` measures in a process of its own: costs by kind of request."""
    process = subprocess.run([sys.executable, "-m", module], input=json.dumps(task), capture_output=True, text=True)
    if process.returncode:
        sys.exit(f"{task.get('candidate', module)} failed:\n{process.stderr}")
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


def sessions_table(costs: dict[str, dict[str, float]]) -> str:
    """The costs of living sessions; each ratio is to the first of its group."""
    bases = {
        sessions.WITHOUT: sessions.WITHOUT,
        sessions.WITH: sessions.WITHOUT,
        sessions.REFRESH: sessions.WITHOUT,
        sessions.FEW: sessions.FEW,
        sessions.MANY: sessions.FEW,
    }
    lines = [f"{'':<46}{'HTTP':>6}{'reads':>7}{'writes':>8}{'CPU ms':>9}{'ratio':>8}"]
    for kind, base in bases.items():
        cost = costs[kind]
        lines.append(
            f"{kind:<46}{cost['http']:>6.0f}{cost['reads']:>7.0f}{cost['writes']:>8.0f}"
            f"{cost['cpu_ms']:>9.2f}{cost['cpu_ms'] / costs[base]['cpu_ms']:>8.2f}"
        )
    microseconds = 1000 * (costs[sessions.WITH]["cpu_ms"] - costs[sessions.WITHOUT]["cpu_ms"])
    return "\n".join([*lines, f"\nLogtoMiddleware costs a signed-in page {microseconds:.0f} microseconds."])


def broken_promises_of_sessions(costs: dict[str, dict[str, float]]) -> list[str]:
    """What living sessions are to cost at most, and do not."""
    page, plain, refresh = costs[sessions.WITH], costs[sessions.WITHOUT], costs[sessions.REFRESH]
    few, many = costs[sessions.FEW], costs[sessions.MANY]
    promises = {
        "signed-in page: no request, Django's own 2 reads and no more": page["http"] == 0
        and page["reads"] == plain["reads"] <= 2
        and page["writes"] == plain["writes"],
        "refresh: 1 request": refresh["http"] == 1,
        "back-channel logout: no request, as many queries with 10,000 live sessions as with 10": many["http"] == 0
        and (many["reads"], many["writes"]) == (few["reads"], few["writes"]),
    }
    return [promise for promise, kept in promises.items() if not kept]


def logout_tokens(emulator: Emulator, client_id: str, sub: str) -> list[tuple[str, str]]:
    """Back-channel logout tokens, each with the `sid` that it names."""
    claims = {
        "iss": emulator.issuer,
        "aud": client_id,
        "sub": sub,
        "iat": int(time.time()),
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
    }
    sids = [f"sid-{number}" for number in range(ROUNDS)]
    return [(sid, emulator.sign({**claims, "sid": sid, "jti": sid}, header={"typ": "logout+jwt"})) for sid in sids]


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
        results = {candidate: run("bench.candidate", {"candidate": candidate, **task}) for candidate in CALLBACK}
        sub = next(iter(emulator.tenant.users))
        tokens = logout_tokens(emulator, application.id, sub)
        costs = run("bench.sessions", {"logto": logto, "username": usernames[0], "sub": sub, "logout_tokens": tokens})
    print(table(results))
    print("\nMedians; the ratio is CPU time beside plain mozilla-django-oidc in this very run.\n")
    print(sessions_table(costs))
    broken = [*broken_promises(results), *broken_promises_of_sessions(costs)]
    if broken:
        sys.exit("Not held: " + "; ".join(broken))
    print("All promises held.")


if __name__ == "__main__":
    main()
