"""Leave a tenant as it was found: remove what a run has made, and restore the settings."""

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
# The settings that a run changes, by path. The lists name what journeys and their sites change in addition.
KEPT = {
    # A change of `mfa` may change the last one.
    "sign-in-exp": (*DEFAULT_SIGN_IN, "socialSignInConnectorTargets", "mfa", "adaptiveMfa"),
    "account-center": ("enabled", "fields", "webauthnRelatedOrigins", "deleteAccountUrl"),
}
# The script that adds claims to access tokens. The tenant has one, or none.
SCRIPT = "configs/jwt-customizer/access-token"
# The script for failed sign-ins with a password. Logto 1.41 has none.
ACTION = "configs/actions/action.postFirstFactorVerification"
# The lists in which they are, and their keys there.
LISTED = {
    SCRIPT: ("configs/jwt-customizer", "jwt.accessToken"),
    ACTION: ("configs/actions", "action.postFirstFactorVerification"),
}
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
def kept_settings(api: TenantAPI) -> Iterator[None]:
    """Let users sign in with username and password, and restore the settings of the tenant at the end.

    A file has the former state until then. If the process is killed, the next run restores it.
    """
    file = SNAPSHOTS / f"{urlsplit(api.endpoint).netloc.replace(':', '-')}.json"
    if file.exists():
        _restore(api, json.loads(file.read_text()))
        file.unlink()
    before = _kept(api)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(before))
    try:
        if {name: before["sign-in-exp"][name] for name in DEFAULT_SIGN_IN} != DEFAULT_SIGN_IN:
            api.patch("sign-in-exp", DEFAULT_SIGN_IN)
        yield
    finally:
        _restore(api, before)
        file.unlink()


def _restore(api: TenantAPI, before: dict[str, dict[str, Any]]) -> None:
    now = _kept(api)
    for path, values in before.items():
        if now.get(path) == values:
            continue
        if path in LISTED:
            api.put(path, values)
        else:
            api.patch(path, values)
    for path in LISTED:
        if path in now and path not in before:
            api.delete(path)


def _kept(api: TenantAPI) -> dict[str, dict[str, Any]]:
    """Return the present settings."""
    found = {path: api.get(path) for path in KEPT}
    # Not every version of Logto has all of them.
    kept = {path: {name: found[path][name] for name in names if name in found[path]} for path, names in KEPT.items()}
    for path, (list_path, key) in LISTED.items():
        scripts = {each["key"]: each["value"] for each in api.get_if_there(list_path) or []}
        if key in scripts:
            kept[path] = scripts[key]
    return kept


def _named(api: TenantAPI, path: str, member: str, prefix: str) -> list[dict[str, Any]]:
    query = {"search": f"{prefix}%"} if path == "users" else {}
    return [each for each in api.all(path, **query) if str(each.get(member) or "").startswith(prefix)]
