"""Signed-in sessions: refreshed, confirmed, listed and ended, and their access tokens."""

from __future__ import annotations

import copy
import pickle
import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.profiles.site.visitors import account, get, home, is_signed_in, rows, signed_in
from tests.rights import API


@pytest.fixture
def stale(logto: Emulator, settings: Any) -> Browser:
    """A browser of `reader000001` whose session is to be confirmed by Logto at each request."""
    settings.LOGTO_FRESHNESS_SECONDS = 0
    browser = signed_in(logto, "reader")
    logto.requests.clear()
    return browser


def test_stale_session_is_refreshed(stale: Browser, logto: Emulator) -> None:
    logto.tenant.update_user("reader000001", name="Renamed", roles=["editor"])
    assert home(stale)["roles"] == ["editor"]
    assert account("reader000001").first_name == "Renamed"
    assert is_signed_in(stale)
    assert len(logto.requests.to("token")) == 2


def test_suspended_user_is_signed_out_on_refresh(stale: Browser, logto: Emulator) -> None:
    logto.tenant.suspend_user("reader000001")
    assert not is_signed_in(stale)
    assert rows(LogtoSession).count() == 0


def test_outage_keeps_stale_session(stale: Browser, logto: Emulator) -> None:
    logto.faults.http["token"] = HttpFault(status=500)
    assert is_signed_in(stale)
    assert rows(LogtoSession).count() == 1


def test_session_without_refresh_token_is_confirmed_in_silence(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = [scope for scope in settings.LOGTO_SCOPES if scope != "offline_access"]
    browser = signed_in(logto, "reader")
    rows(LogtoSession).update(fresh_until=0)
    to_logto = get(browser, "members")
    assert "prompt=none" in to_logto["Location"]
    assert browser.open(browser.logto.sign_in(to_logto["Location"]))["Location"] == reverse("members")
    assert get(browser, "members").status_code == 200


def test_deactivated_user_is_signed_out_at_once(reader: Browser) -> None:
    user = account("reader000001")
    user.is_active = False
    user.save()
    assert rows(LogtoSession).count() == 0
    assert not is_signed_in(reader)


def test_other_sessions_are_listed_and_ended(logto: Emulator) -> None:
    laptop, phone = (signed_in(logto, "reader", HTTP_USER_AGENT=name) for name in ("laptop", "phone"))
    assert home(phone)["devices"] == ["phone", "laptop"]
    response = phone.client.post(reverse("logto_auth:sign-out-others"), {"next": reverse("members")})
    assert response["Location"] == reverse("members")
    assert (is_signed_in(laptop), is_signed_in(phone)) == (False, True)


def test_expired_rows_are_removed(reader: Browser) -> None:
    rows(LogtoSession).update(delete_after=time.time() - 1)
    output = StringIO()
    call_command("logto_clearsessions", stdout=output)
    assert output.getvalue() == "Expired sessions deleted: 1\n"
    assert rows(LogtoSession).count() == 0


def test_access_token_for_api_is_fetched_once(reader: Browser, logto: Emulator) -> None:
    logto.requests.clear()
    tokens = {get(reader, "api-token", resource=API).content for _ in range(2)}
    assert len(tokens) == 1
    assert len(logto.requests.to("token")) == 1


def test_request_user_can_be_copied_and_pickled(reader: Browser) -> None:
    user = get(reader, "members").wsgi_request.user
    assert copy.deepcopy(user).pk == pickle.loads(pickle.dumps(user)).pk == account("reader000001").pk
