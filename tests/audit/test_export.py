"""`logto_audit export`: JSON lines."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from logto_auth.audit.erasing import erase_account
from logto_auth.audit.models import AuditEvent
from logto_auth.audit.recording import build_event

from .support import EVENTS, audit, record, seal, sql

pytestmark = pytest.mark.django_db


def exported(*arguments: str) -> list[dict[str, Any]]:
    out, error = audit("export", *arguments)
    assert error == ""
    return [json.loads(line) for line in out.splitlines()]


def test_line(admin_user: Any) -> None:
    [id] = record(1, user=admin_user, organization_id="org1")
    seal()
    event = AuditEvent.objects.get()
    assert exported() == [
        {
            "id": id,
            "at": event.at,
            "action": "shop.sold",
            "outcome": "success",
            "actor_id": "",
            "actor_sub": "",
            "actor_data": {},
            "user_id": str(admin_user.pk),
            "user_sub": "",
            "user_data": {"name": "admin", "email": "admin@example.com"},
            "organization_id": "org1",
            "details": {"n": 0},
            "digest": event.digest,
            "seal": 1,
        }
    ]


def test_erased_data_is_null(admin_user: Any) -> None:
    record(1, user=admin_user)
    erase_account(admin_user.pk)
    [line] = exported("--unsealed")
    assert (line["user_data"], line["actor_data"]) == (None, None)


def test_unsealed_events() -> None:
    record(2)
    seal()
    record(1)
    assert [line["seal"] for line in exported()] == [1, 1]
    assert [line["seal"] for line in exported("--unsealed")] == [1, 1, None]


@pytest.mark.parametrize("use_tz", [True, False])
def test_period_in_the_time_zone_of_the_site(settings: Any, use_tz: bool) -> None:
    settings.TIME_ZONE, settings.USE_TZ = "Asia/Tokyo", use_tz
    # In Tokyo it is the next day.
    event = build_event("shop.sold")
    event.at = datetime(2026, 11, 28, 15, 30, tzinfo=timezone.utc).timestamp()
    AuditEvent.objects.record([event])

    def found(*arguments: str) -> bool:
        return bool(exported("--unsealed", *arguments))

    assert found("--since", "2026-11-29")
    assert not found("--until", "2026-11-29")
    assert found("--since", "2026-11-29T00:30", "--until", "2026-11-29T00:31")
    assert not found("--until", "2026-11-29T00:30")
    assert found("--since", "2026-11-28T15:30+00:00")
    assert not found("--since", "2026-11-28T15:31+00:00")


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01", ""])
def test_wrong_time_is_refused(time: str) -> None:
    assert "expected a date or a time" in audit("export", "--since", time)[1]


def test_lines_are_ascii_and_survive_edited_rows() -> None:
    AuditEvent.objects.record([build_event("shop.sold", details={"text": "あ\u2028\r\n\x00"})])
    assert audit("export", "--unsealed")[0].isascii()
    assert len(exported("--unsealed")) == 1
    for text in ("[1]", "null", "{", '{"a":NaN}', '{"a":1e999}', "[" * 100_000):
        sql(f"UPDATE {EVENTS} SET details_json = %s, actor_json = %s", text, text)
        assert len(exported("--unsealed")) == 1
    sql(f"UPDATE {EVENTS} SET at = 1e300")
    assert len(exported("--unsealed")) == 1
    assert AuditEvent.objects.get().occurred_at is None
