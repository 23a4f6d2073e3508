"""The hidden fields of forms with several steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.test import RequestFactory
from freezegun import freeze_time

from logto_auth.account.steps import StepExpired, open_step, seal_step
from logto_auth.emulator import Emulator
from logto_auth.exceptions import SignInRequired
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db
DATA = {"record_id": "rec-1234", "email": "new@example.com"}


def request_of(browser: Browser) -> Any:
    """Return a request of the browser's session, as a view gets it."""
    request: Any = RequestFactory().get("/")
    request.session = SessionStore(browser.client.session.session_key)
    request.user = get_user(request)
    return request


@pytest.fixture
def signed_in(logto: Emulator) -> Callable[[], Any]:
    """Return a function that signs the reader in with a new browser, and returns a request of it."""
    logto.tenant.add_user(username="reader")

    def sign_in() -> Any:
        browser = Browser(logto)
        browser.sign_in("reader")
        return request_of(browser)

    return sign_in


def test_step_is_read_in_its_session(signed_in) -> None:
    request = signed_in()
    text = seal_step(request, "email", DATA)
    assert open_step(request, "email", text) == DATA
    assert "rec-1234" not in text


def test_step_of_other_session_of_user_is_refused(signed_in) -> None:
    text = seal_step(signed_in(), "email", DATA)
    with pytest.raises(StepExpired, match="this session"):
        open_step(signed_in(), "email", text)


def test_step_of_other_form_is_refused(signed_in) -> None:
    request = signed_in()
    with pytest.raises(StepExpired, match="this form"):
        open_step(request, "phone", seal_step(request, "email", DATA))


@pytest.mark.parametrize("text", ["", "x", "é", "\ud800", "\x00", "gAAAAA" + "A" * 100_000])
def test_altered_step_is_refused(signed_in, text: str) -> None:
    with pytest.raises(StepExpired):
        open_step(signed_in(), "email", text)


def test_step_is_valid_for_ten_minutes(signed_in) -> None:
    request = signed_in()
    with freeze_time(tick=False) as clock:
        text = seal_step(request, "email", DATA)
        clock.tick(599)
        assert open_step(request, "email", text) == DATA
        clock.tick(1)
        with pytest.raises(StepExpired, match="has expired"):
            open_step(request, "email", text)


def test_step_ends_with_its_record(signed_in) -> None:
    request = signed_in()
    with freeze_time(tick=False) as clock:
        text = seal_step(request, "email", DATA, expires_at=clock().timestamp() + 60)
        clock.tick(60)
        with pytest.raises(StepExpired):
            open_step(request, "email", text)


def test_step_of_ended_session_is_refused(signed_in) -> None:
    request = signed_in()
    text = seal_step(request, "email", DATA)
    LogtoSession.objects.all().delete()
    request.logto.forget()
    with pytest.raises(SignInRequired):
        open_step(request, "email", text)
