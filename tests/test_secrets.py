"""Tokens and secrets appear in no page, cookie, log line, `repr` or readable column."""

from __future__ import annotations

import io
import pickle
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from logto_auth.clients import oidc_client
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.encryption import decrypt
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.oidc.authorization import AuthorizationRequest, SignInOptions
from logto_auth.oidc.http import BearerAuth, Response
from logto_auth.oidc.secrets import Secret
from logto_auth.oidc.token_endpoint import ClientSecretBasic
from logto_auth.oidc.types import TokenSet
from logto_auth.sessions.store import AccessToken
from logto_auth.sign_in.state import PendingSignIn
from logto_auth.testing import Browser
from tests.support import JWT, JWT_START, Witness, pending_cookies

pytestmark = pytest.mark.django_db


def secrets_of_the_session() -> list[str]:
    tokens = LogtoSession.objects.get().tokens
    return [
        django_settings.LOGTO_APP_SECRET,
        tokens["id_token"],
        tokens["refresh_token"],
        *(entry["token"] for entry in tokens["access_tokens"].values()),
    ]


def test_debug_page_of_callback_shows_no_secret(browser: Browser, logto: Emulator, reader: Any, settings: Any) -> None:
    settings.LOGTO_USER_FIELDS = "tests.support.fail"
    settings.DEBUG = True
    browser.client.raise_request_exception = False
    url = browser.logto.sign_in(browser.start(), "reader")
    pending = [decrypt(cookie, purpose="sign-in") for cookie in pending_cookies(browser.client).values()]
    response = browser.open(url)
    page = response.content.decode()
    assert response.status_code == 500
    assert "RuntimeError" in page
    assert not JWT.search(page)
    # The URL of the page itself contains the code and the state, but not the secrets that belong to them. The nonce is
    # one of the claims, and has been used already.
    hidden = [pending[0]["code_verifier"], settings.LOGTO_APP_SECRET]
    hidden += [*logto.instances.access_tokens, *logto.instances.refresh_tokens]
    assert len(hidden) == 4
    assert [secret for secret in hidden if secret in page] == []


def test_debug_page_of_signed_in_user_shows_no_token(
    browser: Browser, logto: Emulator, reader: Any, settings: Any, monkeypatch: Any
) -> None:
    browser.sign_in("reader")
    settings.DEBUG = True
    browser.client.raise_request_exception = False
    monkeypatch.setattr("bookstore.account.views.presentable", broken)
    page = browser.client.get("/account/claims").content.decode()
    assert "RuntimeError" in page
    assert [secret for secret in secrets_of_the_session() if secret in page] == []


def broken(claims: Any) -> Any:
    raise RuntimeError("A page is broken.")


def test_repr_contains_no_secret(browser: Browser, reader: Any) -> None:
    browser.sign_in("reader")
    row = LogtoSession.objects.get()
    request = AuthorizationRequest(state="SECRET", nonce="SECRET", code_verifier=Secret("SECRET"))
    holders: list[Any] = [
        row,
        LogtoIdentity.objects.get(),
        request,
        PendingSignIn.create(
            request,
            redirect_uri="http://testserver/callback",
            next_url="/",
            options=SignInOptions(),
            is_silent=False,
            confirmed_user="",
        ),
        TokenSet(
            access_token=Secret("SECRET"),
            expires_at=1,
            scopes=frozenset(),
            refresh_token=Secret("SECRET"),
            id_token=Secret("SECRET"),
            id_token_claims={"nonce": "SECRET"},
        ),
        AccessToken(token=Secret("SECRET"), expires_at=1, scopes=frozenset()),
        ClientSecretBasic("id", Secret("SECRET")),
        BearerAuth(Secret("SECRET")),
        Response(200, {}, b"SECRET", "http://localhost/"),
        oidc_client(),
        browser.client.get("/").wsgi_request.logto,
    ]
    for holder in holders:
        shown = f"{holder!r} {holder!s}"
        assert "SECRET" not in shown
        assert JWT_START not in shown
        assert not any(secret in shown for secret in secrets_of_the_session())


def test_database_contains_no_readable_token(browser: Browser, reader: Any) -> None:
    browser.sign_in("reader")
    stored = LogtoSession.objects.values().get()
    session = browser.client.session
    for secret in secrets_of_the_session():
        assert secret not in str(stored)
        assert secret not in str(dict(session.items()))
        assert secret.encode() not in pickle.dumps(stored)


def test_pages_and_cookies_contain_no_token(browser: Browser, logto: Emulator, reader: Any) -> None:
    browser.sign_in("reader")
    secrets = secrets_of_the_session()
    for path in ("/", "/account/claims", "/basket/"):
        page = browser.client.get(path).content.decode()
        assert [secret for secret in secrets if secret in page] == []
    cookies = str(browser.client.cookies)
    assert [secret for secret in secrets if secret in cookies] == []


def test_log_of_sign_in_and_sign_out_contains_no_secret(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, caplog: Any, settings: Any
) -> None:
    caplog.set_level("DEBUG")
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    response = browser.sign_in("reader")
    secrets = secrets_of_the_session()
    response.wsgi_request.logto.user_info()
    logto.faults.http["revocation"] = HttpFault(status=400, body="{}")
    browser.client.post("/sign-out")
    # At DEBUG urllib3 logs all URLs. The ones of Logto's pages are opened by the browser, not by the site.
    messages = [record.getMessage() for record in caplog.records]
    text = "\n".join(message for message in messages if "GET /oidc/auth" not in message and "/sign-in?" not in message)
    assert "POST /oidc/token " in text
    assert [secret for secret in secrets if secret in text] == []
    witness.sees_no_secret_in(text)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"LOGTO_ENDPOINT": "https://tenant.logto.app/oidc"}, id="endpoint"),
        pytest.param({"LOGTO_APP_ID": "<your app id>"}, id="app-id"),
        pytest.param({"LOGTO_APP_SECRET": "change-me-KNOWN-SECRET"}, id="secret-placeholder"),
        pytest.param({"LOGTO_APP_SECRET": ["KNOWN-SECRET"]}, id="secret-list"),
        pytest.param({"LOGTO_APP_SECRETT": "KNOWN-SECRET"}, id="secret-misspelt"),
        pytest.param({"LOGTO_HTTP_TIMEOUT_SECONDS": (1,)}, id="timeouts"),
    ],
)
def test_checks_do_not_print_app_secret(settings: Any, wrong: dict[str, Any]) -> None:
    settings.LOGTO_APP_SECRET = "KNOWN-SECRET"
    for name, value in wrong.items():
        setattr(settings, name, value)
    output = io.StringIO()
    try:
        call_command("check", deploy=True, stdout=output, stderr=output)
    except SystemCheckError as error:
        output.write(str(error))
    assert "logto_auth." in output.getvalue()
    assert "KNOWN-SECRET" not in output.getvalue()
