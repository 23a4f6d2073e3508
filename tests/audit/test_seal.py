"""`logto_audit seal`: which events are sealed, and when two processes do it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from logto_auth.audit.models import AuditEvent, AuditSeal, RefusedSignIns
from logto_auth.audit.sealing import record_refused_sign_ins

from .support import EVENTS, audit, problems, record, seal, sql

pytestmark = pytest.mark.django_db


def test_seals_are_printed() -> None:
    record(25)
    out, _ = audit("seal", "--delay", "0")
    assert out.splitlines() == [str(AuditSeal.objects.get())]
    assert audit("seal", "--delay", "0")[0] == "There is nothing to seal.\n"
    assert problems("--expect", out.strip()) == []


def test_batches() -> None:
    ids = record(25)
    seals = seal(batch_size=10)
    assert [(each.number, each.count, each.first_id, each.last_id) for each in seals] == [
        (1, 10, ids[0], ids[9]),
        (2, 10, ids[10], ids[19]),
        (3, 5, ids[20], ids[24]),
    ]
    assert [each.previous for each in seals] == ["", seals[0].digest, seals[1].digest]


def test_new_events_wait() -> None:
    record(2)
    audit("seal")
    assert not AuditSeal.objects.exists()
    with transaction.atomic():
        audit("seal", "--delay", "0")
    assert AuditSeal.objects.get().count == 2


@pytest.mark.parametrize("delay", ["-1", "1.5", "soon", "1" * 7, "٣"])
def test_wrong_delay_is_refused(delay: str) -> None:
    assert "expected a whole number" in audit("seal", f"--delay={delay}")[1]


def in_threads(function: Any, count: int) -> None:
    """Call the function in several threads at once."""
    barrier = threading.Barrier(count)

    def call() -> None:
        try:
            barrier.wait()
            function()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        for done in [threads.submit(call) for _ in range(count)]:
            done.result()


@pytest.mark.django_db(transaction=True)
def test_several_sealers_at_once() -> None:
    record(120)
    in_threads(lambda: seal(batch_size=10), 4)
    assert problems() == []
    assert [each.count for each in AuditSeal.objects.order_by("number")] == [10] * 12
    assert not AuditEvent.objects.filter(seal=None).exists()


@pytest.mark.django_db(transaction=True)
def test_sealers_while_events_are_recorded() -> None:
    record(50)

    def record_and_seal() -> None:
        for _ in range(5):
            record(10)
            seal(batch_size=7)

    in_threads(record_and_seal, 3)
    seal()
    assert problems() == []
    assert not AuditEvent.objects.filter(seal=None).exists()
    assert AuditEvent.objects.count() == 200


@pytest.mark.django_db(transaction=True)
def test_lower_id_that_is_committed_later() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: the ids are in the order of the commits.")
    inserted, may_commit = threading.Event(), threading.Event()

    def insert_slowly() -> None:
        try:
            with transaction.atomic():
                record(1)
                inserted.set()
                assert may_commit.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(insert_slowly)
        assert inserted.wait(30)
        record(1)
        [first] = seal()
        may_commit.set()
        slow.result()
    [second] = seal()
    assert second.first_id < first.first_id
    assert problems() == []
    sql(f"DELETE FROM {EVENTS} WHERE id = %s", second.first_id)
    assert problems() == ["Seal 2 has 0 events instead of 1."]


def count_refused(hours_ago: int, **counts: int) -> None:
    """Make counters of a former hour."""
    hour = int(time.time() // 3600) - hours_ago
    RefusedSignIns.objects.bulk_create(RefusedSignIns(hour=hour, code=code, count=counts[code]) for code in counts)


def test_refused_sign_ins_of_hours_that_are_over_become_events() -> None:
    count_refused(2, access_denied=7, other=1)
    count_refused(0, access_denied=3)
    audit("seal", "--delay", "0")
    events = AuditEvent.objects.order_by("pk")
    since = (int(time.time() // 3600) - 2) * 3600
    assert [(each.action, each.outcome, each.details) for each in events] == [
        ("sign_ins_refused", "refused", {"code": "access_denied", "count": 7, "since": since}),
        ("sign_ins_refused", "refused", {"code": "other", "count": 1, "since": since}),
    ]
    assert RefusedSignIns.objects.get().count == 3
    assert AuditSeal.objects.get().count == 2
    assert record_refused_sign_ins() == 0


@pytest.mark.django_db(transaction=True)
def test_refused_sign_ins_are_recorded_once_by_several_processes() -> None:
    count_refused(1, access_denied=7, other=1)
    in_threads(record_refused_sign_ins, 4)
    assert sorted(each.details["code"] for each in AuditEvent.objects.all()) == ["access_denied", "other"]


@pytest.mark.django_db(transaction=True)
def test_refused_sign_ins_are_counted_in_parallel() -> None:
    in_threads(lambda: [RefusedSignIns.objects.add_one("code_rejected") for _ in range(5)], 4)
    assert RefusedSignIns.objects.get().count == 20
