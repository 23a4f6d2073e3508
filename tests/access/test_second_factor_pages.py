"""Pages that require a second factor: decorators and mixins, for users with and without it and for visitors."""

from __future__ import annotations

import time
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django.views.generic import View
from freezegun import freeze_time

from logto_auth.access import Requirement, SecondFactor
from logto_auth.decorators import require_session, second_factor_required
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ConfigurationError
from logto_auth.mixins import RoleRequiredMixin, SecondFactorRequiredMixin, SessionRequirementMixin
from logto_auth.tenant.claims_script import merged_script
from logto_auth.testing import Browser
from tests.rights import API, ask_for_rights, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

SCRIPT = {"Sec-Fetch-Mode": "cors"}
HTMX = {"HX-Request": "true"}
TURBO = {"X-Turbo-Request-Id": "1", "Sec-Fetch-Mode": "cors"}


@second_factor_required
def payment(request: HttpRequest) -> HttpResponse:
    return HttpResponse("paid")


@second_factor_required()
async def async_payment(request: HttpRequest) -> HttpResponse:
    return HttpResponse("paid")


class Payment(SecondFactorRequiredMixin, View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("paid")

    post = get


class AsyncPayment(SecondFactorRequiredMixin, View):
    async def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("paid")

    post = get


class Strict(Payment):
    second_factor_methods = ["WebAuthn", "SignInPasskey"]
    second_factor_max_age = 60


class Implied(SessionRequirementMixin, View):
    """One attribute implies the requirement."""

    second_factor_max_age = 60

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("paid")


class Editors(RoleRequiredMixin, SecondFactorRequiredMixin, View):
    roles_required = ["editor"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("edited")


@second_factor_required(max_age=300, methods=["Totp", "WebAuthn"])
def fresh(request: HttpRequest) -> HttpResponse:
    return HttpResponse("paid")


@second_factor_required(methods=["WebAuthn"])
def with_passkey(request: HttpRequest) -> HttpResponse:
    return HttpResponse("paid")


def transfer(request: HttpRequest) -> HttpResponse:
    """Only a large sum requires it."""
    is_large = int(request.GET["sum"]) > 100
    if is_large and (response := require_session(request, Requirement(second_factor=SecondFactor()))):
        return response
    return HttpResponse("paid")


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", lambda request: HttpResponse("home")),
    path("function/", payment),
    path("async-function/", async_payment),
    path("class/", Payment.as_view()),
    path("async-class/", AsyncPayment.as_view()),
    path("strict/", Strict.as_view()),
    path("implied/", Implied.as_view()),
    path("editors/", Editors.as_view()),
    path("fresh/", fresh),
    path("passkey/", with_passkey),
    path("transfer/", transfer),
    path("signed-in/", login_required(lambda request: HttpResponse())),
]

STYLES = ["/function/", "/async-function/", "/class/", "/async-class/"]


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    """A site that checks second factors, and a tenant with the script for the claim."""
    set_up(logto)
    logto.tenant.jwt_customizers["jwt.accessToken"] = {"script": merged_script("")}
    ask_for_rights(settings)
    settings.LOGTO_RESOURCES = (API,)
    settings.LOGTO_SECOND_FACTOR = True
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]


@pytest.fixture(params=STYLES)
def place(request: pytest.FixtureRequest) -> str:
    """The URL of a page of each style. Tests of what is the same for all use "/function/"."""
    return request.param


@pytest.fixture
def secret(logto: Emulator) -> str:
    return logto.tenant.add_totp(logto.tenant.find_user(username="reader"))


@pytest.fixture
def with_factor(browser: Browser, secret: str) -> Client:
    """A user who has signed in with an authenticator app."""
    browser.sign_in("reader", totp_secret=secret)
    return browser.client


@pytest.fixture
def without_factor(browser: Browser) -> Client:
    """A user who has signed in with a password alone."""
    browser.sign_in("reader")
    return browser.client


def test_second_factor_opens_the_page(place: str, with_factor: Client) -> None:
    assert with_factor.get(place).content == b"paid"
    if "function" not in place:
        assert with_factor.post(place).content == b"paid"


def test_password_alone_leads_to_the_page_that_asks(place: str, without_factor: Client) -> None:
    response = without_factor.get(f"{place}?id=1")
    assert (response.status_code, response["Location"]) == (302, f"/second-factor?next={place}%3Fid%3D1")


def test_visitor_is_sent_to_the_page_that_asks(place: str, client: Client) -> None:
    assert client.get(place)["Location"] == f"/second-factor?next={place}"
    assert client.get(place, headers=SCRIPT).json()["error"] == "second_factor_required"


def test_session_without_logto_is_sent_to_the_page_that_asks(place: str, client: Client) -> None:
    client.force_login(get_user_model().objects.create_user("local"))
    assert client.get(place)["Location"] == f"/second-factor?next={place}"


def test_form_is_not_processed_and_returns_to_its_page(place: str, without_factor: Client) -> None:
    response = without_factor.post(place, {"sum": 1}, headers={"Referer": "http://testserver/basket/?id=1"})
    assert (response.status_code, response["Location"]) == (302, "/second-factor?next=/basket/%3Fid%3D1")


@pytest.mark.parametrize("headers", [SCRIPT, HTMX, {**HTMX, "HX-Boosted": "true"}], ids=["fetch", "htmx", "boosted"])
def test_script_gets_401_with_the_url(place: str, headers: dict[str, str], without_factor: Client) -> None:
    response = without_factor.get(place, headers={**headers, "Referer": "http://testserver/basket/"})
    next_url = place if "HX-Boosted" in headers else "/basket/"
    url = f"http://testserver/second-factor?next={next_url}"
    assert response.status_code == 401
    assert response.json() == {"error": "second_factor_required", "sign_in_url": url}
    assert response["WWW-Authenticate"] == f'Cookie realm="Logto", sign_in_url="{url}"'
    assert response["Cache-Control"] == "no-store"
    assert response.headers.get("HX-Redirect") == (url if "HX-Request" in headers else None)


def test_page_library_is_redirected(place: str, without_factor: Client) -> None:
    assert without_factor.get(place, headers=TURBO)["Location"] == f"/second-factor?next={place}"


@pytest.mark.parametrize("mode", ["navigate", "no-cors"])
def test_prefetch_is_not_kept_and_starts_no_sign_in(mode: str, without_factor: Client) -> None:
    headers = {"Sec-Purpose": "prefetch", "Sec-Fetch-Mode": mode}
    response = without_factor.get("/function/", headers=headers, follow=True)
    assert response.status_code in (401, 403), "a browser keeps no such response"
    assert not response.cookies


def test_asgi_gives_the_same_responses(with_factor: Client) -> None:
    async def answers() -> list[tuple[int, str]]:
        client, visitor = AsyncClient(), AsyncClient()
        client.cookies = with_factor.cookies
        got = [await client.get("/async-function/"), await client.get("/passkey/"), await visitor.get("/async-class/")]
        return [(each.status_code, each.headers.get("Location", "")) for each in got]

    assert async_to_sync(answers)() == [
        (200, ""),
        (302, "/second-factor?methods=WebAuthn&next=/passkey/"),
        (302, "/second-factor?next=/async-class/"),
    ]


# What is required


def test_only_the_methods_of_the_view_count(with_factor: Client) -> None:
    assert with_factor.get("/passkey/")["Location"] == "/second-factor?methods=WebAuthn&next=/passkey/"
    assert with_factor.get("/strict/")["Location"] == (
        "/second-factor?max_age=60&methods=WebAuthn%20SignInPasskey&next=/strict/"
    )


def test_factor_of_unknown_time_is_not_recent(with_factor: Client) -> None:
    assert with_factor.get("/fresh/")["Location"] == "/second-factor?max_age=300&methods=Totp%20WebAuthn&next=/fresh/"
    assert with_factor.get("/implied/")["Location"] == "/second-factor?max_age=60&next=/implied/"


def test_factor_of_requested_sign_in_is_recent(browser: Browser, secret: str) -> None:
    browser.sign_in("reader", totp_secret=secret, prompt="login consent")
    assert browser.client.get("/fresh/").content == b"paid"
    assert browser.client.get("/implied/").content == b"paid"
    with freeze_time(time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 125))):
        assert browser.client.get("/fresh/").content == b"paid"
        assert browser.client.get("/implied/").status_code == 302


def test_view_may_require_it_by_itself(without_factor: Client) -> None:
    assert without_factor.get("/transfer/?sum=99").content == b"paid"
    assert without_factor.get("/transfer/?sum=101")["Location"] == "/second-factor?next=/transfer/%3Fsum%3D101"


def test_missing_role_is_reported_first(without_factor: Client) -> None:
    response = without_factor.get("/editors/")
    assert response.status_code == 403
    assert "You need the role editor." in response.content.decode()


def test_user_with_the_role_is_asked_for_the_factor(browser: Browser) -> None:
    browser.sign_in("editor")
    assert browser.client.get("/editors/")["Location"] == "/second-factor?next=/editors/"


def test_setting_that_is_off_is_a_configuration_error(place: str, without_factor: Client, settings: Any) -> None:
    settings.LOGTO_SECOND_FACTOR = False
    with pytest.raises(ConfigurationError, match="Set LOGTO_SECOND_FACTOR = True"):
        without_factor.get(place)


@pytest.mark.parametrize("options", [{"methods": ["Password"]}, {"methods": []}, {"max_age": -1}], ids=str)
def test_mistake_is_found_in_the_definition(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        second_factor_required(**options)
    with pytest.raises(ValueError, match="expected"):
        Payment.as_view(**{f"second_factor_{name}": value for name, value in options.items()})


def test_check_costs_no_query_and_no_call(with_factor: Client, logto: Emulator) -> None:
    def queries_of(url: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert with_factor.get(url).status_code == 200
        return len(queries)

    before = len(logto.requests)
    assert queries_of("/function/") == queries_of("/signed-in/")
    assert len(logto.requests) == before
