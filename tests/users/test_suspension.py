"""Only a sign-in that was started after the suspension was known lifts it here."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction

from logto_auth.emulator import Emulator
from logto_auth.exceptions import SignInRefused
from logto_auth.models import LogtoIdentity, LogtoSession, UserStatus
from logto_auth.testing import Browser
from logto_auth.users.provisioning import provision_api_user
from logto_auth.users.suspension import suspend
from tests.ageing import age

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Browser:
    """A browser in which the only user has signed in."""
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    return browser


def suspend_here(seconds_ago: float = 0) -> None:
    """Suspend the user on this site. Logto accepts the user: it has lifted the suspension, or does not know of it."""
    assert suspend(LogtoIdentity.objects.get(), UserStatus.SUSPENDED, time.time() - seconds_ago)


def test_code_from_before_suspension_lifts_nothing(reader: Browser, logto: Emulator) -> None:
    other = Browser(logto)
    callback = other.logto.sign_in(other.start(), "reader")
    # Logto's event is older than the token that the code gives, and arrives in between.
    suspend_here(seconds_ago=10)
    response = other.open(callback)
    assert (response.status_code, response.context["code"]) == (403, "account_disabled")
    assert LogtoIdentity.objects.get().status == "suspended"
    assert (LogtoSession.objects.count(), User.objects.get().is_active) == (0, False)


def test_sign_in_started_after_suspension_lifts_it(reader: Browser, logto: Emulator) -> None:
    suspend_here(seconds_ago=10)
    assert Browser(logto).sign_in("reader").status_code == 302
    assert LogtoIdentity.objects.get().status == "active"
    assert User.objects.get().is_active


def test_refresh_lifts_nothing(reader: Browser, settings: Any) -> None:
    settings.LOGTO_FRESHNESS_SECONDS = 0
    LogtoIdentity.objects.update(status=UserStatus.SUSPENDED, status_at=0, status_known_at=0)
    reader.client.get("/")
    assert LogtoIdentity.objects.get().status == "suspended"


def test_silent_sign_in_lifts_nothing(logto: Emulator, browser: Browser, settings: Any) -> None:
    settings.LOGTO_SCOPES = ["openid", "profile"]
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    age(browser)
    to_logto = browser.client.get("/")["Location"]
    assert "prompt=none" in to_logto
    LogtoIdentity.objects.update(status=UserStatus.SUSPENDED, status_at=0, status_known_at=0)
    browser.open(browser.logto.sign_in(to_logto))
    assert LogtoIdentity.objects.get().status == "suspended"


def test_access_token_lifts_nothing(reader: Browser) -> None:
    suspend_here()
    identity = LogtoIdentity.objects.get()
    with pytest.raises(SignInRefused):
        provision_api_user(identity.issuer, identity.sub)
    assert LogtoIdentity.objects.get().status == "suspended"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_simultaneous_suspensions_of_all_identities_deactivate_account() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer at a time: there is no race.")
    user = User.objects.create_user("reader")
    first, second = (
        LogtoIdentity.objects.create(user=user, issuer="https://logto.example/oidc", sub=sub) for sub in ("one", "two")
    )

    def suspend_second() -> None:
        try:
            suspend(second, UserStatus.SUSPENDED, time.time())
        finally:
            connection.close()

    thread = threading.Thread(target=suspend_second)
    with transaction.atomic():
        suspend(first, UserStatus.SUSPENDED, time.time())
        thread.start()
        thread.join(timeout=0.5)
    thread.join(timeout=10)
    user.refresh_from_db()
    assert not user.is_active
