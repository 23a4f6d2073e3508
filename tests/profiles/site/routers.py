"""Database routers of two profiles."""

from __future__ import annotations

from typing import Any

from django.db import connections

ACCOUNT_APPS = {
    "admin",
    "auth",
    "contenttypes",
    "sessions",
    "logto_auth",
    "logto_audit",
    "soft_deletion",
    "email_users",
}
PRIMARY_APPS = {"admin", "auth", "contenttypes", "sessions"}


class AccountsRouter:
    """Users, sessions and our tables are in `accounts`."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "accounts" if model._meta.app_label in ACCOUNT_APPS else "default"

    db_for_write = db_for_read

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool:
        return self.db_for_read(type(first)) == self.db_for_read(type(second))

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return (db == "accounts") == (app_label in ACCOUNT_APPS)


class ReplicaRouter:
    """Reads go to `replica`, except for the apps that this site knows to be read right after a write."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        return "default" if model._meta.app_label in PRIMARY_APPS else "replica"

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return "default"

    def allow_relation(self, first: Any, second: Any, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        return db == "default"


def replicate() -> None:
    """Copy the primary to the replica, if this site has one."""
    if "replica" not in connections:
        return
    for alias in ("default", "replica"):
        connections[alias].ensure_connection()
    connections["default"].connection.backup(connections["replica"].connection)
