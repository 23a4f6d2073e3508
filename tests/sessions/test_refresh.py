"""The refresh lease: one call to Logto for all requests of a session, and for all sessions in an outage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connections

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ProviderUnreachable
from logto_auth.models import LogtoSession
from logto_auth.sessions.refresh import WAIT_SECONDS
from logto_auth.testing import Browser
from tests.ageing import age

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Browser:
    logto.tenant.add_user(username="reader", id="reader000001", name="Reader")
    browser.sign_in("reader")
    logto.requests.clear()
    return browser


def visit_at_once(logto: Emulator, *, visitors: int, refresh_seconds: float) -> list[bool]:
    """Return for each of several requests of one stale session whether the user is signed in."""
    logto.tenant.add_user(username="reader", id="reader000001")
    reader = Browser(logto)
    reader.sign_in("reader")
    age(reader)
    logto.requests.clear()
    logto.faults.http["token"] = HttpFault(delay_seconds=refresh_seconds)
    seen: list[bool] = []

    def visit() -> None:
        browser = Browser(logto)
        browser.client.cookies = reader.client.cookies
        seen.append(browser.client.get("/").wsgi_request.user.is_authenticated)
        connections.close_all()

    threads = [threading.Thread(target=visit) for _ in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_make_one_refresh(logto: Emulator) -> None:
    assert visit_at_once(logto, visitors=20, refresh_seconds=0.3) == [True] * 20
    assert len(logto.requests.to("token")) == 1


@pytest.mark.django_db(transaction=True)
def test_slow_refresh_after_the_grace_period_keeps_session(logto: Emulator, settings) -> None:
    settings.LOGTO_OUTAGE_GRACE_SECONDS = 0
    assert visit_at_once(logto, visitors=3, refresh_seconds=WAIT_SECONDS + 1) == [True] * 3
    assert len(logto.requests.to("token")) == 1


def test_expired_lease_is_taken_over(reader: Browser, logto: Emulator) -> None:
    row = LogtoSession.objects.get()
    row.no_refresh_before = row.started_at - 1
    row.save()
    age(reader)
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.requests.to("token")) == 1


@pytest.fixture
def killed_refresh(reader: Browser) -> LogtoSession:
    """The row of the stale session of `reader`, which a killed process was refreshing."""
    age(reader)
    row = LogtoSession.objects.get()
    # A lease that has just begun: two calls, and five seconds.
    row.no_refresh_before = time.time() + 2 * (3 + 10) + 5
    row.save()
    return row


def seconds_of(call: Callable[[], object]) -> float:
    began_at = time.monotonic()
    call()
    return time.monotonic() - began_at


def test_one_request_waits_briefly_for_killed_refresh(
    reader: Browser, logto: Emulator, killed_refresh: LogtoSession, caplog: pytest.LogCaptureFixture
) -> None:
    def visit() -> None:
        assert reader.client.get("/").wsgi_request.user.is_authenticated

    assert WAIT_SECONDS - 0.5 < seconds_of(visit) < WAIT_SECONDS + 1
    assert seconds_of(visit) < 0.5
    assert "may have been killed" in caplog.text
    assert len(logto.requests) == 0
    killed_refresh.refresh_from_db()
    assert killed_refresh.no_refresh_before > time.time(), "a process that is only slow still has the lease"
    LogtoSession.objects.update(no_refresh_before=time.time())
    visit()
    assert len(logto.requests.to("token")) == 1
    assert LogtoSession.objects.get().unreachable_since is None


def test_request_does_not_wait_for_refresh_that_began_long_ago(reader: Browser, killed_refresh: LogtoSession) -> None:
    LogtoSession.objects.update(no_refresh_before=killed_refresh.no_refresh_before - WAIT_SECONDS)
    assert seconds_of(lambda: reader.client.get("/")) < 0.5
    assert LogtoSession.objects.get().unreachable_since is not None


def test_request_waits_briefly_for_many_refreshes_in_turn(
    reader: Browser, killed_refresh: LogtoSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_while_another_begins(seconds: float, sleep: Callable[[float], None] = time.sleep) -> None:
        sleep(seconds)
        lease = killed_refresh.no_refresh_before - began_at
        LogtoSession.objects.update(no_refresh_before=time.time() + lease)

    began_at = time.time()
    monkeypatch.setattr(time, "sleep", wait_while_another_begins)
    assert WAIT_SECONDS - 0.5 < seconds_of(lambda: reader.client.get("/")) < WAIT_SECONDS + 1


def test_access_token_waits_briefly_for_killed_refresh(reader: Browser, killed_refresh: LogtoSession) -> None:
    LogtoSession.objects.update(fresh_until=time.time() + 60)
    request = reader.client.get("/").wsgi_request

    def fetch() -> None:
        with pytest.raises(ProviderUnreachable):
            request.logto.access_token()

    assert WAIT_SECONDS - 0.5 < seconds_of(fetch) < WAIT_SECONDS + 1
    assert seconds_of(fetch) < 0.5


def test_killed_refresh_after_the_grace_period_ends_session(
    reader: Browser, killed_refresh: LogtoSession, settings
) -> None:
    settings.LOGTO_OUTAGE_GRACE_SECONDS, settings.LOGTO_HTTP_TIMEOUT_SECONDS = 1, (1, 2)

    def visit() -> None:
        assert not reader.client.get("/").wsgi_request.user.is_authenticated

    assert seconds_of(visit) >= 3


def test_only_one_session_contacts_unreachable_logto(browser: Browser, logto: Emulator) -> None:
    others = []
    for number in range(3):
        logto.tenant.add_user(username=f"reader{number}")
        others.append(Browser(logto))
        others[-1].sign_in(f"reader{number}")
    age(browser, 3605)
    logto.requests.clear()
    logto.faults.http["token"] = HttpFault(drop=True)
    for other in others:
        assert other.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.requests.to("token")) == 1


def test_refresh_without_id_token_confirms_session(reader: Browser, logto: Emulator) -> None:
    logto.faults.token_response = lambda answer: {k: v for k, v in answer.items() if k != "id_token"}
    age(reader)
    for _ in range(2):
        assert reader.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.requests.to("token")) == 1
