"""Measure `logto_sync` in its own process: `python -m bench.sync`, with the task as JSON on standard input."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import django
import psycopg
from django.conf import settings as django_settings

from . import sites

USERS = 100_000
# Enough for the rate of the naive loop and for the memory of a process that has loaded everything.
FEW = 1_000
CREATING, AGAIN, CHANGED = "everybody new", "nothing changed", "everybody changed"
KINDS = (CREATING, AGAIN, CHANGED)


class Meter:
    """Counts requests to Logto and SQL statements while something runs."""

    def __init__(self) -> None:
        from logto_auth.management_api import ManagementAPI

        self.http_seconds = 0.0
        self.statements = 0
        request = ManagementAPI.request

        def timed_request(*args: Any, **options: Any) -> Any:
            before = time.perf_counter()
            try:
                return request(*args, **options)
            finally:
                self.http_seconds += time.perf_counter() - before

        ManagementAPI.request = timed_request

    def measure(self, call: Callable[[], object]) -> dict[str, float]:
        """Return the seconds, the seconds without waiting for Logto, and the number of statements."""
        from django.db import connection

        self.http_seconds, self.statements = 0.0, 0
        before = time.perf_counter()
        with connection.execute_wrapper(self._count):
            call()
        seconds = time.perf_counter() - before
        return {"seconds": seconds, "own_seconds": seconds - self.http_seconds, "statements": self.statements}

    def _count(self, execute: Callable[..., Any], *args: Any) -> Any:
        self.statements += 1
        return execute(*args)


def sync() -> None:
    from django.core.management import call_command

    call_command("logto_sync", "--create", stdout=sys.stderr)


def naive_sync() -> None:
    """Sync 1,000 users in the obvious way: one by one with Django's `update_or_create`, with all roles in memory."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group

    from logto_auth.clients import management_api
    from logto_auth.conf import conf
    from logto_auth.models import LogtoIdentity, make_digest

    api, roles = management_api(), defaultdict(list)
    for role in api.roles.all(type="User"):
        for user in api.roles.users(role["id"]):
            roles[user["id"]].append(role["name"])
    for user in islice(api.users.all(), FEW):
        account, _ = get_user_model().objects.update_or_create(
            username=user["username"], defaults={"email": user["primaryEmail"], "first_name": user["name"]}
        )
        LogtoIdentity.objects.update_or_create(
            digest=make_digest(conf.issuer, user["id"]),
            defaults={"issuer": conf.issuer, "sub": user["id"], "user": account, "roles": sorted(roles[user["id"]])},
        )
        groups = [conf.groups_by_role[name] for name in roles[user["id"]] if name in conf.groups_by_role]
        account.groups.set([Group.objects.get_or_create(name=name)[0] for name in groups])


def main() -> None:
    task = json.load(sys.stdin)
    settings = sites.settings("logto_auth", **task["logto"])
    settings |= {
        "DATABASES": {"default": database(task["database"])},
        "LOGTO_SCOPES": ("openid", "profile", "email", "roles"),
        "LOGTO_GROUPS_BY_ROLE": {"editor": "Editors"},
        **task["machine"],
    }
    django_settings.configure(**settings)
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    costs = Meter().measure({"sync": sync, "naive": naive_sync}[task["how"]])
    json.dump({**costs, "peak_mib": peak_mib()}, sys.stdout)


def peak_mib() -> float:
    """Return the peak memory of this process in MiB.

    On Linux ru_maxrss starts with the value of the parent, whose emulator holds all users.
    """
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def database(name: str) -> dict[str, Any]:
    """Return Django's settings for a database of the local PostgreSQL."""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "HOST": os.environ.get("PGHOST", "127.0.0.1"),
        "USER": os.environ.get("PGUSER", "postgres"),
        "PASSWORD": os.environ.get("PGPASSWORD", ""),
    }


def connect() -> psycopg.Connection[Any]:
    """Return a connection to the local PostgreSQL for creating databases."""
    there = database("postgres")
    return psycopg.connect(
        dbname=there["NAME"], host=there["HOST"], user=there["USER"], password=there["PASSWORD"], autocommit=True
    )


if __name__ == "__main__":
    main()
