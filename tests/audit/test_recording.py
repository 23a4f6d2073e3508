"""Recording events: what a row contains, and that each database stores it as it is."""

from __future__ import annotations

from typing import Any

import pytest

from logto_auth.audit import record_event
from logto_auth.audit.models import AuditEvent

pytestmark = pytest.mark.django_db


def test_row_is_read_as_it_was_written(rf: Any, admin_user: Any) -> None:
    request = rf.get("/", headers={"User-Agent": "x\x00\ud800"})
    event = record_event("shop.refund", request, actor=admin_user, details={"text": "\x00\ud800あ😀"})
    row = AuditEvent.objects.get()
    assert event is not None
    assert row.digested() == event.digested()
    assert row.actor_data == event.actor_data
    assert row.details == {"text": "\x00\ud800あ😀"}
