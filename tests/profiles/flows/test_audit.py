"""The audit trail, on the profiles that have it."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.urls import reverse

from logto_auth.emulator import Emulator
from logto_auth.testing import Browser
from tests.profiles.site.visitors import account, deliver, get, new_browser, rows, signed_in
from tests.webhooks.deliveries import user_event

if not apps.is_installed("logto_auth.audit"):
    pytest.skip("This site has no audit trail.", allow_module_level=True)

from logto_auth.audit.apps import connect_receivers, disconnect_receivers
from logto_auth.audit.models import AuditEvent, AuditSeal, RefusedSignIns
from logto_auth.audit.pruning import prune

SUB = "reader000001"
USERS = "admin:{0.app_label}_{0.model_name}_{{}}".format(get_user_model()._meta)


@pytest.fixture(autouse=True)
def trail() -> Iterator[None]:
    connect_receivers()
    yield
    disconnect_receivers()


def logto_audit(*arguments: str) -> str:
    output = StringIO()
    call_command("logto_audit", *arguments, stdout=output)
    return output.getvalue()


def events(*names: str) -> list[Any]:
    return list(rows(AuditEvent).order_by("pk").values_list(*names))


def test_what_happens_is_recorded_and_sealed(logto: Emulator) -> None:
    reader = signed_in(logto, "reader")
    reader.sign_out()
    signed_in(logto, "reader")
    assert deliver(user_event("User.SuspensionStatus.Updated", SUB, isSuspended=True)) == 204
    key = str(account(SUB).pk)
    assert events("action", "actor_id", "user_id") == [
        ("account_created", key, key),
        ("sign_in", key, key),
        ("sign_out", key, key),
        ("sign_in", key, key),
        ("session_ended", "", key),
        ("suspended", "", key),
    ]
    logto_audit("seal", "--delay", "0")
    assert "6 sealed" in logto_audit("verify")
    assert "suspended" in logto_audit("export")


def test_account_that_staff_delete_is_recorded_and_erased(logto: Emulator) -> None:
    signed_in(logto, "reader")
    admin, key = signed_in(logto, "admin"), str(account(SUB).pk)
    admin.client.post(reverse(USERS.format("delete"), args=[key]), {"post": "yes"})
    recorded = rows(AuditEvent).get(action="account_deleted")
    assert (recorded.actor_id, recorded.user_id, recorded.user_sub) == (str(account("admin0000001").pk), key, SUB)
    assert not any(each.user_data for each in rows(AuditEvent).filter(user_id=key))
    assert "0 sealed" in logto_audit("verify")
    page = get(admin, "admin:logto_audit_auditevent_changelist")
    assert "account_deleted" in page.content.decode()


@pytest.mark.django_db(transaction=True, databases="__all__")
def test_refused_sign_in_is_counted(logto: Emulator) -> None:
    client = new_browser(logto).client
    assert client.get(reverse("logto_auth:callback"), {"state": "unknown", "code": "x"}).status_code == 400
    assert list(rows(RefusedSignIns).values_list("code", "count")) == [("state_unknown", 1)]


def test_sealed_events_are_pruned(reader: Browser) -> None:
    logto_audit("seal", "--delay", "0")
    assert len(list(prune(rows(AuditSeal)))) == 1
    assert events("action") == []
    assert "pruned: 1" in logto_audit("verify")
