"""Sign-ins with `prompt=none` that Logto answers with `consent_required`: they are repeated once, with consent.

Logto answers so when its session has no grant for this site, or none for a scope that the site requests now.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.auth import get_user_model

from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.encryption import decrypt
from logto_auth.models import LogtoIdentity, LogtoSession, UserStatus
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sign_in.start import redirect_to_logto
from logto_auth.testing import Browser
from logto_auth.users.suspension import suspend
from tests.ageing import age
from tests.support import Witness, pending_cookies, query_of

pytestmark = pytest.mark.django_db
User = get_user_model()


@pytest.fixture(autouse=True)
def without_refresh_tokens(settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile")


@pytest.fixture
def signed_in(browser: Browser, logto: Emulator) -> Browser:
    logto.tenant.add_user(username="reader", id="reader000001")
    browser.sign_in("reader")
    return browser


def sign_in_at_another_site(browser: Browser, logto: Emulator, username: str = "reader") -> None:
    """Begin a new session at Logto, by the sign-in of another application."""
    application = logto.tenant.add_application(name="Other site", redirect_uris=["http://other.test/cb"])
    browser.logto.session.cookies.clear()
    query = {
        "client_id": application.id,
        "redirect_uri": "http://other.test/cb",
        "response_type": "code",
        "scope": "openid",
    }
    browser.logto.sign_in(f"{logto.endpoint}/oidc/auth?{urlencode(query)}", username)


def follow(browser: Browser, response: Any) -> Any:
    """Return the first response of the site that does not redirect to Logto. Logto must show no page."""
    for _ in range(5):
        if response.status_code != 302 or not response["Location"].startswith(browser.logto.endpoint):
            return response
        response = browser.open(browser.logto.sign_in(response["Location"]))
    raise AssertionError("The site redirects to Logto again and again.")


def prompts(logto: Emulator) -> list[str | None]:
    return [request.query.get("prompt", [None])[0] for request in logto.requests.to("auth")]


# The revalidation of sessions


@pytest.mark.parametrize("is_confirmed", [True, False], ids=["session-with-row", "session-of-login"])
def test_stale_session_survives_sign_in_at_another_site(
    signed_in: Browser, logto: Emulator, is_confirmed: bool
) -> None:
    if not is_confirmed:
        signed_in.client.logout()
        signed_in.client.force_login(User.objects.get(), backend="logto_auth.backends.LogtoBackend")
    sign_in_at_another_site(signed_in, logto)
    age(signed_in)
    logto.requests.clear()
    assert follow(signed_in, signed_in.client.get("/account/claims?tab=2"))["Location"] == "/account/claims?tab=2"
    assert prompts(logto) == ["none", "consent"]
    assert signed_in.client.get("/account/claims").status_code == 200
    assert LogtoSession.objects.count() == 1


def test_stale_session_survives_deployment_with_new_scope(signed_in: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile", "email")
    age(signed_in)
    assert follow(signed_in, signed_in.client.get("/account/claims"))["Location"] == "/account/claims"
    assert signed_in.client.get("/account/claims").status_code == 200
    age(signed_in)
    logto.requests.clear()
    follow(signed_in, signed_in.client.get("/account/claims"))
    assert prompts(logto) == ["none"], "Logto has the grant now"


def test_repeated_confirmation_signs_in_nobody_else(signed_in: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="mallory")
    sign_in_at_another_site(signed_in, logto, "mallory")
    age(signed_in)
    follow(signed_in, signed_in.client.get("/account/claims"))
    assert signed_in.client.get("/account/claims")["Location"] == "/sign-in?next=/account/claims"
    assert not User.objects.filter(username="mallory").exists()


@pytest.mark.parametrize("when", ["before-repetition", "after-repetition"])
def test_sign_in_from_before_suspension_lifts_nothing(signed_in: Browser, logto: Emulator, when: str) -> None:
    signed_in.client.logout()
    sign_in_at_another_site(signed_in, logto)
    to_logto = signed_in.client.get("/sign-in?prompt=none")["Location"]
    callback = signed_in.logto.sign_in(to_logto)
    identity = LogtoIdentity.objects.get()
    if when == "before-repetition":
        suspend(identity, UserStatus.SUSPENDED, time.time() - 60)
    again = signed_in.open(callback)["Location"]
    if when == "after-repetition":
        suspend(identity, UserStatus.SUSPENDED, time.time() - 60)
    response = signed_in.open(signed_in.logto.sign_in(again))
    assert (response.status_code, response.context["code"]) == (403, "account_disabled")
    assert LogtoIdentity.objects.get().status == UserStatus.SUSPENDED


def test_second_consent_required_ends_session(signed_in: Browser, logto: Emulator) -> None:
    logto.faults.callback = lambda parameters: [
        ("error", "consent_required"),
        *(pair for pair in parameters if pair[0] in ("state", "iss")),
    ]
    age(signed_in)
    logto.requests.clear()
    assert follow(signed_in, signed_in.client.get("/account/claims"))["Location"] == "/account/claims"
    assert prompts(logto) == ["none", "consent"]
    assert signed_in.client.get("/account/claims")["Location"] == "/sign-in?next=/account/claims"


def test_unreachable_logto_shows_page_before_repetition(signed_in: Browser, logto: Emulator) -> None:
    sign_in_at_another_site(signed_in, logto)
    age(signed_in)
    callback = signed_in.logto.sign_in(signed_in.client.get("/account/claims")["Location"])
    reset_clients()
    logto.faults.http["discovery"] = HttpFault(drop=True)
    response = signed_in.open(callback)
    assert (response.status_code, response.context["code"]) == (503, "provider_unreachable")


# Sign-ins that a URL or a view starts


def test_sign_in_without_prompt_by_url_is_repeated(signed_in: Browser, logto: Emulator) -> None:
    signed_in.client.logout()
    sign_in_at_another_site(signed_in, logto)
    logto.requests.clear()
    response = signed_in.client.get("/sign-in?prompt=none&login_hint=reader&next=/account/claims")
    assert follow(signed_in, response)["Location"] == "/account/claims"
    assert prompts(logto) == ["none", "consent"]
    assert logto.requests.to("auth")[1].query["login_hint"] == ["reader"]
    assert signed_in.client.get("/account/claims").status_code == 200


def test_repeated_sign_in_keeps_options_of_view(signed_in: Browser, logto: Emulator) -> None:
    request = signed_in.client.get("/").wsgi_request
    options = SignInOptions(
        prompt="none", max_age=600, organization_id="org1", members_only=True, scopes=["email"], extra={"shop": "7"}
    )
    response = redirect_to_logto(request, next_url="/account/claims", options=options)
    signed_in.client.cookies.update(response.cookies)
    callback = signed_in.logto.sign_in(response["Location"])
    repeated = query_of(signed_in.open(callback)["Location"])
    assert (repeated["prompt"], repeated["max_age"], repeated["shop"]) == ("consent", "600", "7")
    assert repeated["scope"] == "openid profile email"
    assert repeated["organization_id"] == "org1"


def test_site_with_prompt_none_by_default_is_repeated_once(signed_in: Browser, logto: Emulator, settings: Any) -> None:
    settings.LOGTO_PROMPT = "none"
    signed_in.client.logout()
    sign_in_at_another_site(signed_in, logto)
    logto.requests.clear()
    assert follow(signed_in, signed_in.client.get("/sign-in?next=/account/claims"))["Location"] == "/account/claims"
    assert prompts(logto) == ["none", "consent"]


@pytest.mark.parametrize("error", ["consent_required", "interaction_required", "account_selection_required"])
def test_page_says_that_logto_asks_something(browser: Browser, logto: Emulator, witness: Witness, error: str) -> None:
    state = query_of(browser.start())["state"]
    query = urlencode({"error": error, "state": state, "iss": logto.issuer})
    response = witness.sees_refused(lambda: browser.open(f"/callback?{query}"), "interaction_required", 401)
    assert "no longer signed in" not in response.content.decode()


# The cookie


def test_used_sign_in_forgets_its_options(signed_in: Browser, logto: Emulator) -> None:
    signed_in.client.logout()
    sign_in_at_another_site(signed_in, logto)
    follow(signed_in, signed_in.client.get("/sign-in?prompt=none&login_hint=reader&next=/account/claims"))
    with_hint = [cookie for cookie in pending_cookies(signed_in.client).values() if "reader" in str(decrypted(cookie))]
    assert with_hint == []


def test_options_too_long_for_cookie_are_not_repeated(signed_in: Browser, logto: Emulator) -> None:
    signed_in.client.logout()
    sign_in_at_another_site(signed_in, logto)
    response = signed_in.client.get(f"/sign-in?prompt=none&login_hint={'é' * 512}&next=/{'x' * 1000}")
    assert all(len(cookie) < 4000 for cookie in pending_cookies(signed_in.client).values())
    assert follow(signed_in, response).context["code"] == "interaction_required"


def decrypted(cookie: str) -> Any:
    return decrypt(cookie, purpose="sign-in")
