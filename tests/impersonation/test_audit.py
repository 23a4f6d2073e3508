"""The audit trail: who has acted as whom, and what they have done."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from logto_auth.audit.apps import connect_receivers, disconnect_receivers
from logto_auth.audit.models import AuditEvent
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser

from .test_journey import who

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.impersonation.site")]
User = get_user_model()


@pytest.fixture(autouse=True)
def trail() -> Iterator[None]:
    connect_receivers()
    yield
    disconnect_receivers()


def latest() -> tuple[Any, ...]:
    """Return the latest event: what, who, to whom, their ids at Logto, the outcome, and the details."""
    event = AuditEvent.objects.order_by("-pk")[0]
    names = {str(user.pk): user.get_username() for user in User.objects.all()}
    return (
        event.action,
        names.get(event.actor_id),
        names.get(event.user_id),
        event.actor_sub,
        event.user_sub,
        event.outcome,
        event.details,
    )


PEOPLE = ("editor", "reader", "editor000001", "reader000001")


def test_start_and_end_are_recorded(staff: Browser) -> None:
    staff.client.post("/start/reader", {"reason": "Ticket 4711", "seconds": "900"})
    details = {"reason": "Ticket 4711", "seconds": 900}
    assert latest() == ("impersonation_started", *PEOPLE, "success", details)
    staff.client.post("/support-access/leave")
    assert latest() == ("impersonation_ended", *PEOPLE, "success", {"cause": "left", "seconds": 0})
    assert "127.0.0.1" in AuditEvent.objects.order_by("-pk")[0].actor_json


def test_refused_try_is_recorded(staff: Browser) -> None:
    User.objects.filter(username="reader").update(is_superuser=True)
    staff.client.post("/start/reader", {"reason": "Curious"})
    details = {"code": "impersonation_of_staff", "reason": "Curious"}
    assert latest() == ("impersonation_refused", *PEOPLE, "refused", details)


def test_end_without_a_request_is_recorded(acting: Browser) -> None:
    LogtoSession.objects.impersonations().end(reason="ended_by_staff")
    action, actor, user, *_, details = latest()
    assert (action, actor, user) == ("impersonation_ended", "editor", "reader")
    assert details == {"cause": "session_ended", "seconds": 0}


def test_what_is_done_names_the_staff_member(acting: Browser) -> None:
    acting.client.post("/sell")
    assert latest() == (
        "shop.sold",
        "editor",
        "reader",
        "editor000001",
        "",
        "success",
        {"impersonating": True, "book": 1},
    )


def test_explicit_user_as_the_actor_is_the_staff_member_too(acting: Browser) -> None:
    acting.client.post("/sell?by=user")
    assert latest()[1:4] == ("editor", "reader", "editor000001")


def test_own_session_records_as_before(acting: Browser) -> None:
    acting.client.post("/support-access/leave")
    acting.client.post("/sell")
    action, actor, *_, details = latest()
    assert (action, actor, details) == ("shop.sold", "editor", {"book": 1})


# MariaDB commits at ALTER TABLE, so that a transaction of the test could not be rolled back.
@pytest.mark.django_db(transaction=True)
def test_start_that_cannot_be_recorded_does_not_happen(
    staff: Browser, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LOGTO_AUDIT_REQUIRED = True
    # The table is gone, as after a migration that was not applied.
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {AuditEvent._meta.db_table} RENAME TO away")
    try:
        response = staff.client.post("/start/reader")
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE away RENAME TO {AuditEvent._meta.db_table}")
    assert (response.status_code, response.json()["error"]) == (503, "not_recorded")
    assert who(staff)["user"] == "editor"
    assert not LogtoSession.objects.impersonations().exists()
