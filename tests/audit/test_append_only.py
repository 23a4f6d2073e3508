"""Code cannot change or delete rows of the audit trail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction

from logto_auth.audit.models import AuditEvent, AuditSeal
from logto_auth.audit.recording import build_event
from logto_auth.exceptions import AuditIsAppendOnly

from .support import problems, record, seal

pytestmark = pytest.mark.django_db


def awaited(method: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    async def call() -> Any:
        return await method(*args, **kwargs)

    return async_to_sync(call)()


CHANGES: dict[str, Callable[[Any], object]] = {
    "update": lambda row: type(row).objects.update(digest="x"),
    "update of a filter": lambda row: type(row).objects.filter(pk=row.pk).update(digest="x"),
    "aupdate": lambda row: awaited(type(row).objects.aupdate, digest="x"),
    "bulk_update": lambda row: type(row).objects.bulk_update([row], ["digest"]),
    "abulk_update": lambda row: awaited(type(row).objects.abulk_update, [row], ["digest"]),
    "delete": lambda row: row.delete(),
    "adelete": lambda row: awaited(row.adelete),
    "delete of all": lambda row: type(row).objects.all().delete(),
    "adelete of all": lambda row: awaited(type(row).objects.all().adelete),
    "save": lambda row: row.save(),
    "asave": lambda row: awaited(row.asave),
    "save as another": lambda row: type(row)(pk=None).save(),
    "create": lambda row: type(row).objects.create(),
    "acreate": lambda row: awaited(type(row).objects.acreate),
    "bulk_create": lambda row: type(row).objects.bulk_create([type(row)()]),
    "abulk_create": lambda row: awaited(type(row).objects.abulk_create, [type(row)()]),
    "get_or_create": lambda row: type(row).objects.get_or_create(pk=0),
    "update_or_create": lambda row: type(row).objects.update_or_create(pk=row.pk, defaults={"digest": "x"}),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("model", [AuditEvent, AuditSeal])
def test_change_is_refused(model: Any, change: str) -> None:
    record(2)
    seal()
    before = list(model.objects.order_by("pk").values())
    with pytest.raises(AuditIsAppendOnly, match="record_event"):
        CHANGES[change](model.objects.order_by("pk").first())
    assert list(model.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("name", ["add", "create", "clear", "remove", "set"])
def test_events_of_a_seal_cannot_be_changed(name: str) -> None:
    record(2)
    [sealed] = seal()
    event = AuditEvent.objects.last()
    arguments = {"add": [event], "create": [], "clear": [], "remove": [event], "set": [[]]}[name]
    with pytest.raises(AuditIsAppendOnly), transaction.atomic():
        getattr(sealed.events, name)(*arguments)
    assert problems() == []


def test_event_can_be_recorded_once() -> None:
    event = build_event("shop.sold")
    assert AuditEvent.objects.record([event]) == [event]
    assert AuditEvent.objects.get().action == "shop.sold"


def test_each_column_is_covered() -> None:
    """By the digest of the event, by the SHA-256 of the personal data, or by the seal."""
    covered = {*AuditEvent.DIGESTED, "actor_json", "user_json", "id", "digest", "seal"}
    assert {field.name for field in AuditEvent._meta.concrete_fields} == covered
    assert {field.name for field in AuditSeal._meta.concrete_fields} == {*AuditSeal.DIGESTED, "id", "digest", "pruned"}
