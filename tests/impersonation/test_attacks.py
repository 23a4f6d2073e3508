"""Who tries to get more by an impersonation than they may have."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.backends.db import SessionStore
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import Client, RequestFactory

from logto_auth.emulator import Emulator
from logto_auth.exceptions import ImpersonationRefused
from logto_auth.impersonation import start_impersonation
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.sessions.impersonation_rules import has_impersonation_permission
from logto_auth.testing import Browser
from tests.ageing import age
from tests.rights import API

from .conftest import Events
from .test_journey import who

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.impersonation.site")]
User = get_user_model()
COOKIE, CSRF = django_settings.SESSION_COOKIE_NAME, django_settings.CSRF_COOKIE_NAME


def refusal(browser: Browser, username: str = "reader", **form: Any) -> tuple[int, str]:
    """Return the status and the code of a try to act as a user, after which nothing has changed."""
    before = browser.client.cookies[COOKIE].value
    response = browser.client.post(f"/start/{username}", form)
    assert browser.client.cookies[COOKIE].value == before
    assert not LogtoSession.objects.impersonations().exclude(impersonator__username="editor").exists()
    return response.status_code, response.json()["error"]


# Upwards and sideways


@pytest.mark.parametrize(
    "flags", [{"is_superuser": True}, {"is_staff": True}, {"is_staff": True, "is_superuser": True}]
)
def test_nobody_acts_as_staff_or_superuser(staff: Browser, events: Events, flags: dict[str, bool]) -> None:
    User.objects.filter(username="reader").update(**flags)
    assert refusal(staff) == (403, "impersonation_of_staff")
    assert events.short == [("refused", "reader", "editor", "impersonation_of_staff")]


@pytest.mark.parametrize("by", ["user", "group"])
def test_nobody_acts_as_somebody_with_the_permission(staff: Browser, by: str) -> None:
    reader, permission = User.objects.get(username="reader"), Permission.objects.get(codename="impersonate_users")
    if by == "user":
        reader.user_permissions.add(permission)
    else:
        group = Group.objects.create(name="Support")
        group.permissions.add(permission)
        reader.groups.add(group)
    assert refusal(staff) == (403, "impersonation_of_staff")


def test_superuser_cannot_act_as_staff_either(staff: Browser) -> None:
    User.objects.filter(username="editor").update(is_superuser=True)
    User.objects.filter(username="reader").update(is_staff=True)
    assert refusal(staff) == (403, "impersonation_of_staff")


@pytest.mark.parametrize("setting", ["LOGTO_STAFF_ROLES", "LOGTO_SUPERUSER_ROLES"])
def test_user_whom_logto_has_just_made_staff_is_refused(
    staff: Browser, site: Emulator, settings: Any, setting: str
) -> None:
    site.tenant.add_role("boss")
    site.tenant.users["reader000001"].roles.append("boss")
    setattr(settings, setting, ["boss"])
    assert refusal(staff) == (403, "impersonation_of_staff")


def test_user_who_becomes_staff_at_logto_meanwhile_ends_it(
    acting: Browser, site: Emulator, settings: Any, events: Events
) -> None:
    site.tenant.add_role("boss")
    site.tenant.users["reader000001"].roles.append("boss")
    settings.LOGTO_STAFF_ROLES = ["boss"]
    age(acting)
    # The staff member loses the flag by the same setting, unless the role is theirs too.
    site.tenant.users["editor000001"].roles.append("boss")
    assert acting.client.get("/")["Location"].startswith("/support-access/?ended=user_refused&user=")
    assert who(acting)["user"] == "editor"
    assert events.short[-1] == ("ended", "reader", "editor", "user_refused")


def test_user_who_becomes_staff_here_meanwhile_ends_it(acting: Browser) -> None:
    User.objects.filter(username="reader").update(is_staff=True)
    assert acting.client.get("/")["Location"].startswith("/support-access/?ended=user_refused&user=")
    assert who(acting)["user"] == "editor"


# Without the right


@pytest.mark.parametrize("lacks", ["is_staff", "permission", "is_active"])
def test_nobody_acts_without_the_right(staff: Browser, lacks: str, events: Events) -> None:
    editor = User.objects.get(username="editor")
    if lacks == "permission":
        editor.user_permissions.clear()
    elif lacks == "is_staff":
        User.objects.filter(pk=editor.pk).update(is_staff=False)
    else:
        User.objects.filter(pk=editor.pk).update(is_active=False)
    assert staff.client.post("/start/reader").json()["error"] == "impersonation_not_permitted"
    assert [each[0] for each in events.short] == ["refused"]
    assert not LogtoSession.objects.impersonations().exists()


def test_visitor_cannot_act(customer: Browser, events: Events) -> None:
    assert Client().post("/start/reader").json()["error"] == "impersonation_not_permitted"
    assert events.short == [("refused", "reader", None, "impersonation_not_permitted")]


def test_customer_cannot_act_as_another(customer: Browser, site: Emulator) -> None:
    Browser(site).sign_in("customer")
    assert customer.client.post("/start/customer").json()["error"] == "impersonation_not_permitted"


def test_session_without_logto_cannot_act(staff: Browser) -> None:
    """Such as that of the password form, or of a package that swaps users."""
    client = Client()
    client.force_login(User.objects.get(username="editor"), backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/start/reader").json()["error"] == "impersonation_without_logto"


def test_bearer_token_cannot_act(staff: Browser, settings: Any) -> None:
    """The token authenticates the request, and brings no session that could end the impersonation."""
    token = staff.client.get("/token").content.decode()
    response = staff.client.post("/api/start/reader", headers={"Authorization": f"Bearer {token}"})
    assert response.json()["error"] == "impersonation_without_logto"
    assert who(staff)["user"] == "editor"


# As whom


def test_nobody_acts_as_themselves(staff: Browser) -> None:
    assert refusal(staff, "editor") == (403, "impersonation_of_oneself")


def test_inactive_user_is_refused(staff: Browser) -> None:
    User.objects.filter(username="reader").update(is_active=False)
    assert refusal(staff) == (403, "impersonation_user_inactive")


def test_user_who_is_suspended_at_logto_is_refused(staff: Browser, site: Emulator) -> None:
    """No webhook has come."""
    site.tenant.suspend_user("reader000001")
    assert refusal(staff) == (403, "impersonation_user_inactive")


def test_user_who_is_deleted_at_logto_is_refused(staff: Browser, site: Emulator) -> None:
    del site.tenant.users["reader000001"]
    assert refusal(staff) == (403, "impersonation_user_inactive")


def test_user_without_logto_is_refused(staff: Browser) -> None:
    User.objects.create_user("local")
    assert refusal(staff, "local") == (403, "impersonation_not_linked")


def test_user_of_another_logto_is_refused(staff: Browser) -> None:
    LogtoIdentity.objects.create(user=User.objects.create_user("far"), issuer="https://other.example/oidc", sub="far1")
    assert refusal(staff, "far") == (403, "impersonation_not_linked")


# Nested


def test_nobody_acts_in_an_impersonation(acting: Browser, site: Emulator, events: Events) -> None:
    Browser(site).sign_in("customer")
    # Even if the user got the right by a mistake in the meantime, and the check of the request has not seen it yet.
    assert refusal(acting, "customer") == (403, "impersonation_nested")
    assert who(acting)["user"] == "reader"
    assert events.short[-1] == ("refused", "customer", "editor", "impersonation_nested")


def test_hijacking_package_keeps_no_row_in_an_impersonation(acting: Browser, events: Events) -> None:
    """Code that signs in another user ends the impersonation, and gets none of its tokens."""
    User.objects.create_user("other")
    acting.client.post("/hijack/other")
    assert events.short[-1] == ("ended", "reader", "editor", "session_ended")
    assert not LogtoSession.objects.impersonations().exists()
    assert who(acting) == {"user": "other", "sub": None, "impersonator": None, "reason": None, "note": None}


# The reason and the time


@pytest.mark.parametrize("reason", ["", "  ", "\t\n", "\u200b\u200b", "\u2800", "...", "-", "x" * 501])
def test_reason_must_be_written(staff: Browser, reason: str, events: Events) -> None:
    assert refusal(staff, reason=reason) == (400, "impersonation_reason_missing")
    assert [each[0] for each in events.short] == ["refused"]


@pytest.mark.parametrize(("asked", "lasts"), [("", 1800), ("60", 60), ("999999", 1800)])
def test_time_is_at_most_that_of_the_setting(
    staff: Browser, settings: Any, asked: str, lasts: int, events: Events
) -> None:
    settings.LOGTO_IMPERSONATION_SECONDS = 1800
    staff.client.post("/start/reader", {"seconds": asked})
    row = LogtoSession.objects.impersonations().get()
    assert row.impersonation_ends_at == pytest.approx(row.started_at + lasts, abs=2)
    assert events[0]["seconds"] == lasts


@pytest.mark.parametrize("seconds", ["0", "-1"])
def test_time_is_at_least_a_second(staff: Browser, seconds: str) -> None:
    with pytest.raises(ValueError, match="cannot last"):
        staff.client.post("/start/reader", {"seconds": seconds})


# The site's own rule


def only_customer(request: HttpRequest, user: Any) -> bool:
    """A rule of the site."""
    return bool(user.get_username() == "customer")


def with_text(request: HttpRequest, user: Any) -> bool:
    """A rule of the site that says why."""
    raise ImpersonationRefused("VIP", visitor_message="Ask the manager first.")


@pytest.mark.parametrize("name", ["only_customer", "with_text"])
def test_rule_of_the_site_is_asked_last(staff: Browser, settings: Any, name: str, events: Events) -> None:
    settings.LOGTO_IMPERSONATION_ALLOWED = f"{__name__}.{name}"
    assert refusal(staff) == (403, "impersonation_refused_by_site")
    assert events.short == [("refused", "reader", "editor", "impersonation_refused_by_site")]


# Cookies and sessions


def test_old_cookie_is_worth_nothing_after_leaving(acting: Browser) -> None:
    stolen = Client()
    stolen.cookies[COOKIE] = acting.client.cookies[COOKIE].value
    acting.client.post("/support-access/leave")
    for _ in range(2):
        response = stolen.get("/")
        assert response.status_code == 302
        assert COOKIE not in response.cookies
    assert stolen.post("/support-access/leave").status_code == 403
    assert stolen.post("/start/reader").status_code == 403
    assert who(acting)["user"] == "editor", "the staff member is still signed in"


def test_record_in_an_ordinary_session_gives_no_session_of_staff(staff: Browser, customer: Browser) -> None:
    """Who could write into the data of a session still needs the row of an impersonation."""
    own = staff.client.session
    session = customer.client.session
    session["_logto_impersonation"] = {
        "session_key": own.session_key,
        "impersonator_key": own["_auth_user_id"],
        "own_id": "00000000-0000-0000-0000-000000000000",
        "reason": "x",
        "started_at": 0,
    }
    session.save()
    assert customer.client.get("/").status_code == 302
    assert customer.client.get("/").json()["user"] == ""


@pytest.mark.parametrize("value", ["text", 1, [], {}, {"session_key": "x"}, {"a": 1}])
def test_nonsense_in_the_session_is_no_record(acting: Browser, value: Any) -> None:
    session = acting.client.session
    session["_logto_impersonation"] = value
    session.save()
    assert who(acting)["user"] == "", "the row is one of an impersonation, whose session cannot return"


def test_row_of_an_impersonation_serves_no_other_session(acting: Browser, customer: Browser) -> None:
    row = LogtoSession.objects.impersonations().get()
    session = customer.client.session
    session["_logto_session"] = str(row.pk)
    session.save()
    assert who(customer)["user"] == ""


def test_session_of_another_staff_member_is_not_restored(acting: Browser, site: Emulator) -> None:
    other = Browser(site)
    other.sign_in("customer")
    session = acting.client.session
    session["_logto_impersonation"] = {
        **session["_logto_impersonation"],
        "session_key": other.client.cookies[COOKIE].value,
    }
    session.save()
    assert acting.client.post("/support-access/leave").json() == {"left": None}
    assert who(acting)["user"] == ""
    assert who(other)["user"] == "customer"


def test_sessions_do_not_share_the_csrf_secret(staff: Browser) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = staff.client.cookies
    client.cookies[CSRF] = "a" * 32
    response = client.post("/start/reader", headers={"X-CSRFToken": "a" * 32})
    assert response.status_code == 302
    assert response.cookies[CSRF].value != "a" * 32
    before = response.cookies[CSRF].value
    after = client.post("/support-access/leave", headers={"X-CSRFToken": before})
    assert after.json() == {"left": "editor"}
    assert after.cookies[CSRF].value != before


def test_api_without_middleware_gets_no_impersonation(staff: Browser) -> None:
    """Without `LogtoMiddleware` nothing would end it."""
    request = RequestFactory().post("/")
    request.session = SessionStore(staff.client.cookies[COOKIE].value)
    request.user = User.objects.get(username="editor")
    with pytest.raises(ImproperlyConfigured, match="LogtoMiddleware"):
        start_impersonation(request, User.objects.get(username="reader"), reason="Ticket")


def test_api_tokens_cannot_be_made_for_an_unknown_resource(acting: Browser) -> None:
    assert acting.client.get("/api-token?resource=https://evil.example").status_code == 503
    assert acting.client.get(f"/api-token?resource={API}").status_code == 200


def test_user_model_without_is_staff_has_nobody_who_may_act() -> None:
    user = SimpleNamespace(is_active=True, has_perm=lambda permission: True)
    assert not has_impersonation_permission(user)
