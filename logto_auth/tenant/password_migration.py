"""The part of a plan about the script with which Logto asks the site for passwords (decision 0055).

Logto has one script for all failed sign-ins with a password, so one of another origin is neither replaced nor removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from logto_auth.exceptions import ConfigurationError, ManagementAPIError
from logto_auth.management_api import ManagementAPI
from logto_auth.oidc.secrets import Secret

from .steps import Difference, Step, change_step, creation_step, exact_difference

if TYPE_CHECKING:
    from .declaration import TenantDeclaration

__all__ = [
    "ACTION",
    "MIN_KEY_LENGTH",
    "PASSWORD_MIGRATION",
    "VERSION",
    "StoredAction",
    "password_migration_steps",
    "script",
    "stored_action",
]

ACTION: Final = "action.postFirstFactorVerification"
PASSWORD_MIGRATION: Final = "script for passwords"  # noqa: S105 - a kind of step
NAME: Final = "of failed sign-ins of the tenant"
MARKER = re.compile(r"\s*//[ \t]*logto_auth:[ \t]*password migration,[ \t]*version[ \t]+(\d{1,9})[ \t]*(?:\r?\n|\Z)")
# Logto refuses the sign-in in either case. "block" is what it does by default, and what this means.
POLICY: Final = "block"
# A shorter key could be guessed from one recorded call.
MIN_KEY_LENGTH: Final = 32


@dataclass(frozen=True)
class StoredAction:
    """The script that the tenant has for failed sign-ins with a password."""

    script: str
    url: str
    key: Secret
    is_enabled: bool
    policy: str

    @property
    def version(self) -> int | None:
        """The version of our script; None if the script is not ours."""
        found = MARKER.match(self.script)
        return int(found[1]) if found else None

    @property
    def is_ours(self) -> bool:
        """Whether `logto_setup` has installed it, of this site or of another one of the tenant."""
        return self.version is not None


def stored_action(api: ManagementAPI) -> StoredAction | None:
    """Return the script of the tenant, or None. Raise ManagementAPIError.

    Raise ConfigurationError if this Logto has no Actions.
    """
    try:
        stored: Any = api.actions.get(ACTION)
    except ManagementAPIError as error:
        if error.status != 404:
            raise
        if not error.is_not_found:
            raise ConfigurationError(
                f"The Logto at {api.base_url} has no Actions, which password_migration needs. Update Logto to 1.42 or "
                "newer, or remove password_migration from the declaration."
            ) from error
        return None
    variables = stored.get("environmentVariables") or {}
    return StoredAction(
        script=stored["script"],
        url=variables.get("URL", ""),
        key=Secret(variables.get("KEY", "")),
        is_enabled=stored.get("enabled", False),
        policy=stored.get("onExecutionError", POLICY),
    )


def password_migration_steps(api: ManagementAPI, declaration: TenantDeclaration) -> Iterator[Step]:
    """Yield the step that installs, repairs or removes the script. None if the declaration says nothing of it.

    Raise ConfigurationError if the script cannot be installed: this Logto has no Actions, the tenant has a script of
    another origin, or the site has no URL or no key for it. Raise ManagementAPIError.
    """
    if declaration.password_migration is None:
        return
    if not declaration.password_migration:
        yield _removal(api)
        return
    url, key = declaration.password_migration_url, declaration.password_migration_key
    if not url:
        raise ConfigurationError(
            "password_migration is declared, but Logto cannot call this site. Add "
            'path("", include("logto_auth.password_migration.urls")) to the URLs of the site, and serve it at a URL '
            "that Logto can reach."
        )
    if key is None:
        raise ConfigurationError(
            "password_migration is declared, but LOGTO_PASSWORD_MIGRATION_KEY is not set, or has fewer than "
            f"{MIN_KEY_LENGTH} characters. Set it to a random text, such as that of: "
            "python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    yield _installation(api, url, key)


def _installation(api: ManagementAPI, url: str, key: Secret) -> Step:
    def send() -> None:
        # Another team may have stored a script since the plan was made.
        _own(api)
        api.actions.set(
            ACTION,
            {
                "script": script(),
                "environmentVariables": {"URL": url, "KEY": key.reveal()},
                "enabled": True,
                "onExecutionError": POLICY,
            },
        )

    stored = _own(api)
    if stored is None:
        return creation_step(PASSWORD_MIGRATION, NAME, {"version": VERSION, "url": url}, send)
    return change_step(PASSWORD_MIGRATION, NAME, _differences(stored, url, key), send)


def _differences(stored: StoredAction, url: str, key: Secret) -> Iterator[Difference | None]:
    if stored.script != script():
        edited = ", edited" if stored.version == VERSION else ""
        yield Difference("version", f"{stored.version}{edited}", str(VERSION))
    yield exact_difference("url", stored.url, url)
    if stored.key != key:
        yield Difference("key", "another one", "that of LOGTO_PASSWORD_MIGRATION_KEY")
    yield exact_difference("enabled", stored.is_enabled, True)
    yield exact_difference("on error", stored.policy, POLICY)


def _removal(api: ManagementAPI) -> Step:
    def send() -> None:
        if (stored := stored_action(api)) is not None and stored.is_ours:
            api.actions.delete(ACTION)

    try:
        stored = stored_action(api)
    except ConfigurationError:
        # A Logto without Actions has no script either.
        stored = None
    is_there = stored is not None and stored.is_ours
    return change_step(PASSWORD_MIGRATION, NAME, [exact_difference("installed", is_there, False)], send)


def _own(api: ManagementAPI) -> StoredAction | None:
    """Return our script, or None if the tenant has none. Raise ConfigurationError for one of another origin."""
    stored = stored_action(api)
    if stored is not None and not stored.is_ours:
        raise ConfigurationError(
            "The tenant has another script for failed sign-ins with a password (the action "
            f"{ACTION}). A tenant has only one, so it is not replaced. Remove it in the Logto Console, or let it "
            "call the endpoint of this site itself: see docs/how-to/password-migration.md."
        )
    return stored


@cache
def script() -> str:
    """Return the script. Its first line has its version."""
    return (files("logto_auth.tenant") / "password_migration.js").read_text(encoding="utf-8")


def _version() -> int:
    found = MARKER.match(script())
    assert found is not None
    return int(found[1])


VERSION: Final = _version()
