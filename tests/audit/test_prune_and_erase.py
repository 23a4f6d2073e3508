"""`logto_audit prune` and `erase`: the chain can still be verified, and everything else is an attack."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.signals import pre_delete
from django.test.utils import CaptureQueriesContext

from logto_auth.audit.erasing import erase_account, erase_sub
from logto_auth.audit.models import AuditEvent, AuditSeal
from logto_auth.audit.recording import build_event, write_events
from logto_auth.batches import Cause, batch
from logto_auth.transactions import database

from .support import EVENTS, SEALS, audit, problems, record, seal, sql

pytestmark = pytest.mark.django_db

DAY = 24 * 3600


@pytest.fixture
def staff(django_user_model: Any) -> Any:
    return django_user_model.objects.create(username="Stefanie", email="stefanie@shop.example")


@pytest.fixture
def reader(django_user_model: Any) -> Any:
    return django_user_model.objects.create(username="Reinhard", email="reinhard@shop.example")


def record_aged(days: float, count: int = 5) -> None:
    """Record events that happened some days ago."""
    events = [build_event("shop.sold") for _ in range(count)]
    for event in events:
        event.at = round(event.at - days * DAY, 3)
    AuditEvent.objects.record(events)


# Prune


def test_prune_then_verify() -> None:
    for days in (30, 20, 10):
        record_aged(days)
        seal()
    kept = str(AuditSeal.objects.get(number=1))
    out, error = audit("prune", "--keep-days", "15", "--yes")
    assert error == ""
    assert out.splitlines() == ["Sealed events older than 15 days: 10", "Deleted: 10"]
    assert problems() == []
    assert problems("--expect", kept) == []
    assert "Seals: 3, pruned: 2." in audit("verify")[0]
    seal()
    assert problems() == []


def test_prune_while_verify_reads() -> None:
    record_aged(30, count=2500)
    seal(batch_size=3000)
    pages = []

    def prune_before_the_second_page(execute: Any, statement: str, params: Any, many: bool, context: Any) -> Any:
        if EVENTS in statement and "LIMIT 2000" in statement:
            pages.append(statement)
            if len(pages) == 2:
                audit("prune", "--keep-days", "15", "--yes")
        return execute(statement, params, many, context)

    with connection.execute_wrapper(prune_before_the_second_page):
        assert problems() == []
    assert AuditSeal.objects.get().pruned


def test_pruning_is_recorded() -> None:
    record_aged(30)
    seal()
    audit("prune", "--keep-days", "15", "--yes")
    event = AuditEvent.objects.get()
    assert (event.action, event.details) == ("events_pruned", {"count": 5, "keep_days": 15})


def test_batch_with_a_younger_event_is_kept() -> None:
    record_aged(30)
    record_aged(1, count=1)
    seal()
    audit("prune", "--keep-days", "15", "--yes")
    assert AuditEvent.objects.count() == 6


def test_unsealed_events_are_kept() -> None:
    record_aged(30)
    assert audit("prune", "--keep-days", "15", "--yes")[0] == "Sealed events older than 15 days: 0\n"
    assert AuditEvent.objects.count() == 5


def test_dry_run_and_question_change_nothing() -> None:
    record_aged(30)
    seal()
    audit("prune", "--keep-days", "15", "--dry-run")
    _, error = audit("prune", "--keep-days", "15", stdin="n\n")
    assert "Aborted" in error
    assert AuditEvent.objects.count() == 5
    audit("prune", "--keep-days", "15", stdin="y\n")
    assert AuditEvent.objects.filter(action="shop.sold").count() == 0


def test_days_to_keep(settings: Any) -> None:
    assert audit("prune", "--yes")[1] == "Give --keep-days, or set LOGTO_AUDIT_KEEP_DAYS."
    assert "expected a whole number from 1" in audit("prune", "--keep-days", "0")[1]
    settings.LOGTO_AUDIT_KEEP_DAYS = 400
    assert audit("prune", "--yes")[0] == "Sealed events older than 400 days: 0\n"


def test_changed_events_are_not_pruned() -> None:
    """Pruning would hide that they were changed."""
    for _ in range(3):
        record_aged(30)
        seal()
    second = AuditSeal.objects.get(number=2)
    sql(f"DELETE FROM {EVENTS} WHERE id = %s", second.first_id)
    out, error = audit("prune", "--keep-days", "15", "--yes")
    assert error.startswith("Seal 2 has 4 events instead of 5. Pruning would hide that.")
    assert "Deleted: 5" in out
    assert problems() == ["Seal 2 has 4 events instead of 5."]
    audit("prune", "--keep-days", "15", "--yes", "--also-damaged")
    assert problems() == []
    assert [bool(each.pruned) for each in AuditSeal.objects.order_by("number")] == [True, True, True]


def test_events_that_were_all_deleted_are_not_pruned() -> None:
    record_aged(30)
    seal()
    sql(f"DELETE FROM {EVENTS}")
    _, error = audit("prune", "--keep-days", "15", "--yes")
    assert error.startswith("Seal 1 has 0 events instead of 5.")
    assert problems() == ["Seal 1 has 0 events instead of 5."]


# Erase


def two_people(rf: Any, staff: Any, reader: Any) -> AuditEvent:
    """Record that staff did something to a reader."""
    request = rf.get("/", REMOTE_ADDR="192.0.2.7", headers={"User-Agent": "Firefox"})
    write_events([build_event("shop.refund", request, actor=staff, user=reader, actor_sub="sub1", user_sub="sub2")])
    return AuditEvent.objects.get(action="shop.refund")


def whole_table() -> str:
    return repr([tuple(row) for row in AuditEvent.objects.values_list()])


def test_erase_the_user_of_an_event(rf: Any, staff: Any, reader: Any) -> None:
    two_people(rf, staff, reader)
    seal()
    out, error = audit("erase", str(reader.pk), "--yes")
    assert (out.splitlines()[-1], error) == ("Events: 1", "")
    event = AuditEvent.objects.get(action="shop.refund")
    assert event.user_data is None
    assert event.actor_data == {
        "name": "Stefanie",
        "email": "stefanie@shop.example",
        "ip_address": "192.0.2.7",
        "user_agent": "Firefox",
    }
    assert "reinhard" not in whole_table().lower()
    assert problems() == []


def test_erase_the_actor_of_an_event(rf: Any, staff: Any, reader: Any) -> None:
    """The address and the browser are data of the actor."""
    two_people(rf, staff, reader)
    audit("erase", str(staff.pk), "--yes")
    event = AuditEvent.objects.get(action="shop.refund")
    assert event.actor_data is None
    assert event.user_data == {"name": "Reinhard", "email": "reinhard@shop.example"}
    assert not any(text in whole_table() for text in ("Stefanie", "stefanie", "192.0.2.7", "Firefox"))
    seal()
    assert problems() == []


def test_erase_one_person_who_is_both(rf: Any, reader: Any) -> None:
    write_events([build_event("shop.sold", rf.get("/"), actor=reader, user=reader)])
    seal()
    audit("erase", str(reader.pk), "--yes")
    event = AuditEvent.objects.get(action="shop.sold")
    assert (event.actor_data, event.user_data) == (None, None)
    assert problems() == []


def test_address_of_an_unknown_actor_is_data_of_the_user(rf: Any, reader: Any) -> None:
    write_events([build_event("shop.asked", rf.get("/", REMOTE_ADDR="192.0.2.7"), user=reader)])
    audit("erase", str(reader.pk), "--yes")
    assert AuditEvent.objects.get(action="shop.asked").actor_data is None
    assert "192.0.2.7" not in whole_table()
    assert problems() == []


def test_other_people_keep_their_data(staff: Any, reader: Any) -> None:
    record(3, user=staff)
    record(3, user=reader)
    erase_account(reader.pk)
    kept = [each.user_data for each in AuditEvent.objects.filter(user_id=str(staff.pk))]
    assert kept == [{"name": "Stefanie", "email": "stefanie@shop.example"}] * 3


def test_account_whose_key_begins_like_another() -> None:
    for pk in (1, 11, 12):
        record(1, user=SimpleNamespace(pk=pk, get_username=lambda: "name"))
    assert erase_account(1) == 1
    assert [each.user_data for each in AuditEvent.objects.order_by("pk")] == [None, {"name": "name"}, {"name": "name"}]


@pytest.mark.parametrize("other", ["READER1", "réader1", "reader1 "])
def test_key_that_a_collation_takes_for_another(other: str) -> None:
    person = SimpleNamespace(pk="reader1", get_username=lambda: "Reinhard")
    write_events([build_event("shop.sold", user=person, user_sub="reader1")])
    erase_account(other)
    erase_sub(other)
    assert AuditEvent.objects.get().user_data == {"name": "Reinhard"}
    assert problems() == []


def test_erase_by_sub(rf: Any, staff: Any, reader: Any) -> None:
    two_people(rf, staff, reader)
    record(1, user=reader)
    write_events([build_event("user_suspended", user_sub="sub2")])
    assert erase_sub("sub2") == 3
    assert AuditEvent.objects.get(action="shop.refund").actor_data is not None
    assert "reinhard" not in whole_table().lower()
    assert problems() == []


def test_erasing_by_sub_scans_no_table() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("The plans of other servers depend on the number of rows.")
    with CaptureQueriesContext(connection) as queries:
        erase_sub("sub2")
    selects = [query["sql"] for query in queries if EVENTS in query["sql"]]
    plans = []
    for select in selects:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {select}")
            plans += [row[3] for row in cursor.fetchall()]
    assert len(selects) == 3
    assert not [plan for plan in plans if plan.startswith("SCAN")]


def test_erase_of_a_deleted_account(rf: Any, staff: Any, reader: Any) -> None:
    pk = reader.pk
    reader.delete()
    reader.pk = pk
    two_people(rf, staff, reader)
    audit("erase", str(pk), "--yes")
    assert "reinhard" not in whole_table().lower()
    assert problems() == []


def test_deleted_account_is_erased(rf: Any, staff: Any, reader: Any) -> None:
    two_people(rf, staff, reader)
    seal()
    reader.delete()
    event = AuditEvent.objects.get(action="shop.refund")
    assert (event.user_data, bool(event.actor_data)) == (None, True)
    assert problems() == []
    type(staff).objects.filter(pk=staff.pk).delete()
    assert AuditEvent.objects.get(action="shop.refund").actor_data is None
    assert problems() == []


def test_copy_that_is_deleted_in_another_database_erases_nothing(reader: Any) -> None:
    write_events([build_event("shop.sold", user=reader)])
    pre_delete.send(sender=type(reader), instance=reader, using="archive", origin=reader)
    assert AuditEvent.objects.get().user_data
    pre_delete.send(sender=type(reader), instance=reader, using=database(), origin=reader)
    assert AuditEvent.objects.get().user_data is None


def test_account_whose_deletion_is_rolled_back_is_not_erased(reader: Any) -> None:
    record(1, user=reader)
    with transaction.atomic():
        reader.delete()
        transaction.set_rollback(True)
    assert AuditEvent.objects.get(action="shop.sold").user_data == {
        "name": "Reinhard",
        "email": "reinhard@shop.example",
    }


def test_account_that_is_deleted_within_a_batch(rf: Any, staff: Any, reader: Any) -> None:
    """The events of the batch are not inserted yet."""
    with batch(Cause.COMMAND) as current:
        current.collected.append(build_event("shop.closed", actor=staff, user=reader))
        current.collected.append(build_event("shop.left", rf.get("/"), actor=reader, user=reader))
        reader.delete()
    assert AuditEvent.objects.get(action="shop.closed").user_data == {}
    assert AuditEvent.objects.get(action="shop.closed").actor_data != {}
    assert AuditEvent.objects.get(action="shop.left").actor_data == {}
    assert "reinhard" not in whole_table().lower()
    assert problems() == []


def test_event_about_an_account_that_was_deleted_has_no_name(reader: Any) -> None:
    reader.delete()
    record(1, user=reader)
    assert AuditEvent.objects.get(action="shop.sold").user_data == {}


def test_erase_asks(reader: Any) -> None:
    record(1, user=reader)
    out, error = audit("erase", str(reader.pk), stdin="n\n")
    assert "Aborted" in error
    assert f"of the user {reader.pk} are erased for good" in out
    assert AuditEvent.objects.get().user_data == {"name": "Reinhard", "email": "reinhard@shop.example"}


def test_erasing_is_recorded(reader: Any) -> None:
    record(2, user=reader)
    audit("erase", str(reader.pk), "--yes")
    event = AuditEvent.objects.get(action="personal_data_erased")
    assert (event.user_id, event.details, event.user_data) == (str(reader.pk), {"count": 2}, {})


def test_erase_twice_and_later_events(reader: Any) -> None:
    record(2, user=reader)
    erase_account(reader.pk)
    record(2, user=reader)
    assert problems() == []
    assert erase_account(reader.pk) == 4
    assert problems() == []


@pytest.mark.parametrize("arguments", [(), ("1", "--sub", "x"), ("Reinhard",), ("",), ("--sub", "")])
def test_erase_without_one_person_is_refused(arguments: tuple[str, ...]) -> None:
    record(1)
    assert audit("erase", "--yes", *arguments)[1] != ""
    assert AuditEvent.objects.get().actor_data == {}


def test_unknown_person() -> None:
    record(1)
    assert audit("erase", "--sub", "unknown", "--yes")[0].splitlines()[-1] == "Events: 0"
    assert erase_account(uuid.uuid4()) == 0
    with pytest.raises(ValueError, match="without a key"):
        erase_account("")


@pytest.mark.parametrize("text", ["", "{}", "null", '{"erased": "x", "last_id": 1000000}', '{"salt": "x"}'])
def test_personal_data_that_was_removed_with_sql(reader: Any, text: str) -> None:
    [id] = record(1, user=reader)
    sql(f"UPDATE {EVENTS} SET user_json = %s", text)
    assert problems() == [f"The personal data of the user of event {id} was changed, but not by logto_audit erase."]


def test_mark_of_an_erasure_cannot_be_copied(staff: Any, reader: Any) -> None:
    """Neither to another person, nor to a later event of the same one, nor between actor and user."""
    record(1, user=reader)
    erase_account(reader.pk)
    mark = AuditEvent.objects.get().user_json
    [later] = record(1, user=reader)
    [other] = record(1, actor=reader, user=staff)
    sql(f"UPDATE {EVENTS} SET user_json = %s", mark)
    assert problems() == [
        f"The personal data of the user of event {id} was changed, but not by logto_audit erase."
        for id in (later, other)
    ]


def test_person_of_an_erased_event_cannot_be_exchanged(staff: Any, reader: Any) -> None:
    [id] = record(1, user=reader)
    erase_account(reader.pk)
    sql(f"UPDATE {EVENTS} SET user_id = %s", str(staff.pk))
    assert f"Event {id} was edited." in problems()


def test_erased_events_are_pruned(reader: Any, settings: Any) -> None:
    record(5, user=reader)
    erase_account(reader.pk)
    seal()
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another-key-of-the-site-0123456789abcdef"
    settings.SECRET_KEY_FALLBACKS = [former]
    assert problems() == []
    sql(f"UPDATE {SEALS} SET pruned = ''")
    assert problems() == []
