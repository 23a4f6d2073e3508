"""Sites that are opened at another origin than `LOGTO_BASE_URL`."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponseRedirect
from django.test import Client
from django.urls import include, path

from logto_auth.emulator import Emulator
from logto_auth.sign_in import SignInOptions, redirect_to_logto
from logto_auth.testing import Browser
from logto_auth.views import AcceptInvitationView
from tests.support import pending_cookies, query_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


def join(request: HttpRequest) -> HttpResponseRedirect:
    return redirect_to_logto(request, options=SignInOptions(organization_id="harbourbr001"))


urlpatterns = [
    path("join/<str:branch>", lambda request, branch: join(request)),
    path("accept-invitation", AcceptInvitationView.as_view()),
    path("", include("logto_auth.urls")),
    path("", include("bookstore.urls")),
]


@pytest.fixture(autouse=True)
def base_url(settings: Any, logto: Emulator) -> str:
    settings.ALLOWED_HOSTS = ["*"]
    settings.LOGTO_BASE_URL = "http://testserver"
    return "http://testserver"


def test_sign_in_at_other_host_moves_to_base_url(logto: Emulator, browser: Browser) -> None:
    logto.tenant.add_user(username="reader")
    other = Client(headers={"Host": "127.0.0.1:8000"})
    response = other.get("/sign-in?next=/account/claims%3Fpage%3D2&login_hint=reader")
    moved = "http://testserver/sign-in?next=/account/claims%3Fpage%3D2&login_hint=reader&redirected=1"
    assert response["Location"] == moved
    assert pending_cookies(other) == {}
    to_logto = browser.open(moved)["Location"]
    assert query_of(to_logto)["login_hint"] == "reader"
    assert browser.open(browser.logto.sign_in(to_logto, "reader"))["Location"] == "/account/claims?page=2"


@pytest.mark.parametrize("base_url", ["http://testserver", "http://testserver:80/", "HTTP://TestServer"])
def test_sign_in_at_base_url_starts_at_once(client: Client, logto: Emulator, settings: Any, base_url: str) -> None:
    settings.LOGTO_BASE_URL = base_url
    assert client.get("/sign-in")["Location"].startswith(logto.endpoint)


@pytest.mark.parametrize(
    "headers", [{"Host": "127.0.0.1:8000"}, {"X-Forwarded-Proto": "https"}], ids=["host", "scheme"]
)
def test_proxy_that_hides_origin_causes_no_loop(logto: Emulator, settings: Any, headers: dict[str, str]) -> None:
    settings.LOGTO_BASE_URL = "https://shop.example"
    client = Client(headers=headers)
    moved = client.get("/sign-in?next=/account/claims")["Location"]
    assert moved == "https://shop.example/sign-in?next=/account/claims&redirected=1"
    response = client.get(moved.removeprefix("https://shop.example"))
    assert query_of(response["Location"])["redirect_uri"] == "https://shop.example/callback"
    # The browser is at https, so the cookie can be Secure although Django sees http.
    assert all(morsel["secure"] for morsel in response.cookies.values())


@pytest.mark.parametrize("path", ["//evil.example/sign-in", "/\\evil.example", "/@evil.example", "/.evil.example"])
def test_redirect_to_base_url_leads_nowhere_else(rf: Any, base_url: str, path: str) -> None:
    request = rf.get("/", {"next": "//evil.example"}, headers={"Host": "other.example"})
    request.path = path
    location = redirect_to_logto(request)["Location"]
    assert location.startswith(f"{base_url}/")
    assert location.endswith("?next=//evil.example&redirected=1")


def test_view_of_site_moves_to_base_url_too(client: Client) -> None:
    response = client.get("/join/harbour?x=1", headers={"Host": "www.testserver"})
    assert response["Location"] == "http://testserver/join/harbour?x=1&redirected=1"


def test_invitation_page_moves_to_base_url(client: Client) -> None:
    link = "/accept-invitation?token=abc&email=new%40example.com"
    response = client.get(link, headers={"Host": "www.testserver"})
    assert response["Location"] == f"http://testserver{link}&redirected=1"


def test_signed_in_user_stays_at_own_host(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_BASE_URL = ""
    logto.tenant.add_user(username="reader")
    browser = Browser(logto)
    browser.sign_in("reader")
    settings.LOGTO_BASE_URL = "https://shop.example"
    assert browser.client.get("/sign-in?next=/account/claims")["Location"] == "/account/claims"


def test_script_gets_sign_in_url_at_base_url(client: Client, base_url: str) -> None:
    headers = {"Host": "127.0.0.1:8000", "Sec-Fetch-Mode": "cors"}
    assert client.get("/account/claims", headers=headers).json()["sign_in_url"] == f"{base_url}/sign-in"
