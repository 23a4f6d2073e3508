"""The pages of support access: who may open them, start, leave, and the page after the end."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.test import AsyncClient, Client

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.impersonation.forms import durations
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser

from .pages_site import Clerk, set_up

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture
def clerk(logto: Emulator, settings: Any) -> Clerk:
    set_up(logto, settings)
    return Clerk(logto)


def text_of(response: Any) -> str:
    page = re.sub(r"<(style|title).*?</\1>", "", response.content.decode(), flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


# Start


def test_page_shows_the_user_and_the_form(clerk: Clerk) -> None:
    response = clerk.get(clerk.page_of_ada)
    text = text_of(response)
    for fact in ("ada@shop.example", "ada000000001", "15 minutes 30 minutes 1 hour", "What you do has the same effect"):
        assert fact in text
    assert '<option value="1800" selected>' in response.content.decode()
    assert response["Cache-Control"] == "no-store"
    assert response["X-Frame-Options"] == "DENY"
    assert clerk.client.head(clerk.page_of_ada).status_code == 200


def test_start_leads_to_the_site_as_the_user(clerk: Clerk) -> None:
    response = clerk.start()
    assert (response.status_code, response["Location"]) == (302, "/")
    assert "Hello ada" in clerk.get().content.decode()
    row = LogtoSession.objects.get(impersonator=clerk.user)
    assert row.user == clerk.ada
    assert abs(row.impersonation_ends_at - time.time() - 1800) < 60


@pytest.mark.parametrize(
    ("next_url", "location"),
    [("/tag?page=2", "/tag?page=2"), ("https://evil.example/", "/"), ("//evil.example", "/"), ("/sign-out", "/")],
)
def test_start_leads_to_safe_pages_only(clerk: Clerk, next_url: str, location: str) -> None:
    page = clerk.client.get(clerk.page_of_ada, {"next": next_url}).content.decode()
    assert 'name="next"' in page
    assert clerk.start(next=next_url)["Location"] == location


@pytest.mark.parametrize(
    "data",
    [
        {"reason": ""},
        {"reason": "   "},
        {"reason": "..."},
        {"reason": "x" * 501},
        {"seconds": "3601"},
        {"seconds": "-1"},
        {"seconds": ""},
    ],
)
def test_wrong_form_is_shown_again(clerk: Clerk, data: dict[str, str]) -> None:
    response = clerk.start(**data)
    assert response.status_code == (400 if data.get("reason") == "..." else 200)
    assert 'class="errorlist' in response.content.decode()
    assert not LogtoSession.objects.filter(impersonator=clerk.user).exists()


def test_get_starts_nothing(clerk: Clerk) -> None:
    clerk.client.get(clerk.page_of_ada, {"action": "start", "reason": "x", "seconds": "1800"})
    assert "Hello clerk" in clerk.get().content.decode()


def test_form_needs_the_csrf_token(clerk: Clerk) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = clerk.client.cookies
    assert client.post(clerk.page_of_ada, {"action": "start", "reason": "x", "seconds": "1800"}).status_code == 403


def test_prefetch_is_refused(clerk: Clerk) -> None:
    for path in (clerk.page_of_ada, "/support-access/"):
        assert clerk.get(path, **{"Sec-Purpose": "prefetch"}).status_code == 403


@pytest.mark.parametrize(
    ("longest", "choices"), [(3600, [900, 1800, 3600]), (600, [600]), (1000, [900, 1000]), (45, [45])]
)
def test_durations_end_with_the_longest(longest: int, choices: list[int]) -> None:
    assert durations(longest) == choices


# Who may


def test_visitor_signs_in_first(clerk: Clerk) -> None:
    response = Client().get(clerk.page_of_ada)
    assert response.status_code == 302
    assert response["Location"] == f"/sign-in?next={clerk.page_of_ada}"


@pytest.mark.parametrize("lack", ["is_staff", "permission", "customer"])
@pytest.mark.parametrize("pk", ["ada", "999999"])
def test_user_without_permission_sees_no_user(clerk: Clerk, lack: str, pk: str) -> None:
    if lack == "is_staff":
        User.objects.filter(pk=clerk.user.pk).update(is_staff=False)
    elif lack == "permission":
        clerk.user.user_permissions.clear()
    client = clerk.customer_browser.client if lack == "customer" else clerk.client
    path = clerk.page_of_ada if pk == "ada" else f"/support-access/users/{pk}"
    for response in (client.get(path), client.post(path, {"action": "start", "reason": "x", "seconds": "900"})):
        assert response.status_code == 403
        assert "ada000000001" not in text_of(response)
        assert "not permitted to act as users" in text_of(response)


def test_second_factor_of_the_admin_is_required_here_too(clerk: Clerk, settings: Any) -> None:
    settings.LOGTO_SECOND_FACTOR = settings.LOGTO_ADMIN_SECOND_FACTOR = True
    settings.LOGTO_API_RESOURCE = "https://shop.example/api"
    for response in (clerk.get(clerk.page_of_ada), clerk.start()):
        assert response.status_code == 302
        assert response["Location"].startswith("/second-factor")
    assert not LogtoSession.objects.filter(impersonator=clerk.user).exists()


def test_staff_with_a_password_need_logto(clerk: Clerk) -> None:
    client = Client()
    clerk.user.set_password("secret")
    clerk.user.save()
    client.force_login(clerk.user, "django.contrib.auth.backends.ModelBackend")
    response = client.get(clerk.page_of_ada)
    assert response.status_code == 403
    assert "Sign in through Logto" in text_of(response)


@pytest.mark.parametrize("pk", ["999999", "x", "1e3", "9" * 40, "%00", "-1"])
def test_unknown_user_is_404(clerk: Clerk, pk: str) -> None:
    response = clerk.get(f"/support-access/users/{pk}")
    assert response.status_code == 404
    assert "This user does not exist" in text_of(response)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"is_staff": True}, "impersonation_of_staff"),
        ({"is_superuser": True}, "impersonation_of_staff"),
        ({"is_active": False}, "impersonation_user_inactive"),
    ],
)
def test_page_says_why_it_is_impossible(clerk: Clerk, change: dict[str, bool], code: str) -> None:
    User.objects.filter(pk=clerk.ada.pk).update(**change)
    response = clerk.get(clerk.page_of_ada)
    assert response.status_code == 200
    assert code in text_of(response)
    assert 'name="reason"' not in response.content.decode()
    refused = clerk.start()
    assert refused.status_code == 403
    assert code in text_of(refused)


def test_staff_who_see_no_users_learn_nothing_of_a_superuser(clerk: Clerk) -> None:
    User.objects.filter(pk=clerk.ada.pk).update(is_superuser=True)
    clerk.user.groups.clear()
    clerk.user.user_permissions.set(Permission.objects.filter(codename="impersonate_users"))
    refused = clerk.get(clerk.page_of_ada)
    assert "impersonation_of_staff" in text_of(refused)
    assert "ada" not in text_of(refused)
    clerk.user.user_permissions.add(Permission.objects.get(codename="view_user"))
    assert "ada" in text_of(clerk.get(clerk.page_of_ada))


def test_page_of_oneself_and_of_colleagues(clerk: Clerk, logto: Emulator) -> None:
    assert "impersonation_of_oneself" in text_of(clerk.get(f"/support-access/users/{clerk.user.pk}"))
    clerk.ada.user_permissions.add(Permission.objects.get(codename="impersonate_users"))
    assert "impersonation_of_staff" in text_of(clerk.get(clerk.page_of_ada))
    stranger = User.objects.create_user("stranger")
    assert "impersonation_not_linked" in text_of(clerk.get(f"/support-access/users/{stranger.pk}"))


def test_second_start_says_that_staff_act_already(clerk: Clerk) -> None:
    clerk.start()
    for response in (clerk.get(clerk.page_of_ada), clerk.start()):
        assert response.status_code == 403
        assert "You act as a user at the moment" in text_of(response)
        assert 'action="/support-access/leave"' in response.content.decode()


@pytest.mark.parametrize("fault", ["outage", "refused", "not set up"])
def test_failing_logto_is_an_error_of_the_form(clerk: Clerk, logto: Emulator, settings: Any, fault: str) -> None:
    if fault == "outage":
        logto.faults.http["management_api"] = HttpFault(status=503)
    elif fault == "refused":
        logto.tenant.applications[settings.LOGTO_APP_ID].allow_token_exchange = False
    else:
        settings.LOGTO_M2M_APP_ID = ""
    response = clerk.start()
    assert response.status_code >= 400
    assert response.status_code != 500
    assert "Hello clerk" in clerk.get().content.decode()


# Leave


def test_leave_leads_to_the_user_in_the_admin(clerk: Clerk) -> None:
    clerk.start()
    response = clerk.client.post("/support-access/leave", follow=True)
    assert response.redirect_chain == [(f"/admin/auth/user/{clerk.ada.pk}/change/", 302)]
    assert "You have ended support access." in response.content.decode()
    assert clerk.get().wsgi_request.logto.sub == "clerk0000001"
    assert not LogtoSession.objects.filter(impersonator=clerk.user).exists()


@pytest.mark.parametrize(
    ("next_url", "is_followed"), [("/tag", True), ("https://evil.example/", False), ("/sign-out", False)]
)
def test_leave_leads_to_safe_pages_only(clerk: Clerk, next_url: str, is_followed: bool) -> None:
    clerk.start()
    location = clerk.client.post("/support-access/leave", {"next": next_url})["Location"]
    assert (location == next_url) is is_followed


def test_leave_by_get_does_nothing(clerk: Clerk) -> None:
    clerk.start()
    assert clerk.get("/support-access/leave").status_code == 405
    assert "Hello ada" in clerk.get().content.decode()


def test_leave_twice_says_that_it_has_ended(clerk: Clerk) -> None:
    clerk.start()
    clerk.client.post("/support-access/leave")
    response = clerk.client.post("/support-access/leave", follow=True)
    assert response.status_code == 200
    assert "Support access has ended" in text_of(response)
    assert "Hello clerk" in clerk.get().content.decode()


def test_site_without_admin_and_messages_shows_the_page_of_the_user(clerk: Clerk, settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.impersonation.plain_urls"
    settings.INSTALLED_APPS = [
        each for each in settings.INSTALLED_APPS if each not in ("django.contrib.messages",) and "Admin" not in each
    ]
    settings.MIDDLEWARE = [each for each in settings.MIDDLEWARE if "messages" not in each]
    options = settings.TEMPLATES[0]["OPTIONS"]
    processors = [each for each in options["context_processors"] if "messages" not in each]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "OPTIONS": {**options, "context_processors": processors}}]
    client = Client()
    client.cookies = clerk.client.cookies
    clerk.client = client
    clerk.start()
    response = client.post("/support-access/leave", follow=True)
    assert response.redirect_chain == [(f"{clerk.page_of_ada}?done=left", 302)]
    assert "You have ended support access." in text_of(response)


# The end


def test_expired_access_leads_to_the_page_that_says_so(clerk: Clerk) -> None:
    clerk.start()
    LogtoSession.objects.filter(impersonator=clerk.user).update(impersonation_ends_at=time.time() - 1)
    response = clerk.client.get("/", follow=True)
    assert "Support access has ended" in text_of(response)
    assert "The time that you chose is over." in text_of(response)
    assert f'href="{clerk.page_of_ada}"' in response.content.decode()
    assert "Hello clerk" in clerk.get().content.decode()


def test_end_of_the_own_session_leads_to_the_sign_in(clerk: Clerk) -> None:
    clerk.start()
    LogtoSession.objects.filter(user=clerk.user).end()
    response = clerk.client.get("/", follow=True)
    assert "Your own session has ended" in text_of(response)
    assert "You are signed out." in text_of(response)
    assert "/sign-in?next=" in response.content.decode()


def test_leave_after_the_end_of_the_own_session_says_so(clerk: Clerk) -> None:
    clerk.start()
    LogtoSession.objects.filter(user=clerk.user).end()
    response = clerk.client.post("/support-access/leave", follow=True)
    assert "You are signed out." in text_of(response)


def test_page_offers_to_start_again_for_the_same_user(clerk: Clerk) -> None:
    response = clerk.client.get("/support-access/", {"ended": "expired", "user": clerk.ada.pk})
    assert f'href="{clerk.page_of_ada}"' in response.content.decode()


@pytest.mark.parametrize("query", ["", "?ended=x", "?ended=expired&user=%3Cscript%3E", "?user=" + "9" * 500])
def test_page_of_the_end_shows_nothing_from_its_url(clerk: Clerk, query: str) -> None:
    for client in (clerk.client, Client()):
        response = client.get(f"/support-access/{query}")
        assert response.status_code == 200
        assert "<script>" not in response.content.decode()


@pytest.mark.django_db(transaction=True)
def test_pages_work_on_an_async_site(clerk: Clerk) -> None:
    client = AsyncClient()
    client.cookies = clerk.client.cookies
    assert async_to_sync(client.get)(clerk.page_of_ada).status_code == 200
    data = {"action": "start", "reason": "Ticket 5", "seconds": "900"}
    assert async_to_sync(client.post)(clerk.page_of_ada, data)["Location"] == "/"
    assert "Hello ada" in async_to_sync(client.get)("/async").content.decode()
    assert async_to_sync(client.post)("/support-access/leave").status_code == 302
    assert "Hello clerk" in async_to_sync(client.get)("/async").content.decode()


def test_other_browser_of_staff_is_not_affected(clerk: Clerk, logto: Emulator) -> None:
    other = Browser(logto)
    other.sign_in("clerk")
    clerk.start()
    assert "Hello clerk" in other.client.get("/").content.decode()


@pytest.mark.parametrize("is_first", [True, False])
def test_page_of_the_end_is_shown_where_all_pages_require_a_sign_in(
    logto: Emulator, settings: Any, is_first: bool
) -> None:
    set_up(logto, settings)
    middleware = [*settings.MIDDLEWARE]
    position = middleware.index("logto_auth.middleware.LogtoMiddleware")
    middleware.insert(position + (not is_first), "django.contrib.auth.middleware.LoginRequiredMiddleware")
    settings.MIDDLEWARE = middleware
    clerk = Clerk(logto)
    clerk.start()
    LogtoSession.objects.filter(user=clerk.user).end(reason="backchannel_logout")
    page = clerk.get(clerk.get("/")["Location"])
    assert "Your own session has ended" in text_of(page)
    assert clerk.client.post("/support-access/leave")["Location"] == "/support-access/?ended=left"
