"""Recording events: what a row contains, and that each database stores it as it is."""

from __future__ import annotations

import logging
import time
import uuid
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, transaction
from django.utils.translation import gettext_lazy

from logto_auth.audit import record_event
from logto_auth.audit.models import AuditEvent, RefusedSignIns
from logto_auth.audit.recording import build_event, write_events
from logto_auth.audit.signals import event_recorded

from .support import EVENTS, problems, record, seal, sql

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(django_user_model: Any) -> Any:
    return django_user_model.objects.create(username="staff", email="staff@shop.example")


@pytest.fixture
def reader(django_user_model: Any) -> Any:
    return django_user_model.objects.create(username="reader", email="reader@shop.example")


@pytest.fixture
def broken_table(transactional_db: None) -> Any:
    """The database refuses the rows: their table has another name."""
    sql(f"ALTER TABLE {EVENTS} RENAME TO elsewhere")
    yield
    sql(f"ALTER TABLE elsewhere RENAME TO {EVENTS}")


def test_event_of_two_people(rf: Any, staff: Any, reader: Any) -> None:
    request = rf.get("/", REMOTE_ADDR="192.0.2.7", headers={"User-Agent": "Firefox"})
    request.user = staff
    before = time.time()
    record_event("shop.refund", request, user=reader, organization_id="org1", details={"order": 7})
    event = AuditEvent.objects.get()
    assert before - 0.001 <= event.at <= time.time() + 0.001
    assert (event.action, event.outcome, event.organization_id) == ("shop.refund", "success", "org1")
    assert (event.actor_id, event.user_id) == (str(staff.pk), str(reader.pk))
    assert event.details == {"order": 7}
    assert event.actor_data == {
        "name": "staff",
        "email": "staff@shop.example",
        "ip_address": "192.0.2.7",
        "user_agent": "Firefox",
    }
    assert event.user_data == {"name": "reader", "email": "reader@shop.example"}


def test_actor_is_given(rf: Any, staff: Any, reader: Any) -> None:
    request = rf.get("/")
    request.user = reader
    event = build_event("shop.refund", request, actor=staff)
    assert event.actor_id == str(staff.pk)


def test_event_of_one_person_contains_them_once(reader: Any) -> None:
    event = build_event("shop.sold", actor=reader, user=reader)
    assert event.actor_data == {"name": "reader", "email": "reader@shop.example"}
    assert event.user_data == {}


def test_event_of_nobody() -> None:
    event = build_event("shop.opened")
    assert (event.actor_id, event.user_id, event.actor_data, event.user_data) == ("", "", {}, {})


def test_visitor_is_nobody_with_an_address(rf: Any) -> None:
    request = rf.get("/", REMOTE_ADDR="2001:db8::1")
    request.user = AnonymousUser()
    event = build_event("shop.asked", request)
    assert (event.actor_id, event.actor_data) == ("", {"ip_address": "2001:db8::1"})


@pytest.mark.parametrize("address", ["", "unix:", "192.0.2.7, 192.0.2.8", "\x00"])
def test_address_that_is_none_is_left_out(rf: Any, address: str) -> None:
    assert build_event("shop.asked", rf.get("/", REMOTE_ADDR=address)).actor_data == {}


def test_forwarded_header_is_ignored(rf: Any) -> None:
    request = rf.get("/", REMOTE_ADDR="192.0.2.7", headers={"X-Forwarded-For": "203.0.113.9"})
    assert build_event("shop.asked", request).actor_data == {"ip_address": "192.0.2.7"}


@pytest.mark.parametrize("browser", ["x\x00\ud800y", "\udfff", "あ😀", "x" * 100_000, '"}{', "\u2028\r\n"])
def test_any_browser_is_stored(rf: Any, browser: str) -> None:
    record_event("shop.asked", rf.get("/", headers={"User-Agent": browser}))
    assert AuditEvent.objects.get().actor_data == {"ip_address": "127.0.0.1", "user_agent": browser[:255]}
    assert problems() == []


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "x" * 1000])
def test_any_id_is_stored(text: str) -> None:
    event = build_event(text[:64], user_sub=text, actor_sub=text, organization_id=text)
    assert write_events([event])
    row = AuditEvent.objects.get()
    assert row.digested() == event.digested()
    assert problems() == []


class Level(str):
    pass


ODD = {
    "empty": "",
    "none": None,
    "float": 0.1,
    "exponent": 1e300,
    "small": 5e-324,
    "whole float": 1.0,
    "huge": 2**200,
    "negative zero": -0.0,
    "true": True,
    "list": [1, [2, {"b": 1, "a": 2}], ()],
    "text": "\x00\ud800あ😀\"\\'%s%(a)s{}",
    "day": date(2026, 11, 29),
    "time": datetime(2026, 11, 29, tzinfo=timezone.utc),
    "duration": timedelta(seconds=90),
    "decimal": Decimal("1.50"),
    "uuid": uuid.UUID(int=1),
    "lazy": gettext_lazy("Time"),
    "subclass": Level("high"),
    "ключ": 1,
    "": 1,
}


def test_odd_details_are_stored() -> None:
    record_event("shop.sold", details=ODD)
    assert problems() == []
    details = AuditEvent.objects.get().details
    assert details["text"] == ODD["text"]
    assert (details["huge"], details["exponent"], details["small"]) == (2**200, 1e300, 5e-324)
    assert (details["decimal"], details["day"], details["uuid"]) == ("1.50", "2026-11-29", str(uuid.UUID(int=1)))
    seal()
    assert problems() == []


@pytest.mark.parametrize("value", [object(), {1, 2}, b"x", float("nan"), float("inf"), {(1, 2): 3}])
def test_details_that_are_not_json_are_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        record_event("shop.sold", details={"value": value})
    assert not AuditEvent.objects.exists()


def test_details_that_contain_themselves_are_refused() -> None:
    details: dict[str, Any] = {}
    details["details"] = details
    with pytest.raises(ValueError, match="Circular"):
        record_event("shop.sold", details=details)


def test_account_as_details_is_refused(reader: Any) -> None:
    """Its text would be personal data that nobody can erase."""
    with pytest.raises(TypeError, match="not JSON serializable"):
        record_event("shop.sold", details={"to": reader})


@pytest.mark.parametrize("arguments", [{"action": ""}, {"action": "x" * 65}, {"action": "shop.sold", "outcome": "ok"}])
def test_wrong_argument_is_refused(arguments: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"action|Outcome"):
        record_event(**arguments)


def test_one_query(django_assert_num_queries: Any, reader: Any) -> None:
    with transaction.atomic():
        pass
    events = [build_event("shop.sold", user=reader) for _ in range(3)]
    with django_assert_num_queries(3) as captured:
        write_events(events)
    inserts = [each["sql"] for each in captured.captured_queries if "SAVEPOINT" not in each["sql"]]
    assert len(inserts) == 1
    assert inserts[0].startswith("INSERT INTO")


def test_row_is_rolled_back_with_the_change() -> None:
    with transaction.atomic():
        record_event("shop.sold")
        transaction.set_rollback(True)
    assert not AuditEvent.objects.exists()


def test_signal_is_sent_for_each_event() -> None:
    received: list[Any] = []

    def receive(sender: Any, event: AuditEvent, **kwargs: Any) -> None:
        received.append((sender, event.action, AuditEvent.objects.count()))

    event_recorded.connect(receive)
    try:
        write_events([build_event("shop.sold"), build_event("shop.refund")])
    finally:
        event_recorded.disconnect(receive)
    assert received == [(AuditEvent, "shop.sold", 2), (AuditEvent, "shop.refund", 2)]


@pytest.mark.usefixtures("broken_table")
def test_error_is_logged_without_personal_data(caplog: Any, reader: Any) -> None:
    with caplog.at_level(logging.ERROR, "logto_auth"), transaction.atomic():
        assert record_event("shop.sold", actor=reader) is None
        # The transaction goes on.
        reader.first_name = "Ada"
        reader.save()
    [line] = caplog.records
    assert line.getMessage().startswith("The audit trail has missed 1 events (shop.sold): ")
    assert "reader" not in caplog.text
    reader.refresh_from_db()
    assert reader.first_name == "Ada"


@pytest.mark.usefixtures("broken_table")
def test_error_is_raised_if_the_trail_is_required(settings: Any) -> None:
    settings.LOGTO_AUDIT_REQUIRED = True
    with pytest.raises(DatabaseError):
        record_event("shop.sold")


@pytest.mark.parametrize("use_tz", [True, False])
def test_time_of_the_site(settings: Any, use_tz: bool) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    settings.USE_TZ = use_tz
    record(1)
    seal()
    assert problems() == []
    event = AuditEvent.objects.get()
    assert event.occurred_at is not None
    assert (event.occurred_at.tzinfo is not None) == use_tz
    assert event.occurred_at.timestamp() == pytest.approx(event.at, abs=1e-3)


def test_primary_key_of_another_type() -> None:
    class Account:
        pk = uuid.UUID(int=5)

        def get_username(self) -> str:
            return "reader"

    event = build_event("shop.sold", user=Account())
    assert event.user_id == "00000000-0000-0000-0000-000000000005"
    assert event.user_data == {"name": "reader"}


def test_refused_sign_ins_are_counted_in_one_row_per_hour_and_code(django_assert_num_queries: Any) -> None:
    RefusedSignIns.objects.add_one("code_rejected")
    with django_assert_num_queries(1):
        RefusedSignIns.objects.add_one("code_rejected")
    for code in ("a", "b", "x" * 1000, "\x00"):
        RefusedSignIns.objects.add_one(code)
    counts = RefusedSignIns.objects.order_by("code").values_list("code", "count")
    assert list(counts) == [("code_rejected", 2), ("other", 4)]
