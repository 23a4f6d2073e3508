"""The signal `session_ended`: once for each session, by what ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import OperationalError, connection, connections
from django.http import HttpRequest
from django.urls import reverse

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoIdentity, LogtoSession, UserStatus
from logto_auth.signals import session_ended
from logto_auth.testing import Browser
from logto_auth.transactions import repeat_after_deadlock
from logto_auth.users.suspension import suspend
from tests.ageing import age

pytestmark = pytest.mark.django_db
User = get_user_model()


class Ended:
    """What receivers of the signal have got."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.users: list[str] = []
        self.requests: list[HttpRequest | None] = []
        self.in_transaction: list[bool] = []

    def note(self, user: Any, reason: str, request: HttpRequest | None, **kwargs: object) -> None:
        self.reasons.append(reason)
        self.users.append(user.get_username())
        self.requests.append(request)
        self.in_transaction.append(connection.in_atomic_block)


@pytest.fixture
def ended() -> Iterator[Ended]:
    ended = Ended()
    session_ended.connect(ended.note, sender=User)
    yield ended
    session_ended.disconnect(ended.note, sender=User)


def end_others(devices: list[Browser]) -> None:
    devices[0].client.post("/sign-out-others")


def suspend_everywhere(devices: list[Browser]) -> None:
    assert suspend(LogtoIdentity.objects.get(), UserStatus.SUSPENDED, time.time())


def deactivate(devices: list[Browser]) -> None:
    user = User.objects.get()
    user.is_active = False
    user.save()


@pytest.mark.parametrize(
    ("end", "reason", "count"),
    [
        (end_others, "ended_by_user", 2),
        (suspend_everywhere, "account_disabled", 3),
        (deactivate, "account_disabled", 3),
    ],
)
def test_signal_is_sent_once_for_each_ended_session(
    devices: list[Browser], ended: Ended, end: Callable[[list[Browser]], None], reason: str, count: int
) -> None:
    end(devices)
    for browser in devices * 2:
        browser.client.get("/")
    assert ended.reasons == [reason] * count
    assert ended.users == ["reader"] * count
    assert ended.requests == [None] * count


def test_signal_is_sent_for_action_of_staff(devices: list[Browser], admin_client: Any, ended: Ended) -> None:
    action = {"action": "sign_out_everywhere", "_selected_action": [User.objects.get(username="reader").pk]}
    assert (
        b"3 sessions were ended."
        in admin_client.post(reverse("admin:auth_user_changelist"), action, follow=True).content
    )
    assert (ended.reasons, ended.requests) == (["ended_by_staff"] * 3, [None] * 3)


@pytest.mark.django_db(transaction=True)
def test_signal_is_sent_for_sign_out_at_logto(
    browser: Browser, logto: Emulator, live_server: Any, ended: Ended, settings: Any
) -> None:
    application = logto.tenant.applications[settings.LOGTO_APP_ID]
    application.backchannel_logout_uri = f"{live_server.url}/back-channel-logout"
    application.backchannel_logout_session_required = True
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    browser.logto.sign_out(f"{logto.endpoint}/oidc/session/end?client_id={application.id}")
    browser.client.get("/")
    assert (ended.reasons, ended.requests) == (["signed_out_at_logto"], [None])


def test_signal_has_request_that_refreshes(devices: list[Browser], logto: Emulator, ended: Ended) -> None:
    logto.tenant.suspend_user(LogtoIdentity.objects.get().sub)
    age(devices[0])
    request = devices[0].client.get("/account/claims").wsgi_request
    assert ended.reasons == ["sign_in_required"]
    assert ended.requests == [request]


def test_signal_has_request_of_unconfirmed_session(devices: list[Browser], settings: Any, ended: Ended) -> None:
    reader = devices[0]
    reader.client.logout()
    reader.client.force_login(User.objects.get(), backend="logto_auth.backends.LogtoBackend")
    age(reader)
    callback = reader.client.get("/")["Location"]
    reader.logto.session.cookies.clear()
    request = reader.open(reader.logto.sign_in(callback)).wsgi_request
    reader.client.get("/")
    assert (ended.reasons, ended.requests) == (["login_required"], [request])


def test_signal_is_not_sent_for_other_ends(devices: list[Browser], ended: Ended) -> None:
    devices[0].client.post("/sign-out")
    devices[1].sign_in("reader", prompt="login")
    LogtoSession.objects.filter(pk=devices[2].client.session["_logto_session"]).update(delete_after=0)
    call_command("logto_clearsessions", verbosity=0)
    User.objects.get().delete()
    assert LogtoSession.objects.count() == 0
    for browser in devices:
        browser.client.get("/")
    assert ended.reasons == []


@pytest.mark.django_db(transaction=True)
def test_signal_is_sent_after_transaction_of_suspension(devices: list[Browser], ended: Ended) -> None:
    suspend_everywhere(devices)
    assert ended.in_transaction == [False] * 3


# Parallel requests


def at_once(call: Callable[[], object], times: int) -> None:
    barrier = threading.Barrier(times)

    def run() -> None:
        barrier.wait()
        call()
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cause", ["refresh", "outage", "row"])
def test_parallel_requests_send_one_signal(
    browser: Browser, logto: Emulator, settings: Any, ended: Ended, cause: str
) -> None:
    logto.tenant.add_user(username="reader", id="reader000001")
    browser.sign_in("reader")
    age(browser)
    if cause == "refresh":
        logto.tenant.suspend_user("reader000001")
        logto.faults.http["token"] = HttpFault(delay_seconds=0.2)
    elif cause == "outage":
        settings.LOGTO_OUTAGE_GRACE_SECONDS = 0
        logto.faults.http["token"] = HttpFault(drop=True)
    else:
        LogtoSession.objects.all().end(reason="ended_by_staff")

    def visit() -> None:
        other = Browser(logto)
        other.client.cookies = browser.client.cookies
        assert not other.client.get("/").wsgi_request.user.is_authenticated

    at_once(visit, 16)
    assert len(ended.reasons) == 1


@pytest.mark.django_db(transaction=True)
def test_parallel_ends_of_several_sessions_send_one_signal_each(devices: list[Browser], ended: Ended) -> None:
    counts: list[int] = []
    all_have_read = threading.Barrier(2)

    def end() -> None:
        waits = [True]

        def wait_before_first_write(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            if sql.startswith(("BEGIN", "DELETE")) and waits:
                waits.pop()
                all_have_read.wait(10)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(wait_before_first_write):
            counts.append(LogtoSession.objects.all().end(reason="ended_by_staff"))

    at_once(end, 2)
    assert sum(counts) == len(ended.reasons) == 3


@pytest.mark.django_db(transaction=True)
def test_repetition_after_deadlock_sends_one_signal_each(devices: list[Browser], ended: Ended) -> None:
    deletions: list[str] = []

    def break_second_deletion(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("DELETE"):
            deletions.append(sql)
            if len(deletions) == 2:
                raise OperationalError(1213, "Deadlock found when trying to get lock")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(break_second_deletion):
        repeat_after_deadlock(partial(LogtoSession.objects.all().end, reason="signed_out_at_logto"))
    assert ended.reasons == ["signed_out_at_logto"] * 3
    assert not LogtoSession.objects.exists()
