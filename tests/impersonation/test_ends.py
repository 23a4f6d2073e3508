"""How an impersonation ends, and what the staff member then has."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.test import Client

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoSession
from logto_auth.signals import session_ended
from logto_auth.testing import Browser
from tests.ageing import age

from .conftest import Events
from .test_journey import who

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.impersonation.site")]
User = get_user_model()
COOKIE = django_settings.SESSION_COOKIE_NAME
SCRIPT = {"Sec-Fetch-Mode": "cors"}


def own_row() -> Any:
    """The row of the staff member's own session."""
    return LogtoSession.objects.filter(user__username="editor")


def expire() -> None:
    """Let the time of the impersonation be over."""
    LogtoSession.objects.impersonations().update(impersonation_ends_at=1)


def lose_permission() -> None:
    User.objects.get(username="editor").user_permissions.clear()


def lose_staff() -> None:
    User.objects.filter(username="editor").update(is_staff=False)


def deactivate_user() -> None:
    """Staff deactivate the user, and a receiver ends the user's sessions."""
    user = User.objects.get(username="reader")
    user.is_active = False
    user.save()


def deactivate_user_by_query() -> None:
    User.objects.filter(username="reader").update(is_active=False)


def end_by_user() -> None:
    LogtoSession.objects.filter(user__username="reader").end(reason="ended_by_user")


def change_password() -> None:
    """Django's own sessions of the user end with it."""
    user = User.objects.get(username="reader")
    user.set_password("another")
    user.save()


ENDS = {
    expire: "expired",
    lose_permission: "impersonator_not_permitted",
    lose_staff: "impersonator_not_permitted",
    deactivate_user: "user_refused",
    deactivate_user_by_query: "user_refused",
    end_by_user: "session_ended",
    change_password: "user_refused",
}


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
@pytest.mark.parametrize("how", ["page", "script", "form", "script that posts"])
def test_staff_member_is_back_and_nothing_runs(acting: Browser, events: Events, end: Any, how: str) -> None:
    end()
    headers = SCRIPT if "script" in how else {}
    send = acting.client.post if how in ("form", "script that posts") else acting.client.get
    response = send("/note?note=changed", headers=headers)
    if how == "page":
        assert response.status_code == 302
        assert response["Location"].startswith("/support-access/?ended=")
    elif how == "form":
        assert response.status_code == 403
        assert "Support access has ended" in response.content.decode()
    else:
        assert response.status_code == 401
        assert response.json()["error"] == "impersonation_ended"
        assert response.json()["support_access_url"].startswith("http://testserver/support-access/?ended=")
    assert "no-store" in response["Cache-Control"]
    now = who(acting)
    assert (now["user"], now["impersonator"], now["note"]) == ("editor", None, None)
    assert events.short[-1] == ("ended", "reader", "editor", ENDS[end])
    assert [each[0] for each in events.short] == ["started", "ended"], "the end is reported once"


@pytest.mark.parametrize("by", ["row", "inactive", "inactive by query", "logto"])
def test_end_of_own_session_ends_both(acting: Browser, site: Emulator, events: Events, by: str) -> None:
    editor = User.objects.get(username="editor")
    if by == "row":
        own_row().end(reason="ended_by_user")
    elif by == "inactive":
        editor.is_active = False
        editor.save()
    elif by == "inactive by query":
        User.objects.filter(pk=editor.pk).update(is_active=False)
    else:
        site.tenant.suspend_user("editor000001")
        age(acting)
    assert acting.client.get("/note?note=changed").status_code == 302
    assert who(acting)["user"] == ""
    assert events.short[-1][:3] == ("ended", "reader", "editor")
    expected = "impersonator_not_permitted" if by == "inactive by query" else "impersonator_session_ended"
    assert events.short[-1][3] == expected
    assert not LogtoSession.objects.impersonations().exists()


def test_back_channel_logout_of_staff_ends_it(acting: Browser, site: Emulator, events: Events) -> None:
    """As the sign-out of the staff member in another browser."""
    own_row().end(reason="backchannel_logout")
    assert acting.client.get("/").status_code == 302
    assert events.short[-1] == ("ended", "reader", "editor", "impersonator_session_ended")


@pytest.mark.parametrize("state", ["running", "expired"])
def test_sign_out_ends_both_sessions_here_and_at_logto(
    acting: Browser, site: Emulator, events: Events, state: str, customer: Browser
) -> None:
    own = own_row().get()
    refresh_token = own.tokens["refresh_token"]
    if state == "expired":
        expire()
    response = acting.client.post("/sign-out")
    assert f"id_token_hint={own.tokens['id_token']}" in response["Location"]
    assert site.instances.refresh_tokens.get(refresh_token) is None
    assert not own_row().exists()
    assert not LogtoSession.objects.impersonations().exists()
    assert who(acting)["user"] == ""
    assert who(customer)["user"] == "reader", "the session of the user goes on"
    assert events.short[-1] == ("ended", "reader", "editor", "signed_out" if state == "running" else "expired")


def test_cookie_of_own_session_is_dead_after_sign_out(staff: Browser) -> None:
    kept = Client()
    kept.cookies[COOKIE] = staff.client.cookies[COOKIE].value
    staff.client.post("/start/reader")
    staff.client.post("/sign-out")
    assert kept.get("/").json()["user"] == ""


def test_new_sign_in_ends_it_first(acting: Browser, events: Events) -> None:
    acting.sign_in("customer", prompt="login")
    assert who(acting) == {
        "user": "customer",
        "sub": "customer0001",
        "impersonator": None,
        "reason": None,
        "note": None,
    }
    assert events.short[-1] == ("ended", "reader", "editor", "left")
    assert not LogtoSession.objects.impersonations().exists()


def test_link_to_the_sign_in_goes_on(acting: Browser) -> None:
    """A page that requires a sign-in leads back at once: the user is signed in."""
    assert acting.client.get("/sign-in?next=/").status_code == 302
    assert who(acting)["user"] == "reader"


def test_sign_in_that_began_before_ends_it(staff: Browser, events: Events) -> None:
    callback = staff.logto.sign_in(staff.start(prompt="login"), "customer")
    staff.client.post("/start/reader")
    staff.open(callback)
    assert who(staff)["user"] == "customer"
    assert events.short[-1][3] == "left"


def test_command_ends_what_is_over(acting: Browser, events: Events) -> None:
    call_command("logto_clearsessions")
    assert events.short[-1][0] == "started"
    expire()
    call_command("logto_clearsessions")
    assert events.short[-1] == ("ended", "reader", "editor", "expired")
    acting.client.get("/")
    assert who(acting)["user"] == "editor"
    assert len(events) == 2, "the next request says nothing"


def test_deleted_user_leaves_staff_with_their_session(acting: Browser) -> None:
    User.objects.get(username="reader").delete()
    assert acting.client.get("/").status_code == 302
    assert who(acting)["user"] == "editor"


def test_deleted_staff_member_leaves_nothing(acting: Browser) -> None:
    User.objects.get(username="editor").delete()
    assert acting.client.get("/").status_code == 302
    assert who(acting)["user"] == ""
    assert not LogtoSession.objects.impersonations().exists()


def test_second_start_replaces_the_first(staff: Browser, events: Events) -> None:
    """The response of the first start has not reached the browser."""
    other_tab = Client()
    other_tab.cookies[COOKIE] = staff.client.cookies[COOKIE].value
    staff.client.post("/start/reader")
    other_tab.post("/start/reader")
    assert LogtoSession.objects.impersonations().count() == 1
    assert [each[3] for each in events.short] == ["Ticket 4711", "session_ended", "Ticket 4711"]
    assert staff.client.get("/").status_code == 302, "the first one has ended"
    assert who(staff)["user"] == "editor"


def test_request_in_flight_at_the_end_does_not_sign_staff_out(acting: Browser) -> None:
    in_flight = Client()
    in_flight.cookies[COOKIE] = acting.client.cookies[COOKIE].value
    acting.client.post("/support-access/leave")
    response = in_flight.get("/", headers=SCRIPT)
    assert response.status_code == 401
    assert COOKIE not in response.cookies


@pytest.mark.parametrize("saves", [True, False])
def test_two_requests_that_find_the_end(acting: Browser, settings: Any, events: Events, saves: bool) -> None:
    settings.SESSION_SAVE_EVERY_REQUEST = saves
    in_flight = Client()
    in_flight.cookies[COOKIE] = acting.client.cookies[COOKIE].value
    expire()
    acting.client.get("/")
    own = acting.client.cookies[COOKIE].value
    response = in_flight.get("/")
    assert response.status_code == 302
    assert COOKIE not in response.cookies or response.cookies[COOKIE].value == own
    assert who(acting)["user"] == "editor"
    assert len(events) == 2


def test_token_at_the_end_gets_no_session(acting: Browser) -> None:
    """A request with an access token runs without a user, and leaves the return to the next page."""
    token = acting.client.get("/token").content.decode()
    expire()
    response = acting.client.get("/", headers={"Authorization": f"Bearer {token}"})
    assert response.json()["user"] == ""
    assert COOKIE not in response.cookies
    acting.client.get("/")
    assert who(acting)["user"] == "editor"


def test_prefetch_ends_nothing(acting: Browser, events: Events) -> None:
    expire()
    response = acting.client.get("/", headers={"Sec-Purpose": "prefetch"})
    assert response.status_code == 403
    assert COOKIE not in response.cookies
    assert acting.client.get("/")["Location"].startswith("/support-access/?ended=expired&user=")


def test_outage_of_logto_lasts_as_long_as_for_others(acting: Browser, site: Emulator, settings: Any) -> None:
    settings.LOGTO_OUTAGE_GRACE_SECONDS = 600
    age(acting, 3601)
    site.faults.http["token"] = HttpFault(drop=True)
    assert who(acting)["user"] == "reader"
    LogtoSession.objects.update(no_refresh_before=0)
    age(acting, 600)
    assert acting.client.get("/").status_code == 302


def test_hook_of_sessions_is_not_called(acting: Browser) -> None:
    """`session_ended` is about sessions of the user."""
    reported: list[str] = []

    def note(user: Any, **kwargs: Any) -> None:
        reported.append(user.get_username())

    session_ended.connect(note)
    LogtoSession.objects.filter(user__username="reader").end(reason="ended_by_staff")
    session_ended.disconnect(note)
    assert reported == ["reader"], "of the browser of the user"
