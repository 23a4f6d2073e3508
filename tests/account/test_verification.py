"""The security verification: the page, and views of a site that require it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient, Client, RequestFactory
from django.urls import include, path
from django.views.generic import View
from freezegun import freeze_time

from logto_auth.account.verify_page import masked
from logto_auth.decorators import verification_required
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.exceptions import ConfigurationError
from logto_auth.mixins import VerificationRequiredMixin
from logto_auth.testing import Browser
from tests.support import row_of

from .account_site import EMAIL, PASSWORD, PHONE, calls, enable_account_center, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
VERIFY = "/account/verify?next=/payment/"


@verification_required
def payment(request: HttpRequest) -> HttpResponse:
    return HttpResponse("paid")


@verification_required()
async def async_payment(request: HttpRequest) -> HttpResponse:
    return HttpResponse("paid")


class Payment(VerificationRequiredMixin, View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("paid")

    post = get


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("account/", include("logto_auth.account.urls")),
    path("", lambda request: HttpResponse("home")),
    path("payment/", payment),
    path("payment-class/", Payment.as_view()),
    path("payment-async/", async_payment),
]


@pytest.fixture(autouse=True)
def plain_site(settings: Any, logto: Emulator) -> None:
    settings.TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ]
    enable_account_center(logto, settings)


@pytest.fixture
def account(logto: Emulator) -> Any:
    """The user `reader` at Logto, with a password, an e-mail address and a phone number."""
    return logto.tenant.add_user(username="reader", password=PASSWORD, primary_email=EMAIL, primary_phone=PHONE)


@pytest.fixture
def reader(account: Any, logto: Emulator) -> Browser:
    return sign_in(logto)


def send_code(browser: Browser, kind: str = "email", url: str = VERIFY) -> tuple[Any, str]:
    """Send a code; return the response and the hidden step."""
    response = browser.client.post(url, {"action": "send", "kind": kind})
    found = re.search(r'name="step" value="([^"]*)"', response.content.decode())
    return response, found[1] if found else ""


def enter_code(browser: Browser, step: str, code: str, url: str = VERIFY) -> Any:
    return browser.client.post(url, {"action": "code", "step": step, "code": code})


def code_to(logto: Emulator, address: str) -> str:
    return logto.tenant.sent_messages.code_for(address)


# Views that require it


@pytest.mark.parametrize("page", ["/payment/", "/payment-class/", "/payment-async/"])
def test_view_runs_after_password(reader: Browser, page: str) -> None:
    response = reader.client.get(f"{page}?id=1")
    assert response["Location"] == f"/account/verify?next={page}%3Fid%3D1"
    response = reader.client.post(response["Location"], {"action": "password", "password": PASSWORD})
    assert (response.status_code, response["Location"]) == (302, f"{page}?id=1")
    assert reader.client.get(page).content == b"paid"


def test_visitor_is_sent_to_sign_in(client: Client) -> None:
    assert client.get("/payment/")["Location"] == "/sign-in?next=/payment/"
    assert client.get("/payment-class/?a=1")["Location"] == "/sign-in?next=/payment-class/%3Fa%3D1"


def test_form_returns_to_its_page(reader: Browser) -> None:
    response = reader.client.post("/payment-class/", headers={"referer": "http://testserver/basket/?a=1"})
    assert response["Location"] == "/account/verify?next=/basket/%3Fa%3D1"


def test_script_gets_url_of_verification(reader: Browser) -> None:
    headers = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Referer": "http://testserver/basket/"}
    response = reader.client.get("/payment/", headers=headers)
    assert response.status_code == 401
    assert response.json()["sign_in_url"] == "http://testserver/account/verify?next=/basket/"


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}])
def test_script_of_visitor_gets_url_of_sign_in(client: Client, headers: dict[str, str]) -> None:
    response = client.get("/payment/", headers=headers)
    assert (response.status_code, response.json()["sign_in_url"]) == (401, "http://testserver/sign-in")


def test_verification_counts_for_ten_minutes(reader: Browser, account: Any) -> None:
    reader.client.post(VERIFY, {"action": "password", "password": PASSWORD})
    with freeze_time(tick=False) as clock:
        clock.tick(590)
        assert reader.client.get("/payment/").status_code == 200
        clock.tick(20)
        assert reader.client.get("/payment/")["Location"] == VERIFY


def test_verification_counts_for_its_session_only(reader: Browser, logto: Emulator) -> None:
    reader.client.post(VERIFY, {"action": "password", "password": PASSWORD})
    assert sign_in(logto).client.get("/payment/").status_code == 302
    reader.sign_in("reader", prompt="login")
    assert reader.client.get("/payment/").status_code == 302, "a new sign-in starts without a record"


def test_async_client_is_verified_too(reader: Browser) -> None:
    reader.client.post(VERIFY, {"action": "password", "password": PASSWORD})
    client = AsyncClient()
    client.cookies = reader.client.cookies
    assert async_to_sync(client.get)("/payment-async/").content == b"paid"


def test_user_without_logto_is_told_so(client: Client, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = [*settings.AUTHENTICATION_BACKENDS, "django.contrib.auth.backends.ModelBackend"]
    user = get_user_model().objects.create_user("local")
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    response = client.get(client.get("/payment/")["Location"])
    assert response.status_code == 403
    assert b"Logto does not manage this account" in response.content


def test_missing_page_is_configuration_error(reader: Browser, settings: Any) -> None:
    request: Any = RequestFactory().get("/payment/")
    request.session, request.user = reader.client.session, get_user_model().objects.get()
    settings.ROOT_URLCONF = "tests.account.urls_without_pages"
    with pytest.raises(ConfigurationError, match=r'include\("logto_auth.account.urls"\)'):
        payment(request)


# The page


def test_page_offers_what_the_user_has(reader: Browser, logto: Emulator) -> None:
    calls(logto)
    page = reader.client.get(VERIFY).content.decode()
    assert 'autocomplete="current-password"' in page
    assert "Send a code to r•••@example.com" in page
    assert "Send a code to •••4567" in page
    assert EMAIL not in page
    assert PHONE not in page
    assert len(calls(logto)) <= 2


def test_verified_user_goes_on(reader: Browser) -> None:
    reader.client.post(VERIFY, {"action": "password", "password": PASSWORD})
    assert reader.client.get(VERIFY)["Location"] == "/payment/"


def test_wrong_password_is_form_error(reader: Browser) -> None:
    response = reader.client.post(VERIFY, {"action": "password", "password": "wrong-secret"})
    page = response.content.decode()
    assert "The password is not correct." in page
    assert "wrong-secret" not in page
    assert reader.client.get("/payment/").status_code == 302


@pytest.mark.parametrize("password", ["", "x" * 257, "x\x00y"])
def test_impossible_password_is_form_error(reader: Browser, password: str, logto: Emulator) -> None:
    calls(logto)
    response = reader.client.post(VERIFY, {"action": "password", "password": password})
    assert response.status_code == 200
    assert b"errorlist" in response.content
    assert "POST /api/verifications/password" not in calls(logto)


def test_blocked_user_is_told_how_long(reader: Browser, logto: Emulator) -> None:
    logto.tenant.sign_in_experience.settings["sentinelPolicy"] = {"maxAttempts": 2, "lockoutDuration": 60}
    for _attempt in range(2):
        reader.client.post(VERIFY, {"action": "password", "password": "wrong"})
    response = reader.client.post(VERIFY, {"action": "password", "password": PASSWORD})
    assert b"Too many attempts" in response.content
    assert reader.client.get("/payment/").status_code == 302


@pytest.mark.parametrize(("kind", "address"), [("email", EMAIL), ("phone", PHONE)])
def test_code_to_present_address_verifies(reader: Browser, logto: Emulator, kind: str, address: str) -> None:
    response, step = send_code(reader, kind)
    page = response.content.decode()
    assert 'autocomplete="one-time-code"' in page
    assert address not in page
    code = code_to(logto, address)
    response = enter_code(reader, step, f" {code[:3]} {code[3:]} ")
    assert (response.status_code, response["Location"]) == (302, "/payment/")
    assert reader.client.get("/payment/").content == b"paid"


def test_wrong_code_can_be_corrected(reader: Browser, logto: Emulator) -> None:
    _response, step = send_code(reader)
    code = code_to(logto, EMAIL)
    wrong = "000000" if code != "000000" else "111111"
    page = enter_code(reader, step, wrong).content.decode()
    assert "The code is not correct." in page
    assert f'value="{wrong}"' not in page
    assert enter_code(reader, step, code)["Location"] == "/payment/"


def test_code_goes_to_no_other_address(reader: Browser, logto: Emulator) -> None:
    form = {"action": "send", "kind": "email", "value": "attacker@example.com", "address": "attacker@example.com"}
    reader.client.post(VERIFY, form)
    assert [message.to for message in logto.tenant.sent_messages] == [EMAIL]


@pytest.mark.parametrize("kind", ["", "username", "Email", "\x00"])
def test_unknown_kind_of_address_sends_nothing(reader: Browser, logto: Emulator, kind: str) -> None:
    response = reader.client.post(VERIFY, {"action": "send", "kind": kind})
    assert response["Location"] == VERIFY
    assert not logto.tenant.sent_messages


def test_code_follows_a_changed_address(reader: Browser, account: Any, logto: Emulator) -> None:
    logto.tenant.update_user(account.id, primary_email="new@example.com")
    response, _step = send_code(reader)
    assert "n•••@example.com" in response.content.decode()
    assert [message.to for message in logto.tenant.sent_messages] == ["new@example.com"]


def test_code_to_former_address_does_not_count(reader: Browser, account: Any, logto: Emulator) -> None:
    _response, step = send_code(reader)
    logto.tenant.update_user(account.id, primary_email="new@example.com")
    page = enter_code(reader, step, code_to(logto, EMAIL)).content.decode()
    assert "The code has expired" in page
    assert reader.client.get("/payment/").status_code == 302


def test_address_that_is_gone_is_form_error(reader: Browser, account: Any, logto: Emulator) -> None:
    logto.tenant.update_user(account.id, primary_email=None)
    response, _step = send_code(reader)
    assert response.status_code == 200
    assert b"errorlist" in response.content
    assert b'autocomplete="current-password"' in response.content


def test_step_of_other_session_is_refused(reader: Browser, logto: Emulator) -> None:
    _response, step = send_code(reader)
    other = sign_in(logto)
    page = enter_code(other, step, code_to(logto, EMAIL)).content.decode()
    assert "The code has expired" in page
    assert other.client.get("/payment/").status_code == 302


@pytest.mark.parametrize("step", ["", "forged", "é", "\x00"])
def test_forged_step_is_refused(reader: Browser, step: str) -> None:
    assert "The code has expired" in enter_code(reader, step, "123456").content.decode()


def test_old_step_is_refused(reader: Browser, logto: Emulator) -> None:
    _response, step = send_code(reader)
    with freeze_time(tick=False) as clock:
        clock.tick(601)
        assert "The code has expired" in enter_code(reader, step, code_to(logto, EMAIL)).content.decode()


def test_used_code_is_refused(reader: Browser, logto: Emulator) -> None:
    _response, step = send_code(reader)
    code = code_to(logto, EMAIL)
    enter_code(reader, step, code)
    row = row_of(reader)
    row.encrypted_verification_id, row.verified_until = "", 0
    row.save()
    assert "The code has expired" in enter_code(reader, step, code).content.decode()


def test_eleventh_message_is_refused_politely(reader: Browser) -> None:
    for _message in range(10):
        send_code(reader)
    assert b"Too many attempts" in send_code(reader)[0].content


def test_missing_connector_is_form_error(reader: Browser, logto: Emulator) -> None:
    logto.tenant.sign_in_experience.connector_instances.clear()
    response, _step = send_code(reader)
    assert response.status_code == 200
    assert b"The message could not be sent" in response.content


def test_hidden_address_is_used_nevertheless(reader: Browser, logto: Emulator, settings: Any) -> None:
    enable_account_center(logto, settings, email="Off", phone="Off")
    assert "Send a code to r•••@example.com" in reader.client.get(VERIFY).content.decode()
    _response, step = send_code(reader)
    assert enter_code(reader, step, code_to(logto, EMAIL))["Location"] == "/payment/"


# Users and sites without what the page needs


def test_user_without_any_method_sets_password_first(logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    browser = sign_in(logto)
    page = browser.client.get(browser.client.get("/payment/")["Location"]).content.decode()
    assert 'href="/account/password?next=/payment/"' in page
    assert 'autocomplete="current-password"' not in page


def test_user_who_may_not_set_a_password_is_told(logto: Emulator, settings: Any) -> None:
    enable_account_center(logto, settings, password="ReadOnly")
    logto.tenant.add_user(username="reader")
    page = sign_in(logto).client.get(VERIFY).content.decode()
    assert "/account/password" not in page
    assert "contact the site operator" in page


def test_scopes_of_addresses_are_requested_once(account: Any, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile")
    logto.tenant.update_user(account.id, password=None)
    browser = sign_in(logto)
    to_logto = browser.client.get(VERIFY)["Location"]
    assert "prompt=none" in to_logto
    assert "email" in to_logto


def test_disabled_account_center_has_a_page(reader: Browser, logto: Emulator) -> None:
    from django.core.cache import cache

    logto.tenant.account_center["enabled"] = False
    cache.clear()
    response = reader.client.get(VERIFY)
    assert response.status_code == 403
    assert b"Account settings are not available" in response.content


def test_unreachable_logto_is_a_form_error(reader: Browser, logto: Emulator) -> None:
    reader.client.get(VERIFY)
    logto.faults.http["account_api"] = HttpFault(status=500, body="Oops")
    response = reader.client.post(VERIFY, {"action": "password", "password": PASSWORD})
    assert response.status_code in (200, 502, 503)
    assert PASSWORD not in response.content.decode()


def test_suspended_user_is_signed_out(reader: Browser, account: Any, logto: Emulator) -> None:
    logto.tenant.suspend_user(account.id)
    response = reader.client.get(VERIFY)
    assert response.status_code == 302
    assert response["Location"].startswith("/sign-in")


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example", "/sign-out", "javascript:alert(1)", ""])
def test_other_sites_are_no_next_page(reader: Browser, url: str) -> None:
    response = reader.client.post(f"/account/verify?next={url}", {"action": "password", "password": PASSWORD})
    assert response["Location"] == "/account/"


def test_form_needs_csrf_token(reader: Browser, logto: Emulator) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = reader.client.cookies
    calls(logto)
    assert client.post(VERIFY, {"action": "password", "password": PASSWORD}).status_code == 403
    assert calls(logto) == []


def test_page_cannot_be_framed_or_kept(reader: Browser) -> None:
    response = reader.client.get(VERIFY)
    assert (response["X-Frame-Options"], response["Cache-Control"]) == ("DENY", "no-store")


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("reader@example.com", "r•••@example.com"),
        ("@example.com", "•••@example.com"),
        ("15551234567", "•••4567"),
        ("1234567", "•••67"),
    ],
)
def test_addresses_are_masked(address: str, shown: str) -> None:
    assert masked(address) == shown
