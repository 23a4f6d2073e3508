"""What the tests read from the audit trail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connection

from logto_auth.audit.models import AuditEvent

AGENT = "Mozilla/5.0 (tests)"


def actions() -> list[str]:
    """Return the actions of all events, in their order."""
    return list(AuditEvent.objects.order_by("id").values_list("action", flat=True))


def only(action: str) -> AuditEvent:
    """Return the only event with this action."""
    return AuditEvent.objects.get(action=action)


def forget() -> None:
    """Delete all events."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM logto_audit_auditevent")


def key_of(username: str) -> str:
    return str(get_user_model().objects.get(username=username).pk)


def people(event: AuditEvent) -> tuple[str, str]:
    """Return the primary keys of the actor and of the user."""
    return event.actor_id, event.user_id


@contextmanager
def refused(table: str) -> Iterator[None]:
    """Let the database refuse each row of a table of the audit trail."""

    def refuse(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        return execute(sql.replace(table, "logto_audit_missing"), params, many, context)

    with connection.execute_wrapper(refuse):
        yield


@contextmanager
def written() -> Iterator[list[str]]:
    """Fill a list with the statements that write to the audit trail."""
    statements: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "logto_audit" in sql and not sql.startswith("SELECT"):
            statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield statements
