"""The rows of sessions: as the user and the admin see them, and what they store."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.urls import reverse
from django.utils.timezone import now

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def devices(logto: Emulator) -> list[Browser]:
    logto.tenant.add_user(username="reader")
    browsers = []
    for name in ("Laptop", "Phone", "Library"):
        browser = Browser(logto)
        browser.client.defaults["HTTP_USER_AGENT"] = name
        browser.sign_in("reader")
        browsers.append(browser)
    return browsers


def test_sessions_list_browser_address_and_current_one(devices: list[Browser]) -> None:
    sessions = devices[1].client.get("/sign-in").wsgi_request.logto.sessions
    assert [(session.user_agent, session.is_current) for session in sessions] == [
        ("Library", False),
        ("Phone", True),
        ("Laptop", False),
    ]
    assert {session.ip_address for session in sessions} == {"127.0.0.1"}


def test_other_sessions_can_be_ended(devices: list[Browser]) -> None:
    response = devices[1].client.post("/sign-out-others", {"next": "/account/"})
    assert response["Location"] == "/account/"
    assert ["_auth_user_id" in browser.client.session for browser in devices] == [False, True, False]
    assert LogtoSession.objects.count() == 1


def test_ending_others_requires_post_and_signed_in_user(devices: list[Browser], client) -> None:
    assert devices[0].client.get("/sign-out-others").status_code == 405
    assert client.post("/sign-out-others").status_code == 302
    assert LogtoSession.objects.count() == 3


def test_admin_action_ends_all_sessions_of_user(devices: list[Browser], admin_client, logto: Emulator) -> None:
    user = User.objects.get(username="reader")
    page = admin_client.get(reverse("admin:auth_user_change", args=[user.pk])).content.decode()
    assert "Library" in page
    action = {"action": "sign_out_everywhere", "_selected_action": [user.pk]}
    response = admin_client.post(reverse("admin:auth_user_changelist"), action, follow=True)
    assert "3 sessions were ended." in response.content.decode()
    assert not any("_auth_user_id" in browser.client.session for browser in devices)


def test_long_user_agent_is_truncated(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    browser.client.defaults["HTTP_USER_AGENT"] = "x" * 5000
    browser.client.defaults["REMOTE_ADDR"] = "unix:"
    assert browser.sign_in("reader").status_code == 302
    assert LogtoSession.objects.get().ip_address is None


def test_clearsessions_deletes_expired_sessions_only(devices: list[Browser], settings, capsys) -> None:
    LogtoSession.objects.filter(session_key=devices[0].client.session.session_key).update(
        fresh_until=now() - timedelta(seconds=settings.SESSION_COOKIE_AGE + 3601)
    )
    call_command("logto_clearsessions")
    assert capsys.readouterr().out == "Expired sessions deleted: 1\n"
    assert LogtoSession.objects.count() == 2


def test_models_show_no_tokens(devices: list[Browser]) -> None:
    row = LogtoSession.objects.select_related("identity").first()
    assert str(row) == str(row.pk)
    assert str(row.identity) == row.identity.sub
    assert row.encrypted_tokens not in repr(row)


def test_forwarded_headers_do_not_change_ip_address(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    for header in ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED"):
        browser.client.defaults[header] = "203.0.113.7"
    browser.sign_in("reader")
    assert LogtoSession.objects.get().ip_address == "127.0.0.1"


def test_reused_sub_gets_a_new_user(browser: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_STAFF_ROLES = ("admin",)
    logto.tenant.add_role("admin")
    sub = logto.tenant.add_user(username="reader", roles=["admin"]).id
    browser.sign_in("reader")
    User.objects.get().delete()
    logto.tenant.delete_user(sub)
    logto.tenant.add_user(username="newcomer", id=sub)
    Browser(logto).sign_in("newcomer")
    user = User.objects.get()
    assert (user.username, user.is_staff) == ("newcomer", False)
