"""Sign-out: here, at Logto, and from Logto (back-channel logout)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import reverse

from logto_auth.emulator import Emulator, VisitFailed
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser, register_site
from tests.profiles.site.visitors import (
    SiteClient,
    home,
    is_signed_in,
    local_user,
    log_out_from_logto,
    rows,
    signed_in,
)


def test_sign_out_ends_session_here_and_at_logto(reader: Browser) -> None:
    assert urlsplit(reader.sign_out()).path == reverse("home")
    assert not is_signed_in(reader)
    assert rows(LogtoSession).count() == 0
    with pytest.raises(VisitFailed, match="asks for a sign-in"):
        reader.sign_in()


def test_sign_out_without_redirect_url_stays_on_site(reader: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGOUT_REDIRECT_URL = None
    register_site(logto, "http://testserver")
    assert reader.open(reader.sign_out()).status_code in (200, 302)


def test_password_user_signs_out_without_logto(logto: Emulator) -> None:
    client = SiteClient()
    client.force_login(local_user("local"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(reverse("members")).status_code == 200
    logto.requests.clear()
    assert client.post(reverse("logto_auth:sign-out"))["Location"] == reverse("home")
    assert len(logto.requests) == 0


def test_logout_token_with_sid_ends_one_session(reader: Browser, logto: Emulator) -> None:
    other = signed_in(logto, "reader")
    response = log_out_from_logto(logto, sub="reader000001", sid=home(other)["sid"])
    assert response.status_code == 200
    assert (is_signed_in(reader), is_signed_in(other)) == (True, False)


def test_logout_token_without_sid_ends_all_sessions(reader: Browser, logto: Emulator) -> None:
    other = signed_in(logto, "reader")
    assert log_out_from_logto(logto, sub="reader000001").status_code == 200
    assert (is_signed_in(reader), is_signed_in(other)) == (False, False)
    assert rows(LogtoSession).count() == 0


def test_logout_token_for_other_application_is_refused(reader: Browser, logto: Emulator) -> None:
    assert log_out_from_logto(logto, sub="reader000001", aud="another").status_code == 400
    assert is_signed_in(reader)
