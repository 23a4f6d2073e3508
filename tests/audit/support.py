"""Make an audit trail, attack it with SQL, and look at what `manage.py logto_audit` says."""

from __future__ import annotations

import io
import sys
from typing import Any
from unittest import mock

from django.core.management import CommandError, call_command
from django.db import connection

from logto_auth.audit.models import AuditEvent, AuditSeal
from logto_auth.audit.recording import build_event
from logto_auth.audit.sealing import seal_events

EVENTS = AuditEvent._meta.db_table
SEALS = AuditSeal._meta.db_table


def record(count: int, **values: Any) -> list[int]:
    """Record events with one query, and return their ids."""
    AuditEvent.objects.record(build_event("shop.sold", details={"n": n}, **values) for n in range(count))
    return list(AuditEvent.objects.order_by("-pk").values_list("pk", flat=True)[:count])[::-1]


def seal(batch_size: int = 10) -> list[AuditSeal]:
    """Seal all events."""
    return list(seal_events(delay=0, batch_size=batch_size))


def sql(statement: str, *values: Any) -> int:
    """Change rows as somebody who knows the password of the database; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def column(name: str) -> str:
    """Return the name of a column for a statement."""
    return connection.ops.quote_name(name)


def audit(*arguments: str, stdin: str = "") -> tuple[str, str]:
    """Run `manage.py logto_audit`; return what it prints, and its error or ""."""
    out = io.StringIO()
    with mock.patch.object(sys, "stdin", io.StringIO(stdin)):
        try:
            call_command("logto_audit", *arguments, stdout=out, stderr=out, no_color=True)
        except CommandError as error:
            return out.getvalue(), str(error)
    return out.getvalue(), ""


def problems(*arguments: str) -> list[str]:
    """Return the sentences that `verify` prints about problems."""
    out, error = audit("verify", *arguments)
    lines = out.splitlines()
    found = lines[: next(number for number, line in enumerate(lines) if line.startswith("Events: "))]
    assert bool(found) == bool(error)
    return found
