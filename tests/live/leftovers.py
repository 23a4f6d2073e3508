"""Leave a tenant as it was found: remove what a run has made, and restore the sign-in experience."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .tenant_api import TenantAPI

# A username and a password, as in a tenant that Logto has just created. These are the parts that journeys rely on.
# One part differs: Logto looks up leaked passwords at a service on the internet, which a test server need not reach.
DEFAULT_SIGN_IN: dict[str, Any] = {
    "signInMode": "SignInAndRegister",
    "signUp": {"identifiers": ["username"], "password": True, "verify": False},
    "signIn": {
        "methods": [{"identifier": "username", "password": True, "verificationCode": False, "isPasswordPrimary": True}]
    },
    "passwordPolicy": {
        "length": {"min": 8, "max": 256},
        "characterTypes": {"min": 1},
        "rejects": {"pwned": False, "repetitionAndSequence": True, "userInfo": True, "words": []},
    },
}
# What journeys change by commands.
CHANGED_BY_COMMANDS = ("socialSignInConnectorTargets",)
# A path, and the member whose value begins with the run's id. Objects come before what they refer to.
KINDS = (
    ("hooks", "name"),
    ("one-time-tokens", "email"),
    ("organizations", "name"),
    ("users", "username"),
    ("users", "primaryEmail"),
    ("roles", "name"),
    ("organization-roles", "name"),
    ("organization-scopes", "name"),
    ("resources", "name"),
    ("applications", "name"),
)
OLD_SECONDS = 3600
SNAPSHOTS = Path(__file__).parents[2] / "build" / "live"


def remove_all(api: TenantAPI, prefix: str) -> None:
    """Remove all objects whose names begin with the prefix. One that cannot be removed does not keep the others."""
    problems = []
    for path, member in KINDS:
        for each in _named(api, path, member, prefix):
            try:
                api.delete(f"{path}/{each['id']}")
            except AssertionError as error:
                problems.append(str(error))
    assert not problems, "\n".join(problems)


def remove_old_runs(api: TenantAPI) -> None:
    """Remove what runs have left that were killed more than an hour ago."""
    runs = set()
    for path, member in KINDS:
        for each in _named(api, path, member, "live_"):
            if match := re.match(r"live_([0-9a-f]{11})(?![0-9a-f])", each[member]):
                runs.add(match[1])
    for run in runs:
        if int(run, 16) / 1000 < time.time() - OLD_SECONDS:
            remove_all(api, f"live_{run}")


@contextmanager
def kept_sign_in_experience(api: TenantAPI) -> Iterator[None]:
    """Let users sign in with username and password, and restore the sign-in experience at the end.

    A file has the former state until then. If the process is killed, the next run restores it.
    """
    file = SNAPSHOTS / f"{urlsplit(api.endpoint).netloc.replace(':', '-')}.json"
    if file.exists():
        api.patch("sign-in-exp", json.loads(file.read_text()))
        file.unlink()
    found = api.get("sign-in-exp")
    before = {name: found[name] for name in (*DEFAULT_SIGN_IN, *CHANGED_BY_COMMANDS)}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(before))
    try:
        if {name: found[name] for name in DEFAULT_SIGN_IN} != DEFAULT_SIGN_IN:
            api.patch("sign-in-exp", DEFAULT_SIGN_IN)
        yield
    finally:
        if {name: value for name, value in api.get("sign-in-exp").items() if name in before} != before:
            api.patch("sign-in-exp", before)
        file.unlink()


def _named(api: TenantAPI, path: str, member: str, prefix: str) -> list[dict[str, Any]]:
    query = {"search": f"{prefix}%"} if path == "users" else {}
    return [each for each in api.all(path, **query) if str(each.get(member) or "").startswith(prefix)]
