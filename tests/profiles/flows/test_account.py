"""The account pages: the verification, a change, a new password, and the sessions."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from tests.profiles.site.visitors import is_signed_in, rows, signed_in
from tests.rights import SCOPES

PASSWORD, NEW = "reader-password-1", "a-Long-and-new-passphrase-7"


@pytest.fixture
def reader(logto: Emulator, settings: Any) -> Browser:
    """A browser of a user with a password, at a Logto that lets users change everything."""
    settings.LOGTO_SCOPES = (*SCOPES, "profile", "email", "identities", "urn:logto:scope:sessions")
    logto.tenant.enable_account_center()
    logto.tenant.update_user("reader000001", password=PASSWORD)
    return signed_in(logto, "reader")


def page(name: str) -> str:
    return reverse(f"logto_account:{name}")


def verify(reader: Browser, name: str) -> Any:
    """Open a page that requires the verification, enter the password, and return the response."""
    response = reader.client.get(page(name))
    url = urlsplit(response["Location"])
    assert (url.path, parse_qs(url.query)["next"]) == (page("verify"), [page(name)])
    return reader.client.post(response["Location"], {"action": "password", "password": PASSWORD})


def test_name_is_changed_here_and_at_logto(reader: Browser, logto: Emulator) -> None:
    data = {"action": "about", "name": "Ada", "initial-name": "", "avatar": "", "initial-avatar": ""}
    assert reader.client.post(page("profile"), data)["Location"] == page("profile")
    assert logto.tenant.users["reader000001"].name == "Ada"
    assert "Ada" in reader.client.get(page("profile")).content.decode()


def test_verification_leads_back_to_the_page(reader: Browser) -> None:
    assert verify(reader, "username")["Location"] == page("username")
    assert reader.client.get(page("username")).status_code == 200


def test_new_password_ends_other_sessions(reader: Browser, logto: Emulator) -> None:
    other = signed_in(logto, "reader")
    assert verify(reader, "password")["Location"] == page("password")
    response = reader.client.post(page("password"), {"action": "save", "new_password": NEW, "repeated": NEW})
    assert response["Location"] == page("security")
    assert (is_signed_in(reader), is_signed_in(other)) == (True, False)
    assert rows(LogtoSession).count() == 1
    assert len(logto.instances.sessions) == 1


def test_sessions_are_listed_and_ended(reader: Browser, logto: Emulator) -> None:
    other = signed_in(logto, "reader")
    assert reader.client.get(page("sessions")).status_code == 200
    assert reader.client.post(page("sessions"), {"action": "end-others"})["Location"] == page("sessions")
    assert (is_signed_in(reader), is_signed_in(other)) == (True, False)


def test_visitor_signs_in_first(browser: Browser) -> None:
    assert urlsplit(browser.client.get(page("security"))["Location"]).path == reverse("logto_auth:sign-in")
