"""Refused sign-ins: anybody can cause them, so they are counted."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client

from logto_auth.admin_password import MAX_ATTEMPTS
from logto_auth.audit.models import AuditEvent, RefusedSignIns
from logto_auth.audit.receivers import count_refused
from logto_auth.emulator import Emulator
from logto_auth.exceptions import CallbackError, LogtoError, SignInRefused
from logto_auth.signals import api_keys_limited, sign_in_refused
from logto_auth.testing import Browser
from tests.support import code_on

from .recorded import actions, refused

pytestmark = pytest.mark.django_db(transaction=True)


def callback_path() -> str:
    from django.urls import reverse

    return f"{reverse('logto_auth:callback')}?state=unknown&code=unknown"


def counters() -> dict[str, int]:
    return dict(RefusedSignIns.objects.values_list("code", "count"))


def refuse(code: str) -> None:
    sign_in_refused.send_robust(sender=SignInRefused, request=None, error=SignInRefused("no", code=code))


def test_thousand_refused_sign_ins_are_one_row(client: Client) -> None:
    # At the end of an hour there may be two.
    if time.time() % 3600 > 3590:
        time.sleep(10)
    assert code_on(client.get(callback_path())) == "state_unknown"
    for _ in range(999):
        refuse("state_unknown")
    assert counters() == {"state_unknown": 1000}
    assert not AuditEvent.objects.exists()


def test_code_of_the_site_makes_no_row_of_its_own() -> None:
    for number in range(5):
        refuse(f"own_{number}")
    assert counters() == {"other": 5}


def test_user_whom_the_site_refuses_is_counted(browser: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_CREATE_USERS = False
    logto.tenant.add_user(username="reader")
    assert code_on(browser.sign_in("reader")) == "account_unknown"
    assert counters() == {"account_unknown": 1}


def test_created_account_of_a_refused_sign_in_is_recorded(browser: Browser, logto: Emulator) -> None:
    from logto_auth.signals import user_created

    def deactivate(sender: Any, user: Any, **arguments: Any) -> None:
        user.is_active = False
        user.save()

    logto.tenant.add_user(username="reader")
    user_created.connect(deactivate)
    try:
        assert code_on(browser.sign_in("reader")) == "account_disabled"
    finally:
        user_created.disconnect(deactivate)
    assert (actions(), counters()) == (["account_created"], {"account_disabled": 1})


def test_request_in_a_transaction_is_counted_after_it(client: Client, monkeypatch: Any) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    for _ in range(3):
        assert client.get(callback_path()).status_code == 400
    assert counters() == {"state_unknown": 3}


def test_rolled_back_transaction_is_not_locked_by_a_counter() -> None:
    with transaction.atomic():
        refuse("state_unknown")
        # Nothing is written, or locked, before the end.
        assert counters() == {}
        transaction.set_rollback(True)
    assert counters() == {}


def test_passwords_at_the_admin_are_counted(client: Client, settings: Any) -> None:
    settings.LOGTO_ADMIN_PASSWORD_SIGN_IN = True
    cache.clear()
    get_user_model().objects.create_superuser("break-glass", password="secret")
    get_user_model().objects.create_user("reader", password="secret")
    for name, password in [("break-glass", "wrong")] * (MAX_ATTEMPTS + 2) + [("reader", "secret"), ("nobody", "x")]:
        form = {"username": name, "password": password}
        assert client.post("/admin/login/password/", form).status_code == 200
    assert counters() == {
        "admin_password_invalid_login": MAX_ATTEMPTS + 2,
        "admin_password_too_many_attempts": 2,
    }
    assert actions() == []
    client.post("/admin/login/password/", {"username": "break-glass", "password": "secret"}, REMOTE_ADDR="192.0.2.9")
    assert actions() == ["admin_password_sign_in"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    client.post("/admin/login/password/", form)
    assert counters()["admin_password_attempts_not_counted"] == 1


def test_missing_table_is_logged_and_the_page_shown(client: Client, caplog: Any) -> None:
    with refused("logto_audit_refusedsignins"):
        response = client.get(callback_path())
    assert (response.status_code, code_on(response)) == (400, "state_unknown")
    assert "The audit trail is incomplete" in caplog.text


CODES = ["state_unknown", "account_unknown", "account_disabled"]


def refuse_in_requests(number: int) -> None:
    """Refuse sign-ins in transactions that hold other locks as well, in any order, and close the connection."""
    try:
        for _ in range(20):
            with transaction.atomic():
                for pk in random.sample([1, 2], 1):
                    get_user_model().objects.filter(pk=pk).update(first_name=str(number))
                error: LogtoError = CallbackError("no", code=random.choice(CODES))
                count_refused(CallbackError, error)
    finally:
        connection.close()


def test_parallel_refusals_are_all_counted(caplog: Any) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: nothing is parallel.")
    for number in range(2):
        get_user_model().objects.create_user(f"user{number}")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(refuse_in_requests, range(8)))
    assert sum(RefusedSignIns.objects.values_list("count", flat=True)) == 160
    assert RefusedSignIns.objects.count() <= 2 * len(CODES)
    assert "audit trail" not in caplog.text


def test_limit_of_api_keys_is_recorded_with_address(rf: Any) -> None:
    request = rf.get("/", REMOTE_ADDR="192.0.2.7", headers={"Authorization": "Bearer pat_guess"})
    api_keys_limited.send_robust(sender=object, request=request, network="192.0.2.7")
    event = AuditEvent.objects.get(action="api_keys_limited")
    assert (event.outcome, event.actor_id, event.details) == ("refused", "", {})
    assert event.actor_data["ip_address"] == "192.0.2.7"
    assert "pat_guess" not in repr(vars(event))
