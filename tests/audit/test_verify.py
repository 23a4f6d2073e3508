"""`logto_audit verify` finds what somebody has changed with SQL."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from logto_auth.audit.models import AuditEvent, AuditSeal
from logto_auth.audit.pruning import old_seals, prune

from .support import EVENTS, SEALS, audit, column, problems, record, seal, sql

pytestmark = pytest.mark.django_db

OTHER: dict[str, Any] = {
    "BigAutoField": 10**9,
    "BigIntegerField": 10**9,
    "CharField": "x",
    "FloatField": 1.5,
    "ForeignKey": None,
    "PositiveBigIntegerField": 10**9,
    "PositiveIntegerField": 99,
    "TextField": "{}",
}


def fields_of(model: Any) -> list[Any]:
    return [pytest.param(field, id=field.column) for field in model._meta.concrete_fields]


def test_untouched_trail() -> None:
    record(25)
    seal()
    record(3)
    out, error = audit("verify")
    last = AuditSeal.objects.get(number=3)
    assert out.splitlines() == [
        "Events: 25 sealed, 3 not sealed yet. Seals: 3, pruned: 0.",
        f"Last seal: 3:{last.digest}",
    ]
    assert error == ""


def test_empty_trail() -> None:
    assert problems() == []


@pytest.mark.parametrize("field", fields_of(AuditEvent))
def test_edited_column(field: Any) -> None:
    ids = record(3)
    seal()
    sql(f"UPDATE {EVENTS} SET {column(field.column)} = %s WHERE id = %s", OTHER[field.get_internal_type()], ids[1])
    assert problems() != []


@pytest.mark.parametrize("field", [each for each in fields_of(AuditEvent) if each.id not in ("id", "seal_id")])
def test_edited_column_before_the_seal(field: Any) -> None:
    ids = record(3)
    sql(f"UPDATE {EVENTS} SET {column(field.column)} = %s WHERE id = %s", OTHER[field.get_internal_type()], ids[1])
    found = problems()
    seal()
    assert found == problems() != []
    assert all(f"event {ids[1]} " in line.lower() for line in found)


@pytest.mark.parametrize("field", [each for each in fields_of(AuditSeal) if each.id != "id"])
def test_edited_column_of_a_seal(field: Any) -> None:
    record(30)
    seal()
    sql(f"UPDATE {SEALS} SET {column(field.column)} = %s WHERE number = 2", OTHER[field.get_internal_type()])
    assert problems() != []


@pytest.mark.parametrize("value", ["NaN", "-0.0"])
def test_time_that_is_not_json(value: str) -> None:
    [id] = record(1)
    if value == "NaN" and connection.vendor != "postgresql":
        value = "1e300"
    sql(f"UPDATE {EVENTS} SET at = %s WHERE id = %s", float(value), id)
    assert problems() == [f"Event {id} was edited."]


def test_bytes_in_a_text() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("Only SQLite stores values of another type.")
    [id] = record(1)
    sql(f"UPDATE {EVENTS} SET action = x'ff', actor_json = x'ff' WHERE id = %s", id)
    assert problems() == [
        f"Event {id} was edited.",
        f"The personal data of the actor of event {id} was changed, but not by logto_audit erase.",
    ]


@pytest.mark.parametrize("position", [0, 1, 9])
def test_deleted_row(position: int) -> None:
    ids = record(10)
    seal()
    sql(f"DELETE FROM {EVENTS} WHERE id = %s", ids[position])
    assert problems() == ["Seal 1 has 9 events instead of 10."]


def test_row_taken_out_of_its_seal_and_sealed_again() -> None:
    ids = record(10)
    seal()
    sql(f"UPDATE {EVENTS} SET seal_id = NULL WHERE id = %s", ids[4])
    seal()
    assert problems() == ["Seal 1 has 9 events instead of 10."]


def test_row_moved_to_another_seal() -> None:
    ids = record(20)
    seal()
    other = AuditSeal.objects.get(number=2)
    sql(f"UPDATE {EVENTS} SET seal_id = %s WHERE id = %s", other.pk, ids[4])
    assert problems() == ["Seal 1 has 9 events instead of 10.", "Seal 2 has 11 events instead of 10."]


def test_reordered_rows() -> None:
    first, second, _ = record(3)
    seal()
    for old, new in ((first, 10**6), (second, first), (10**6, second)):
        sql(f"UPDATE {EVENTS} SET id = %s WHERE id = %s", new, old)
    assert problems() == ["Seal 1 has other events than those that were sealed."]


def test_row_with_another_id() -> None:
    *_, last = record(3)
    seal()
    sql(f"UPDATE {EVENTS} SET id = %s WHERE id = %s", 10**6, last)
    assert problems() == ["Seal 1 has other events than those that were sealed."]


def copy(id: int) -> None:
    """Insert the row again, not sealed."""
    names = [
        column(field.column) for field in AuditEvent._meta.concrete_fields if field.column not in ("id", "seal_id")
    ]
    sql(f"INSERT INTO {EVENTS} ({', '.join(names)}) SELECT {', '.join(names)} FROM {EVENTS} WHERE id = %s", id)


def test_database_refuses_a_copied_row() -> None:
    ids = record(3)
    with pytest.raises(IntegrityError), transaction.atomic():
        copy(ids[1])


@pytest.mark.django_db(transaction=True)
def test_copied_row_without_the_constraint(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = record(3)
    seal()
    [constraint] = AuditEvent._meta.constraints
    monkeypatch.setattr(AuditEvent._meta, "constraints", [])
    with connection.schema_editor() as editor:
        editor.remove_constraint(AuditEvent, constraint)
    try:
        copy(ids[1])
        seal()
        newest = AuditEvent.objects.order_by("pk").last()
        assert newest is not None
        assert problems() == [f"These events are copies of one: {ids[1]}, {newest.pk}."]
    finally:
        sql(f"DELETE FROM {EVENTS}")
        monkeypatch.undo()
        with connection.schema_editor() as editor:
            editor.add_constraint(AuditEvent, constraint)


def test_invented_row() -> None:
    record(1)
    copied = AuditEvent.objects.get()
    sql(f"DELETE FROM {EVENTS}")
    copied.action = "shop.refund"
    names = [field.column for field in AuditEvent._meta.concrete_fields if field.column != "id"]
    places = ", ".join(["%s"] * len(names))
    values = [getattr(copied, name) for name in names]
    sql(f"INSERT INTO {EVENTS} ({', '.join(map(column, names))}) VALUES ({places})", *values)
    assert len(problems()) == 1


def test_missing_seal_in_the_middle() -> None:
    record(30)
    seal()
    second = AuditSeal.objects.get(number=2)
    sql(f"DELETE FROM {EVENTS} WHERE seal_id = %s", second.pk)
    sql(f"DELETE FROM {SEALS} WHERE number = 2")
    assert problems() == ["Seal 2 is missing: the next one is number 3."]


def test_missing_first_seal() -> None:
    record(20)
    seal()
    first = AuditSeal.objects.get(number=1)
    sql(f"DELETE FROM {EVENTS} WHERE seal_id = %s", first.pk)
    sql(f"DELETE FROM {SEALS} WHERE number = 1")
    assert problems() == ["Seal 1 is missing: the next one is number 2."]


def test_exchanged_seals() -> None:
    """The numbers of two seals, with their events, are exchanged."""
    record(30)
    seal()
    for old, new in ((1, 77), (2, 1), (77, 2)):
        sql(f"UPDATE {SEALS} SET number = %s WHERE number = %s", new, old)
    assert "Seal 1 is not the beginning of the chain: it was exchanged." in problems()


def test_cut_end_is_found_with_an_expected_seal() -> None:
    record(20)
    *_, last = seal()
    kept = str(last)
    assert problems("--expect", kept) == []
    sql(f"DELETE FROM {EVENTS} WHERE seal_id = %s", last.pk)
    sql(f"DELETE FROM {SEALS} WHERE number = 2")
    assert problems() == []
    cut = ["Seal 2 is not the expected one: the chain was rewritten, or its end was cut off."]
    assert problems("--expect", kept) == cut
    # Other events are sealed under the same number.
    record(10)
    seal()
    assert problems() == []
    assert problems("--expect", kept) == cut


def test_rewritten_chain_of_somebody_with_the_key_is_found_with_an_expected_seal() -> None:
    ids = record(20)
    kept = str(seal()[0])
    sql(f"UPDATE {EVENTS} SET seal_id = NULL")
    sql(f"DELETE FROM {SEALS}")
    sql(f"DELETE FROM {EVENTS} WHERE id = %s", ids[0])
    seal()
    assert problems() == []
    assert len(problems("--expect", kept)) == 1


def test_rows_that_were_marked_as_pruned() -> None:
    record(20)
    seal()
    list(prune(old_seals(keep_days=0).filter(number=1)))
    proof = AuditSeal.objects.get(number=1).pruned
    second = AuditSeal.objects.get(number=2)
    sql(f"UPDATE {SEALS} SET pruned = %s WHERE number = 2", proof)
    assert "Seal 2 is marked as pruned, but it has events: 10." in problems()
    sql(f"DELETE FROM {EVENTS} WHERE seal_id = %s", second.pk)
    assert problems() == ["The events of seal 2 are missing: they were deleted, but not by logto_audit prune."]


def test_pruned_seal_that_was_edited() -> None:
    record(20)
    seal()
    list(prune(old_seals(keep_days=0).filter(number=1)))
    assert problems() == []
    sql(f"UPDATE {SEALS} SET count = 9 WHERE number = 1")
    assert problems() == ["Seal 1 was edited."]


def test_seal_that_is_missing_without_foreign_keys() -> None:
    if connection.vendor != "sqlite":
        pytest.skip("The sqlite3 program checks no foreign keys.")
    ids = record(2)
    seal()
    with connection.constraint_checks_disabled():
        sql(f"UPDATE {EVENTS} SET seal_id = 999 WHERE id = %s", ids[0])
        found = problems()
        sql(f"UPDATE {EVENTS} SET seal_id = NULL")
    assert f"Event {ids[0]} was sealed, and its seal is missing." in found


def test_former_secret_key(settings: Any) -> None:
    record(5)
    seal()
    former, settings.SECRET_KEY = settings.SECRET_KEY, "another-key-of-the-site-0123456789abcdef"
    assert len(problems()) == 6
    settings.SECRET_KEY_FALLBACKS = [former]
    record(5)
    kept = str(seal()[0])
    assert problems("--expect", kept) == []
    list(prune(old_seals(keep_days=0).filter(number=1)))
    assert problems() == []


def test_error_says_that_the_key_may_be_missing(settings: Any) -> None:
    record(1)
    settings.SECRET_KEY = "another-key-of-the-site-0123456789abcdef"
    _, error = audit("verify")
    assert error.startswith("The audit trail was changed. Problems: 1. If SECRET_KEY was replaced")


def test_many_problems_are_counted_and_not_all_printed() -> None:
    record(150)
    sql(f"UPDATE {EVENTS} SET outcome = 'failed'")
    out, error = audit("verify")
    assert out.count("was edited") == 100
    assert "Problems: 150." in error


@pytest.mark.parametrize("value", ["", "1", "1:ab", "0x1:" + "a" * 64, "1:" + "A" * 64])
def test_wrong_expectation_is_refused(value: str) -> None:
    _, error = audit("verify", "--expect", value)
    assert "expected the number of a seal" in error


def test_memory_does_not_grow_with_the_rows(django_assert_max_num_queries: Any) -> None:
    record(4500)
    seal(batch_size=3000)
    record(10)
    with django_assert_max_num_queries(20) as captured:
        assert problems() == []
    rows = [
        each["sql"] for each in captured.captured_queries if "actor_json" in each["sql"] and "JOIN" not in each["sql"]
    ]
    assert rows
    assert all("LIMIT 2000" in each for each in rows)
