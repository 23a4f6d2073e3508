"""Sign-in, from a protected page through Logto and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.db import DataError
from django.db.models.signals import pre_save
from django.urls import reverse

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.testing import Browser
from tests.profiles.site.visitors import account, get, home, is_signed_in, local_user, new_browser, rows, signed_in

User = get_user_model()


def trust_all(claims: Any) -> bool:
    return True


def test_protected_page_leads_through_logto_and_back(browser: Browser) -> None:
    to_sign_in = get(browser, "members")
    assert to_sign_in.status_code == 302
    to_logto = browser.open(to_sign_in["Location"])
    back = browser.open(browser.logto.sign_in(to_logto["Location"], "reader"))
    assert (back.status_code, back["Location"]) == (302, reverse("members"))
    assert get(browser, "members").json()["user"] == str(account("reader000001").pk)


def test_sign_in_without_next_leads_home(browser: Browser) -> None:
    assert browser.sign_in("reader")["Location"] == reverse("home")
    assert home(browser)["sub"] == "reader000001"


def test_first_sign_in_creates_account(reader: Browser) -> None:
    user = account("reader000001")
    assert (user.email, user.first_name, user.has_usable_password()) == ("reader@example.com", "Reader", False)
    assert rows(LogtoIdentity).get().roles == ["reader"]


def test_next_sign_in_updates_account(reader: Browser, logto: Emulator) -> None:
    logto.tenant.update_user("reader000001", name="Renamed", primary_email="new@example.com")
    signed_in(logto, "reader")
    user = account("reader000001")
    assert (user.first_name, user.email) == ("Renamed", "new@example.com")
    assert rows(User).count() == 1


def test_roles_give_flags_and_groups(editor: Browser, logto: Emulator) -> None:
    signed_in(logto, "admin")
    assert [group.name for group in account("editor000001").groups.all()] == ["Editors"]
    assert (account("admin0000001").is_staff, account("editor000001").is_staff) == (True, False)


def test_taken_name_does_not_give_account_away(browser: Browser) -> None:
    local = local_user("reader", email="reader@example.com")
    browser.sign_in("reader")
    assert account("reader000001").pk != local.pk
    assert rows(User).count() == 2


def test_trusted_email_links_local_account(browser: Browser, settings: Any) -> None:
    settings.LOGTO_LINK_BY_EMAIL = f"{__name__}.trust_all"
    local = local_user("local", email="reader@example.com")
    browser.sign_in("reader")
    assert account("reader000001").pk == local.pk
    assert home(browser)["user"] == str(local.pk)


def test_inactive_user_is_refused(reader: Browser, logto: Emulator) -> None:
    rows(User).update(is_active=False)
    assert not is_signed_in(reader)
    response = new_browser(logto).sign_in("reader")
    assert (response.status_code, response.context["code"]) == (403, "account_disabled")


@pytest.fixture
def broken_identities() -> Iterator[None]:
    """Each row of `LogtoIdentity` fails when it is saved."""

    def fail(**kwargs: Any) -> None:
        raise DataError("The row cannot be stored.")

    pre_save.connect(fail, sender=LogtoIdentity)
    yield
    pre_save.disconnect(fail, sender=LogtoIdentity)


@pytest.mark.usefixtures("broken_identities")
def test_failed_first_sign_in_leaves_no_account(browser: Browser) -> None:
    assert browser.sign_in("reader").status_code == 403
    assert rows(User).count() == 0


def test_denied_sign_in_shows_error_page(browser: Browser, logto: Emulator) -> None:
    state = parse_qs(urlsplit(browser.start()).query)["state"][0]
    query = {"state": state, "iss": logto.issuer, "error": "access_denied"}
    response = get(browser, "logto_auth:callback", **query)
    assert (response.status_code, response.context["code"]) == (403, "access_denied")
    assert not is_signed_in(browser)


def test_unknown_state_is_refused(browser: Browser, logto: Emulator) -> None:
    response = get(browser, "logto_auth:callback", code="x", state="unknown", iss=logto.issuer)
    assert (response.status_code, response.context["code"]) == (400, "state_unknown")


def test_links_of_error_page_stay_on_site(browser: Browser, logto: Emulator) -> None:
    follow_links(browser, get(browser, "logto_auth:callback", code="x", state="unknown", iss=logto.issuer))


def test_links_of_403_page_stay_on_site(reader: Browser) -> None:
    follow_links(reader, get(reader, "editors"))


def follow_links(browser: Browser, response: Any) -> None:
    """Open each link of a page, which must be on this site."""
    links = re.findall(r'href="(/[^"]*)"', response.content.decode())
    assert len(links) == 2
    for link in links:
        assert browser.open(link.replace("&amp;", "&")).status_code in (200, 302)


def test_callback_cannot_be_used_twice(browser: Browser, settings: Any) -> None:
    callback = browser.logto.sign_in(browser.start(), "reader")
    assert browser.open(callback).status_code == 302
    del browser.client.cookies[settings.SESSION_COOKIE_NAME]
    response = browser.open(callback)
    assert (response.status_code, response.context["code"]) == (400, "state_used")


def test_page_that_requires_recent_sign_in_asks_again(reader: Browser) -> None:
    to_logto = reader.open(get(reader, "recent")["Location"])
    back = reader.open(reader.logto.sign_in(to_logto["Location"], "reader"))
    assert back["Location"] == reverse("recent")
    assert get(reader, "recent").content == b"recent"


def test_buttons_lead_to_pages_of_site(editor: Browser, logto: Emulator) -> None:
    signed_in = get(editor, "home", buttons="").content.decode()
    assert f'action="{reverse("logto_auth:sign-out")}"' in signed_in
    assert f'action="{reverse("logto_auth:choose-organization")}"' in signed_in
    signed_out = get(new_browser(logto), "home", buttons="").content.decode()
    assert reverse("logto_auth:sign-in") in signed_out


def test_sign_in_again_replaces_session(reader: Browser, logto: Emulator) -> None:
    assert reader.sign_in("reader", prompt="login").status_code == 302
    assert rows(LogtoSession).count() == 1
    reader.logto.sign_out(f"{logto.endpoint}/oidc/session/end?client_id={next(iter(logto.tenant.applications))}")
    reader.sign_in("editor", prompt="login")
    assert home(reader)["sub"] == "editor000001"
