"""The refresh lease: one call to Logto for all requests of a session, and for all sessions in an outage."""

from __future__ import annotations

import threading

import pytest
from django.db import connections

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.ageing import age

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Browser:
    logto.tenant.add_user(username="reader", id="reader000001", name="Reader")
    browser.sign_in("reader")
    logto.requests.clear()
    return browser


@pytest.mark.django_db(transaction=True)
def test_parallel_requests_make_one_refresh(logto: Emulator) -> None:
    logto.tenant.add_user(username="reader", id="reader000001")
    reader = Browser(logto)
    reader.sign_in("reader")
    age(reader)
    logto.requests.clear()
    logto.faults.http["token"] = HttpFault(delay_seconds=0.3)
    seen: list[bool] = []

    def visit() -> None:
        browser = Browser(logto)
        browser.client.cookies = reader.client.cookies
        seen.append(browser.client.get("/").wsgi_request.user.is_authenticated)
        connections.close_all()

    threads = [threading.Thread(target=visit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 20
    assert len(logto.requests.to("token")) == 1


def test_expired_lease_is_taken_over(reader: Browser, logto: Emulator) -> None:
    row = LogtoSession.objects.get()
    row.no_refresh_before = row.started_at - 1
    row.save()
    age(reader)
    assert reader.client.get("/").wsgi_request.user.is_authenticated
    assert len(logto.requests.to("token")) == 1


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
