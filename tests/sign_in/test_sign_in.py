"""Sign-in, from the button to the page that the user wanted."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.translation import override

from logto_auth.emulator import Emulator
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sign_in.start import redirect_to_logto
from logto_auth.testing import Browser
from tests.support import row_of

pytestmark = pytest.mark.django_db
User = get_user_model()


def test_new_user_signs_in_and_returns_to_next(browser: Browser, logto: Emulator) -> None:
    sub = logto.tenant.add_user(username="reader", primary_email="reader@example.com", name="Reader").id
    response = browser.sign_in("reader", next_url="/account/claims")
    assert (response.status_code, response["Location"]) == (302, "/account/claims")
    user = User.objects.get()
    assert (user.username, user.email, user.first_name) == ("reader", "reader@example.com", "Reader")
    assert not user.has_usable_password()
    assert LogtoIdentity.objects.get().sub == sub
    assert browser.client.get("/account/claims").wsgi_request.user == user


def test_second_start_makes_no_call(browser: Browser, logto: Emulator, settings) -> None:
    browser.start()
    logto.requests.clear()
    query = parse_qs(urlsplit(browser.start(first_screen="register", direct_sign_in="social:alipay")).query)
    assert len(logto.requests) == 0
    assert {name: values[0] for name, values in query.items() if name not in ("state", "nonce", "code_challenge")} == {
        "client_id": settings.LOGTO_APP_ID,
        "redirect_uri": "http://testserver/callback",
        "response_type": "code",
        "scope": "openid offline_access profile email roles",
        "code_challenge_method": "S256",
        "prompt": "consent",
        "ui_locales": "en",
        "first_screen": "register",
        "direct_sign_in": "social:alipay",
    }


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ja", "ja"),
        ("zh-hans", "zh-CN zh"),
        ("zh-hant", "zh-TW zh"),
        ("pt-br", "pt-BR pt"),
        ("en-gb", "en-GB en"),
        ("sr-latn", "sr-Latn sr"),
        ("klingon!", None),
        (None, None),
    ],
)
def test_pages_of_logto_follow_active_language(rf, logto: Emulator, language: str | None, expected: str | None) -> None:
    with override(language, deactivate=True):
        query = parse_qs(urlsplit(redirect_to_logto(rf.get("/"))["Location"]).query)
    assert query.get("ui_locales") == (expected and [expected])


def test_language_can_be_chosen_for_one_or_all_sign_ins(browser: Browser, settings) -> None:
    assert "ui_locales=ja" in browser.start(ui_locales="ja")
    settings.LOGTO_SIGN_IN_PARAMETERS = {"ui_locales": "fr"}
    assert "ui_locales=fr" in browser.start()
    # Logto decides by the browser.
    settings.LOGTO_SIGN_IN_PARAMETERS = {"ui_locales": ""}
    assert "ui_locales" not in browser.start()


def test_known_user_needs_one_call_and_few_queries(
    browser: Browser, logto: Emulator, django_assert_max_num_queries: pytest.fixture
) -> None:
    logto.tenant.add_user(username="reader")
    Browser(logto).sign_in("reader")
    callback = browser.logto.sign_in(browser.start(), "reader")
    logto.requests.clear()
    with django_assert_max_num_queries(11):
        assert browser.open(callback)["Location"] == "/"
    assert [request.endpoint for request in logto.requests] == ["token"]


def test_signed_in_page_makes_no_call_and_three_queries(
    browser: Browser, logto: Emulator, django_assert_num_queries: pytest.fixture
) -> None:
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    logto.requests.clear()
    with django_assert_num_queries(3):
        assert browser.client.get("/sign-in")["Location"] == "/"
    assert len(logto.requests) == 0


def test_hundred_users_without_email_sign_in(logto: Emulator) -> None:
    logto.tenant.sign_in_experience.connectors = ["alipay-web"]
    logto.tenant.sign_in_experience.sign_up_identifiers = []
    for number in range(100):
        browser = Browser(logto)
        callback = browser.logto.sign_in_with_alipay(browser.start(), f"2088{number:012}")
        assert browser.open(callback)["Location"] == "/"
    assert User.objects.filter(email="").count() == 100
    again = Browser(logto)
    again.open(again.logto.sign_in_with_alipay(again.start(), "2088000000000042"))
    assert User.objects.count() == 100


def test_parallel_tabs_finish_in_any_order(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    starts = {f"/books/{number}/": browser.start(f"/books/{number}/") for number in range(8)}
    for next_url, start in reversed(starts.items()):
        assert browser.open(browser.logto.sign_in(start, "reader"))["Location"] == next_url
    assert LogtoSession.objects.count() == 1


def test_number_of_pending_cookies_is_limited(browser: Browser) -> None:
    for number in range(60):
        browser.start(f"/books/{number}/")
    kept = [morsel for name, morsel in browser.client.cookies.items() if name.startswith("logto_") and morsel.value]
    assert len(kept) == 8
    assert sum(len(morsel.value) for morsel in kept) <= 5000


def test_size_of_pending_cookies_is_limited(browser: Browser) -> None:
    for number in range(20):
        browser.start(f"/books/{number}/?{'x' * 1000}")
    kept = [morsel for name, morsel in browser.client.cookies.items() if name.startswith("logto_") and morsel.value]
    assert 1 <= len(kept) < 8
    assert sum(len(morsel.value) for morsel in kept) <= 5000


def test_sign_in_keeps_basket_and_changes_session_key(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    session = browser.client.session
    session["basket"] = {"1": 2}
    session.save()
    before = session.session_key
    browser.sign_in("reader")
    assert browser.client.session["basket"] == {"1": 2}
    assert browser.client.session.session_key != before
    assert LogtoSession.objects.get() == row_of(browser)


def test_tokens_are_stored_encrypted_outside_the_session(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    row = LogtoSession.objects.get()
    assert row.tokens["refresh_token"]
    assert row.tokens["id_token"]
    assert row.tokens["refresh_token"] not in row.encrypted_tokens
    assert set(browser.client.session.keys()) == {
        "_auth_user_id",
        "_auth_user_backend",
        "_auth_user_hash",
        "_logto_session",
    }


def test_userinfo_is_requested_for_missing_claims_only(browser: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile", "custom_data", "identities")
    logto.tenant.add_user(username="reader", custom_data={"shelf": 7})
    browser.sign_in("reader")
    assert logto.requests.to("me") == []
    settings.LOGTO_USERINFO_CLAIMS = ("custom_data", "name")
    other = Browser(logto)
    other.sign_in("reader")
    assert len(logto.requests.to("me")) == 1
    claims = other.client.get("/account/claims").wsgi_request.logto.claims
    assert claims["custom_data"] == {"shelf": 7}
    assert "identities" not in claims


def test_view_sets_options_that_urls_cannot(rf, logto: Emulator) -> None:
    from django.contrib.sessions.backends.db import SessionStore

    request = rf.get("/join")
    request.session = SessionStore()
    options = SignInOptions(organization_id="harbourbr001", scopes=["phone"], extra={"campaign": "spring"})
    query = parse_qs(urlsplit(redirect_to_logto(request, next_url="/welcome", options=options)["Location"]).query)
    assert query["organization_id"] == ["harbourbr001"]
    assert query["scope"] == ["openid offline_access profile email roles phone"]
    assert query["campaign"] == ["spring"]


@pytest.mark.parametrize(
    "query",
    [
        "first_screen=nonsense",
        "direct_sign_in=alipay",
        "identifiers=email+fax",
        "prompt=select_account",
        "ui_locales=%00",
        "login_hint=a%0Ab",
    ],
)
def test_unknown_option_value_is_refused(client, logto: Emulator, query: str) -> None:
    response = client.get(f"/sign-in?{query}")
    assert response.status_code == 400
    assert "invalid_option" in response.content.decode()
    assert not any(name.startswith("logto_") for name in response.cookies)


def test_signed_in_user_is_redirected_to_next(browser: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    assert browser.client.get("/sign-in?next=/account/claims")["Location"] == "/account/claims"
    assert browser.start(prompt="login").startswith(logto.endpoint)


def test_cancelled_consent_shows_page_to_try_again(client, logto: Emulator) -> None:
    response = client.get(reverse("logto_auth:callback"))
    assert response.status_code == 400
    assert "sign_in_cancelled" in response.content.decode()
    assert 'href="/sign-in?next=/"' in response.content.decode()
