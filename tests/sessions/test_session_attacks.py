"""Attacks on sessions: fixation, forged sign-outs, a broken provider, deactivated accounts, and passwords."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.contrib.auth import aauthenticate, authenticate, get_user_model
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import AsyncClient, Client

from logto_auth.backends import logto_backend
from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.testing import Browser
from tests.support import SOME_BROKEN, Witness, row_of, signed_in_user_key, with_query

pytestmark = pytest.mark.django_db
User = get_user_model()


def session_key(browser: Browser) -> str:
    return browser.client.cookies[django_settings.SESSION_COOKIE_NAME].value


def remember(browser: Browser, **values: Any) -> str:
    """Store values in the session of the browser and return its key."""
    session: SessionBase = browser.client.session
    session.update(values)
    session.save()
    assert session.session_key is not None
    return session.session_key


def test_session_key_from_before_sign_in_is_invalid(browser: Browser, witness: Witness, reader: Any) -> None:
    planted = remember(browser, basket={"1": 2})
    witness.sees_signed_in(browser.sign_in("reader"))
    assert session_key(browser) != planted
    assert not SessionStore().exists(planted)
    # Data of the anonymous session is kept, as in Django.
    assert browser.client.session["basket"] == {"1": 2}


def test_next_user_gets_no_data_of_previous_one(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    logto.tenant.add_user(username="second")
    witness.sees_signed_in(browser.sign_in("reader"))
    old = remember(browser, secret="of the first")
    second = witness.sees_signed_in(browser.sign_in("second", prompt="login"))
    assert second.username == "second"
    assert session_key(browser) != old
    assert not SessionStore().exists(old)
    assert "secret" not in browser.client.session
    assert [row.identity.user for row in LogtoSession.objects.all()] == [second]


def test_session_key_changes_when_same_user_signs_in(browser: Browser, witness: Witness, reader: Any) -> None:
    witness.sees_signed_in(browser.sign_in("reader"))
    old = remember(browser, kept="yes")
    witness.sees_signed_in(browser.sign_in("reader", prompt="login"))
    assert session_key(browser) != old
    assert not SessionStore().exists(old)
    assert browser.client.session["kept"] == "yes"
    assert LogtoSession.objects.get() == row_of(browser)


def test_csrf_token_changes_at_sign_in(browser: Browser, reader: Any) -> None:
    browser.client.get("/account/claims", follow=False)
    browser.client.cookies[django_settings.CSRF_COOKIE_NAME] = "a" * 32
    browser.sign_in("reader")
    assert browser.client.cookies[django_settings.CSRF_COOKIE_NAME].value != "a" * 32


def test_failed_sign_in_keeps_session(browser: Browser, logto: Emulator, witness: Witness, reader: Any) -> None:
    witness.sees_signed_in(browser.sign_in("reader"))
    key = remember(browser, kept="yes")
    logto.faults.http["token"] = HttpFault(status=500)
    witness.sees_refused(lambda: browser.sign_in(ui_locales="en"), "provider_error", 502)
    assert session_key(browser) == key
    assert browser.client.session["kept"] == "yes"


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_sign_out_requires_post(browser: Browser, reader: Any, method: str) -> None:
    browser.sign_in("reader")
    assert getattr(browser.client, method)("/sign-out").status_code == 405
    assert signed_in_user_key(browser.client) is not None


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
def test_post_of_another_site_does_not_sign_out(logto: Emulator, reader: Any, origin: str | None) -> None:
    browser = Browser(logto, Client(enforce_csrf_checks=True))
    browser.sign_in("reader")
    headers = {"Origin": origin} if origin else {}
    assert browser.client.post("/sign-out", headers=headers).status_code == 403
    assert browser.client.post("/admin/logout/", headers=headers).status_code == 403
    assert signed_in_user_key(browser.client) is not None
    token = browser.client.cookies[django_settings.CSRF_COOKIE_NAME].value
    assert browser.client.post("/sign-out", {"csrfmiddlewaretoken": token}).status_code == 302
    assert signed_in_user_key(browser.client) is None


@pytest.mark.parametrize(
    ("endpoint", "is_new_process"),
    [("discovery", True), ("jwks", True), ("revocation", False)],
    ids=["discovery", "jwks", "revocation"],
)
@pytest.mark.parametrize(("fault", "code", "status"), SOME_BROKEN)
def test_broken_provider_does_not_stop_sign_out(
    browser: Browser,
    logto: Emulator,
    witness: Witness,
    reader: Any,
    settings: Any,
    caplog: Any,
    fault: HttpFault,
    spoil: Callable[[str, HttpFault], None],
    code: str,
    status: int,
    endpoint: str,
    is_new_process: bool,
) -> None:
    browser.sign_in("reader")
    old = session_key(browser)
    if is_new_process:
        reset_clients()
    spoil(endpoint, fault)
    response = browser.client.post("/sign-out")
    assert response.status_code in (200, 302)
    assert response["Cache-Control"] == "no-store"
    assert signed_in_user_key(browser.client) is None
    assert not SessionStore().exists(old)
    assert LogtoSession.objects.count() == 0
    if response.status_code == 200:
        assert b"You are signed out of this site." in response.content
    witness.sees_no_secret_in(caplog.text)


def test_repeated_sign_out_is_no_error(browser: Browser, reader: Any) -> None:
    assert browser.client.post("/sign-out").status_code == 302
    browser.sign_in("reader")
    assert browser.client.post("/sign-out").status_code == 302
    assert browser.client.post("/sign-out").status_code == 302


def test_sign_out_of_deleted_session_is_no_error(browser: Browser, reader: Any) -> None:
    browser.sign_in("reader")
    LogtoSession.objects.all().delete()
    assert browser.client.post("/sign-out").status_code == 302
    browser.sign_in("reader")
    Session.objects.all().delete()
    assert browser.client.post("/sign-out").status_code == 302
    assert signed_in_user_key(browser.client) is None


@pytest.mark.parametrize(
    "state",
    [
        pytest.param(..., id="oidcc-client-test-rp-init-logout"),
        pytest.param("other", id="oidcc-client-test-rp-init-logout-other-state"),
        pytest.param(None, id="oidcc-client-test-rp-init-logout-no-state"),
        pytest.param("<script>\x00" + "x" * 5000, id="odd-state"),
    ],
)
def test_return_from_sign_out_is_an_ordinary_request(
    browser: Browser, logto: Emulator, reader: Any, state: Any
) -> None:
    browser.sign_in("reader")
    landed = browser.sign_out()
    response = browser.open(landed if state is ... else with_query(landed, state=state))
    assert response.status_code == 200
    assert not response.wsgi_request.user.is_authenticated
    assert b"<script>\x00" not in response.content


@pytest.mark.parametrize("times", [1, 2])
def test_deactivated_user_cannot_sign_in(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, times: int
) -> None:
    user = User.objects.create_user("local", is_active=False)
    LogtoIdentity.objects.create(user=user, issuer=logto.issuer, sub=reader.id)
    for _ in range(times):
        response = witness.sees_refused(lambda: browser.sign_in("reader"), "account_disabled", 403)
        # Trying again would fail in the same way, because Logto still has a session.
        assert 'action="/sign-out"' in response.content.decode()


def test_user_suspended_before_callback_cannot_sign_in(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    url = browser.logto.sign_in(browser.start(), "reader")
    logto.tenant.suspend_user(reader.id)
    witness.sees_refused(lambda: browser.open(url), "code_rejected", 400)


def test_visitor_message_is_escaped(browser: Browser, witness: Witness, reader: Any, settings: Any) -> None:
    settings.LOGTO_USER_FIELDS = "tests.support.refuse_everyone"
    page = witness.sees_refused(lambda: browser.sign_in("reader"), "refused_by_site", 403).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; Closed today." in page
    assert "<script>" not in page


@pytest.mark.parametrize("end", ["disabled", "deleted"])
def test_session_ends_with_account_at_next_request(browser: Browser, witness: Witness, reader: Any, end: str) -> None:
    user = witness.sees_signed_in(browser.sign_in("reader"))
    if end == "disabled":
        User.objects.filter(pk=user.pk).update(is_active=False)
    else:
        user.delete()
    response = browser.client.get("/account/claims")
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in")
    request = response.wsgi_request
    assert not request.user.is_authenticated
    assert not request.logto.is_authenticated
    assert (dict(request.logto.claims), request.logto.sub) == ({}, None)


@pytest.mark.django_db(transaction=True)
def test_session_ends_with_account_in_async_views(browser: Browser, witness: Witness, reader: Any) -> None:
    user = witness.sees_signed_in(browser.sign_in("reader"))
    client = AsyncClient()
    client.cookies = browser.client.cookies

    async def visitor() -> Any:
        response = await client.get("/account/claims")
        user = await response.asgi_request.auser()
        await sync_to_async(connections.close_all)()
        return user

    User.objects.filter(pk=user.pk).update(is_active=False)
    assert not asyncio.run(visitor()).is_authenticated


# Passwords


@pytest.mark.parametrize("credentials", [{"username": "local"}, {"email": "a@example.com"}, {"token": "x"}, {}])
def test_backend_ignores_passwords_and_unverified_credentials(settings: Any, credentials: dict[str, str]) -> None:
    settings.AUTHENTICATION_BACKENDS = ["logto_auth.backends.LogtoBackend"]
    User.objects.create_user("local", "a@example.com", "secret")
    assert authenticate(None, password="secret", **credentials) is None
    assert asyncio.run(logto_backend().aauthenticate(None, password="secret", **credentials)) is None


@pytest.mark.django_db(transaction=True)
def test_backend_ignores_passwords_in_async_code(settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = ["logto_auth.backends.LogtoBackend"]
    User.objects.create_user("local", "a@example.com", "secret")

    async def attempt() -> Any:
        user = await aauthenticate(None, username="local", password="secret")
        await sync_to_async(connections.close_all)()
        return user

    assert asyncio.run(attempt()) is None
