"""What the guide to the audit trail and the page on personal data say."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.serializers.json import DjangoJSONEncoder

from logto_auth.audit.apps import connect_receivers, disconnect_receivers
from logto_auth.audit.models import AuditEvent
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity
from logto_auth.testing import Browser

from .pages import text_of

GUIDE = "docs/how-to/audit.md"
PERSONAL_DATA = "docs/explanation/personal-data.md"


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Iterator[Any]:
    """Return the account of a user who has signed in, with the audit trail on."""
    logto.tenant.add_user(username="reader", primary_email="reader@shop.example")
    connect_receivers()
    try:
        browser.sign_in("reader")
        yield LogtoIdentity.objects.get().user
    finally:
        disconnect_receivers()


@pytest.mark.django_db
def test_refund_of_the_guide_is_recorded(modules: Any, rf: Any, reader: Any, admin_user: Any) -> None:
    request = rf.post("/")
    request.user = admin_user
    order = SimpleNamespace(pk=7, customer=reader, refund=lambda: None)
    modules(GUIDE, "shop.refunds").refund(request, order)
    event = AuditEvent.objects.get(action="shop.refund")
    assert (event.actor_id, event.user_id, event.details) == (str(admin_user.pk), str(reader.pk), {"order": 7})


@pytest.mark.django_db
def test_events_are_forwarded_after_the_transaction(
    modules: Any, caplog: Any, reader: Any, django_capture_on_commit_callbacks: Any
) -> None:
    forward = modules(GUIDE, "shop.forwarding").forward
    caplog.set_level(logging.INFO, "shop.audit")
    with django_capture_on_commit_callbacks(execute=True):
        forward(sender=AuditEvent, event=AuditEvent.objects.get(action="sign_in"))
        assert caplog.messages == []
    assert caplog.messages == [f"sign_in success actor={reader.pk} user={reader.pk}"]


@pytest.mark.django_db
def test_data_about_a_user(modules: Any, reader: Any) -> None:
    data_about = modules(PERSONAL_DATA, "shop.personal_data").data_about
    data = json.loads(json.dumps(data_about(reader), cls=DjangoJSONEncoder))
    assert [each["sub"] for each in data["identities"]] == [reader.logto_identities.get().sub]
    assert [each["ip_address"] for each in data["sessions"]] == ["127.0.0.1"]
    (event,) = (each for each in data["events"] if each["action"] == "sign_in")
    assert event["by_user"]["email"] == "reader@shop.example"
    assert event["by_user"]["ip_address"] == "127.0.0.1"


@pytest.mark.django_db
def test_identities_are_deleted_with_sessions_as_the_page_says(reader: Any) -> None:
    assert "`user.logto_identities.all().delete()`" in text_of(PERSONAL_DATA)
    reader.logto_identities.all().delete()
    call_command("logto_audit", "erase", str(reader.pk), "--yes", verbosity=0)
    assert not reader.logto_sessions.exists()
    assert [each.actor_data for each in AuditEvent.objects.filter(action="sign_in")] == [None]


def test_every_table_is_on_the_page_on_personal_data() -> None:
    models = [*apps.get_app_config("logto_auth").get_models(), *apps.get_app_config("logto_audit").get_models()]
    text = text_of(PERSONAL_DATA)
    assert [model._meta.db_table for model in models if f"`{model._meta.db_table}`" not in text] == []
