"""The end of a session: by the user, by staff, with the account, and by expiry."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test.utils import isolate_apps
from django.urls import reverse

from logto_auth.apps import connect_to_account
from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.signals import session_ended, signed_out
from logto_auth.testing import Browser
from tests.ageing import age
from tests.support import row_of

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Browser:
    logto.tenant.add_user(username="reader", id="reader000001")
    browser.sign_in("reader")
    return browser


def is_signed_in(browser: Browser) -> bool:
    return browser.client.get("/").wsgi_request.user.is_authenticated


def test_other_sessions_can_be_ended(devices: list[Browser]) -> None:
    response = devices[1].client.post("/sign-out-others", {"next": "/account/claims"})
    assert response["Location"] == "/account/claims"
    assert [is_signed_in(browser) for browser in devices] == [False, True, False]
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
    assert not any(is_signed_in(browser) for browser in devices)


def test_clearsessions_deletes_expired_sessions_only(devices: list[Browser], settings, capsys) -> None:
    LogtoSession.objects.filter(pk=row_of(devices[0]).pk).update(delete_after=time.time() - 1)
    call_command("logto_clearsessions")
    assert capsys.readouterr().out == "Expired sessions deleted: 1\n"
    assert LogtoSession.objects.count() == 2


def test_deactivating_or_deleting_user_ends_sessions(reader: Browser, logto: Emulator) -> None:
    Browser(logto).sign_in("reader")
    user = User.objects.get()
    user.is_active = False
    user.save()
    assert LogtoSession.objects.count() == 0
    assert not is_signed_in(reader)
    user.is_active = True
    user.save()
    again = Browser(logto)
    again.sign_in("reader")
    user.delete()
    assert LogtoSession.objects.count() == 0
    assert not is_signed_in(again)


@isolate_apps("tests.sessions")
def test_proxy_of_the_user_model_ends_sessions_too(reader: Browser) -> None:
    class Colleague(User):  # type: ignore[misc, valid-type]
        class Meta:
            app_label, proxy = "sessions", True

    connect_to_account(Colleague)
    colleague = Colleague.objects.get()
    colleague.is_active = False
    colleague.save()
    assert LogtoSession.objects.count() == 0
    assert not is_signed_in(reader)


def test_user_model_is_sender_of_signals(reader: Browser, logto: Emulator) -> None:
    seen: list[object] = []

    def note(user: object, **kwargs: object) -> None:
        seen.append(user)

    for signal in (session_ended, signed_out):
        signal.connect(note, sender=User)
    logto.tenant.suspend_user("reader000001")
    age(reader)
    reader.client.get("/")
    logto.tenant.suspend_user("reader000001", is_suspended=False)
    reader.sign_in("reader")
    reader.client.post("/sign-out")
    for signal in (session_ended, signed_out):
        signal.disconnect(note, sender=User)
    assert seen == [User.objects.get()] * 2


def test_django_logout_deletes_tokens(reader: Browser) -> None:
    reader.client.logout()
    assert "_auth_user_id" not in reader.client.session
