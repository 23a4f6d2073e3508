"""Support access on a real server with threads: requests of one browser at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.http import JsonResponse
from django.urls import path

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser

from .conftest import permit
from .site import urlpatterns as patterns_of_site

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]
User = get_user_model()
COOKIE, CSRF = django_settings.SESSION_COOKIE_NAME, django_settings.CSRF_COOKIE_NAME
TOKEN = "a" * 32


def count(request: Any) -> JsonResponse:
    """Write into the session, and say who has done it."""
    request.session["count"] = request.session.get("count", 0) + 1
    impersonator = request.impersonator.get_username() if request.impersonator else None
    return JsonResponse({"user": request.user.get_username(), "impersonator": impersonator})


urlpatterns = [path("count", count), *patterns_of_site]


class Tab:
    """A tab of a browser: the cookie of its session, and real requests."""

    def __init__(self, url: str, session_key: str) -> None:
        self.url = url
        self.session_key = session_key

    def send(self, method: str, path: str) -> requests.Response:
        cookies = {COOKIE: self.session_key, CSRF: TOKEN}
        headers = {"X-CSRFToken": TOKEN, "Sec-Fetch-Mode": "cors"}
        response = requests.request(
            method, self.url + path, cookies=cookies, headers=headers, allow_redirects=False, timeout=60
        )
        self.session_key = response.cookies.get(COOKIE, self.session_key)
        return response

    def copy(self) -> Tab:
        return Tab(self.url, self.session_key)


@pytest.fixture
def tab(site: Emulator, live_server: Any, settings: Any) -> Tab:
    """A tab of a staff member who may act as users."""
    if connection.vendor == "sqlite":
        # A database in memory is one connection, which the threads of the server share.
        pytest.skip("SQLite has one writer at a time: nothing is parallel.")
    settings.SESSION_SAVE_EVERY_REQUEST = True
    for username in ("reader", "customer"):
        Browser(site).sign_in(username)
    staff = Browser(site)
    staff.sign_in("editor")
    permit("editor")
    return Tab(live_server.url, staff.client.cookies[COOKIE].value)


def at_once(*actions: Callable[[], requests.Response]) -> list[requests.Response]:
    """Call the functions at the same time, and return what they return."""
    results: dict[int, requests.Response] = {}
    barrier = threading.Barrier(len(actions))

    def run(number: int) -> None:
        barrier.wait()
        results[number] = actions[number]()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(actions))]


def test_two_starts_leave_one(tab: Tab) -> None:
    tabs = [tab.copy(), tab.copy(), tab.copy()]
    names = ["reader", "customer", "reader"]
    answers = at_once(
        *(
            lambda each=each, name=name: each.send("POST", f"/start/{name}")
            for each, name in zip(tabs, names, strict=True)
        )
    )
    assert {answer.status_code for answer in answers} == {302}
    assert LogtoSession.objects.impersonations().count() == 1
    answers = [each.copy().send("GET", "/count") for each in tabs]
    acting = [each.json()["user"] for each in answers if each.status_code == 200 and each.json()["impersonator"]]
    assert acting == [LogtoSession.objects.impersonations().get().user.get_username()]
    for each in answers:
        assert each.status_code == 401 or each.json()["impersonator"] or each.json()["user"] == "editor"


def test_requests_while_another_tab_leaves(tab: Tab) -> None:
    tab.send("POST", "/start/reader")
    tabs = [tab.copy() for _ in range(6)]
    leaving, thief = tab.copy(), tab.copy()
    answers = at_once(
        lambda: leaving.send("POST", "/support-access/leave"),
        *(lambda each=each: each.send("POST", "/count") for each in tabs),
    )
    assert answers[0].json() == {"left": "editor"}
    for answer in answers[1:]:
        # Never as the staff member, and never without a word about it.
        if answer.status_code == 200:
            assert answer.json() == {"user": "reader", "impersonator": "editor"}
        else:
            assert answer.status_code == 401, answer.text[:500]
    assert leaving.send("GET", "/count").json() == {"user": "editor", "impersonator": None}
    for each in [*tabs, thief]:
        again = each.send("GET", "/count")
        assert again.status_code == 401 or again.json()["user"] == "editor"


def test_two_tabs_leave_at_once(tab: Tab) -> None:
    tab.send("POST", "/start/reader")
    tabs = [tab.copy(), tab.copy()]
    answers = at_once(*(lambda each=each: each.send("POST", "/support-access/leave") for each in tabs))
    assert {answer.status_code for answer in answers} <= {200, 401}
    assert [answer.json() for answer in answers if answer.status_code == 200]
    assert not LogtoSession.objects.impersonations().exists()


def test_two_staff_members_act_as_one_user(tab: Tab, site: Emulator) -> None:
    other = Browser(site)
    other.sign_in("customer")
    permit("customer")
    tabs = [tab, Tab(tab.url, other.client.cookies[COOKIE].value)]
    at_once(*(lambda each=each: each.send("POST", "/start/reader") for each in tabs))
    assert LogtoSession.objects.impersonations().count() == 2
    LogtoSession.objects.impersonations().filter(impersonator__username="customer").end(reason="ended_by_staff")
    answers = at_once(*(lambda each=each: each.send("GET", "/count") for each in tabs))
    assert [answer.status_code for answer in answers] == [200, 401]


def test_staff_sign_out_elsewhere_while_requests_run(tab: Tab) -> None:
    tab.send("POST", "/start/reader")
    tabs = [tab.copy() for _ in range(4)]

    def sign_out() -> Any:
        LogtoSession.objects.filter(user__username="editor").end(reason="backchannel_logout")
        connection.close()

    answers = at_once(sign_out, *(lambda each=each: each.send("POST", "/count") for each in tabs))
    assert {answer.status_code for answer in answers[1:]} <= {200, 401}
    assert tab.send("GET", "/count").status_code == 401 or tab.send("GET", "/count").json()["user"] == ""
    assert not LogtoSession.objects.impersonations().exists()
    assert not LogtoSession.objects.filter(user__username="editor").exists()
