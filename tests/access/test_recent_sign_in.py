"""Views that require a recent sign-in."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.urls import include, path
from django.views.generic import View
from freezegun import freeze_time

from logto_auth.decorators import recent_sign_in_required
from logto_auth.emulator import Emulator
from logto_auth.mixins import RecentSignInRequiredMixin
from logto_auth.testing import Browser

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]


@recent_sign_in_required(max_age=300)
def payment(request: HttpRequest) -> HttpResponse:
    return HttpResponse("paid")


@recent_sign_in_required(max_age=300)
async def async_payment(request: HttpRequest) -> HttpResponse:
    return HttpResponse("paid")


class Payment(RecentSignInRequiredMixin, View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("paid")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", lambda request: HttpResponse("home")),
    path("payment/", payment),
    path("payment-class/", Payment.as_view()),
    path("payment-async/", async_payment),
]


@pytest.fixture(autouse=True)
def plain_site(settings) -> None:
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ]


@pytest.fixture
def reader(browser: Browser, logto: Emulator) -> Browser:
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    return browser


@pytest.mark.parametrize("page", ["/payment/", "/payment-class/"])
def test_recent_sign_in_is_confirmed_without_credentials(reader: Browser, page: str) -> None:
    to_sign_in = reader.client.get(f"{page}?id=1")["Location"]
    assert to_sign_in == f"/sign-in?max_age=300&next={page}%3Fid%3D1"
    to_logto = reader.client.get(to_sign_in)["Location"]
    assert parse_qs(urlsplit(to_logto).query)["max_age"] == ["300"]
    assert reader.open(reader.logto.sign_in(to_logto))["Location"] == f"{page}?id=1"
    assert reader.client.get(page).content == b"paid"


def test_old_sign_in_requires_credentials(reader: Browser, logto: Emulator) -> None:
    logto.clock.advance(301)
    to_logto = reader.client.get(reader.client.get("/payment/")["Location"])["Location"]
    with pytest.raises(AssertionError, match="asks for a sign-in"):
        reader.logto.sign_in(to_logto)


def test_missing_auth_time_is_not_recent(reader: Browser, logto: Emulator) -> None:
    logto.faults.id_token_claims = lambda claims: {k: v for k, v in claims.items() if k != "auth_time"}
    to_logto = reader.client.get("/sign-in?max_age=300")["Location"]
    response = reader.open(reader.logto.sign_in(to_logto))
    assert response.status_code == 400
    assert "token_invalid" in response.content.decode()


@pytest.mark.parametrize("auth_time", [lambda: int(time.time()) - 1000, lambda: "now", lambda: True, lambda: None])
def test_callback_refuses_too_old_auth_time(reader: Browser, logto: Emulator, auth_time) -> None:
    logto.faults.id_token_claims = lambda claims: {**claims, "auth_time": auth_time()}
    to_logto = reader.client.get("/sign-in?max_age=300")["Location"]
    assert reader.open(reader.logto.sign_in(to_logto)).status_code == 400


def test_confirmation_expires(reader: Browser) -> None:
    reader.sign_in(max_age=300)
    assert reader.client.get("/payment/").content == b"paid"
    with freeze_time(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 362))):
        assert reader.client.get("/payment/").status_code == 302


def test_late_form_returns_to_its_page(reader: Browser) -> None:
    response = reader.client.post("/payment/", headers={"Referer": "http://testserver/basket/"})
    assert response["Location"] == "/sign-in?max_age=300&next=/basket/"


def test_script_gets_401_with_max_age(reader: Browser) -> None:
    response = reader.client.get("/payment/", headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert response.json()["sign_in_url"] == "http://testserver/sign-in?max_age=300"


def test_async_views_require_recent_sign_in(reader: Browser) -> None:
    client = AsyncClient()
    client.cookies = reader.client.cookies
    assert async_to_sync(client.get)("/payment-async/").status_code == 302
    reader.sign_in(max_age=300)
    assert async_to_sync(client.get)("/payment-async/").content == b"paid"


@pytest.mark.parametrize("max_age", ["-1", "soon", "1e3", "99999999999"])
def test_invalid_max_age_is_refused(client, logto: Emulator, max_age: str) -> None:
    assert client.get(f"/sign-in?max_age={max_age}").status_code == 400
