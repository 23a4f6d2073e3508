"""E3, E4, E7: what the provider says is text on a page; secrets are on none; the emulator stays at home."""

from __future__ import annotations

import io
import pickle
import re
import socket
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.template import Context, Template
from django.test import Client, RequestFactory

from logto_auth.clients import oidc_client
from logto_auth.emulator import Emulator, HttpFault, run_in_thread
from logto_auth.emulator.__main__ import main
from logto_auth.encryption import decrypt
from logto_auth.exceptions import ProviderError
from logto_auth.models import LogtoIdentity, LogtoSession
from logto_auth.oidc.authorization import AuthorizationRequest, SignInOptions
from logto_auth.oidc.http import BearerAuth, Response
from logto_auth.oidc.token_endpoint import ClientSecretBasic
from logto_auth.oidc.types import TokenSet
from logto_auth.sessions.store import AccessToken
from logto_auth.sign_in.state import PendingSignIn
from logto_auth.testing import Browser

from .support import JWT_START, Witness, changed_claims, code_on, pending_cookies, query_of

pytestmark = pytest.mark.django_db

MARKUP = '<img src=x onerror="alert(1)">\'"><script>alert(2)</script>{{ 7|add:7 }}'


# E3


@pytest.fixture
def hostile(browser: Browser, logto: Emulator, settings: Any) -> Browser:
    """A person whose every text at Logto is an attack, and who has all rights here."""
    settings.LOGTO_SCOPES = [
        "openid",
        "offline_access",
        "profile",
        "email",
        "phone",
        "address",
        "custom_data",
        "identities",
        "roles",
        "urn:logto:scope:organizations",
        "urn:logto:scope:organization_roles",
    ]
    settings.LOGTO_STAFF_ROLES = settings.LOGTO_SUPERUSER_ROLES = ["admin"]
    logto.tenant.add_role("admin")
    logto.tenant.add_role(MARKUP)
    person = logto.tenant.add_user(
        username="reader",
        name=MARKUP,
        avatar="javascript:alert(3)",
        profile=dict.fromkeys(
            ["familyName", "nickname", "website", "locale", "profile"], "javascript:alert(4)" + MARKUP
        ),
        identities={MARKUP: {"userId": MARKUP, "details": {"name": MARKUP, "avatar": "javascript:alert(5)"}}},
        custom_data={MARKUP: MARKUP, "list": [MARKUP]},
        roles=["admin", MARKUP],
    )
    logto.tenant.add_organization(MARKUP, id="organization")
    logto.tenant.add_organization_role(MARKUP)
    logto.tenant.add_member("organization", person.id, roles=[MARKUP])
    logto.faults.id_token_claims = changed_claims(username=MARKUP, given_name=MARKUP, extra=MARKUP)
    assert browser.sign_in("reader").status_code == 302
    return browser


@pytest.mark.parametrize("path", ["/", "/account/", "/admin/", "/admin/auth/user/", "/basket/"])
def test_E3_every_text_of_the_provider_is_escaped(hostile: Browser, path: str) -> None:
    response = hostile.client.get(path)
    assert response.status_code == 200
    assert_harmless(response.content.decode())


def test_E3_also_on_the_pages_about_one_user(hostile: Browser) -> None:
    user = get_user_model().objects.get()
    page = hostile.client.get(f"/admin/auth/user/{user.pk}/change/")
    assert page.status_code == 200
    assert_harmless(page.content.decode())


def test_E3_also_on_the_page_that_says_no(browser: Browser, logto: Emulator, reader: Any, settings: Any) -> None:
    browser.sign_in("reader")
    get_user_model().objects.update(username=MARKUP, first_name=MARKUP)
    page = browser.client.get("/admin/login/")
    assert page.status_code == 403
    assert_harmless(page.content.decode())


@pytest.mark.parametrize("attribute", ["label", "next", "class"])
def test_E3_the_buttons_escape_what_they_are_given(rf: RequestFactory, attribute: str) -> None:
    context = Context({"request": rf.get("/"), "markup": MARKUP})
    for button in ("logto_sign_in_button", "logto_sign_out_button"):
        if (button, attribute) != ("logto_sign_out_button", "next"):
            page = Template(f"{{% load logto %}}{{% {button} {attribute}=markup %}}").render(context)
            assert_harmless(page)


def assert_harmless(page: str) -> None:
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert not re.search(r"""(?:href|src|action|style|on\w+)\s*=\s*["']?\s*javascript:""", page)
    assert 'onerror="' not in page
    assert "14" not in re.findall(r"alert\(2\)(?:</script>|&lt;/script&gt;)(\d+)", page)


def test_E3_no_button_repeats_the_code_of_a_callback(browser: Browser) -> None:
    for path in ("/callback?code=THECODE&state=THESTATE", "/sign-in?next=/&prompt=THECODE"):
        page = browser.client.get(path)
        links = re.findall(r'href="([^"]*)"', page.content.decode())
        assert links
        assert not any("THECODE" in link or "THESTATE" in link for link in links)


# E4


def secrets_of_the_session() -> list[str]:
    tokens = LogtoSession.objects.get().tokens
    return [
        django_settings.LOGTO_APP_SECRET,
        tokens["id_token"],
        tokens["refresh_token"],
        *(entry["token"] for entry in tokens["access_tokens"].values()),
    ]


def test_E4_the_debug_page_shows_no_token_and_no_secret(
    browser: Browser, logto: Emulator, reader: Any, settings: Any
) -> None:
    settings.LOGTO_USER_FIELDS = "tests.attacks.support.fail"
    settings.DEBUG = True
    browser.client.raise_request_exception = False
    url = browser.logto.sign_in(browser.start(), "reader")
    pending = [decrypt(cookie, purpose="sign-in") for cookie in pending_cookies(browser.client).values()]
    response = browser.open(url)
    page = response.content.decode()
    assert response.status_code == 500
    assert "RuntimeError" in page
    assert JWT_START not in page
    # The code and the state stand in the address of the page itself; what must go with them does not. The nonce is
    # among the claims, and has done its work.
    hidden = [pending[0]["code_verifier"], settings.LOGTO_APP_SECRET]
    hidden += [*logto.instances.access_tokens, *logto.instances.refresh_tokens]
    assert len(hidden) == 4
    assert [secret for secret in hidden if secret in page] == []


def test_E4_the_debug_page_of_a_signed_in_person_shows_no_token(
    browser: Browser, logto: Emulator, reader: Any, settings: Any, monkeypatch: Any
) -> None:
    browser.sign_in("reader")
    settings.DEBUG = True
    browser.client.raise_request_exception = False
    monkeypatch.setattr("bookstore.account.views.presentable", broken)
    page = browser.client.get("/account/").content.decode()
    assert "RuntimeError" in page
    assert [secret for secret in secrets_of_the_session() if secret in page] == []


def broken(claims: Any) -> Any:
    raise RuntimeError("A page is broken.")


def test_E4_what_holds_a_secret_does_not_say_it(browser: Browser, reader: Any) -> None:
    browser.sign_in("reader")
    row = LogtoSession.objects.get()
    request = AuthorizationRequest(state="SECRET", nonce="SECRET", code_verifier="SECRET")
    holders: list[Any] = [
        row,
        LogtoIdentity.objects.get(),
        request,
        PendingSignIn.start(
            request, redirect_uri="http://testserver/callback", next_url="/", options=SignInOptions(), is_silent=False
        ),
        TokenSet(
            access_token="SECRET",
            expires_at=1,
            scopes=frozenset(),
            refresh_token="SECRET",
            id_token="SECRET",
            id_token_claims={"nonce": "SECRET"},
        ),
        AccessToken(token="SECRET", expires_at=1, scopes=frozenset()),
        ClientSecretBasic("id", "SECRET"),
        BearerAuth("SECRET"),
        Response(200, {}, b"SECRET", "http://localhost/"),
        oidc_client(),
        browser.client.get("/").wsgi_request.logto,
    ]
    for holder in holders:
        shown = f"{holder!r} {holder!s}"
        assert "SECRET" not in shown
        assert JWT_START not in shown
        assert not any(secret in shown for secret in secrets_of_the_session())


def test_E4_the_database_holds_no_token_that_can_be_read(browser: Browser, reader: Any) -> None:
    browser.sign_in("reader")
    stored = LogtoSession.objects.values().get()
    session = browser.client.session
    for secret in secrets_of_the_session():
        assert secret not in str(stored)
        assert secret not in str(dict(session.items()))
        assert secret.encode() not in pickle.dumps(stored)


def test_E4_no_page_and_no_cookie_holds_a_token(browser: Browser, logto: Emulator, reader: Any) -> None:
    browser.sign_in("reader")
    secrets = secrets_of_the_session()
    for path in ("/", "/account/", "/basket/"):
        page = browser.client.get(path).content.decode()
        assert [secret for secret in secrets if secret in page] == []
    cookies = str(browser.client.cookies)
    assert [secret for secret in secrets if secret in cookies] == []


def test_E4_a_whole_journey_leaves_no_secret_in_the_log(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any, caplog: Any, settings: Any
) -> None:
    caplog.set_level("DEBUG")
    settings.LOGTO_USERINFO_CLAIMS = ["custom_data"]
    response = browser.sign_in("reader")
    secrets = secrets_of_the_session()
    response.wsgi_request.logto.user_info()
    logto.faults.http["revocation"] = HttpFault(status=400, body="{}")
    browser.client.post("/sign-out")
    # At DEBUG urllib3 logs the addresses of the calls, of which only those to pages for people are not the site's.
    messages = [record.getMessage() for record in caplog.records]
    text = "\n".join(message for message in messages if "GET /oidc/auth" not in message and "/sign-in?" not in message)
    assert "POST /oidc/token " in text
    assert [secret for secret in secrets if secret in text] == []
    witness.sees_no_secret_in(text)


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"LOGTO_ENDPOINT": "https://tenant.logto.app/oidc"}, id="E4-endpoint"),
        pytest.param({"LOGTO_APP_ID": "<your app id>"}, id="E4-app-id"),
        pytest.param({"LOGTO_APP_SECRET": "change-me-KNOWN-SECRET"}, id="E4-secret-placeholder"),
        pytest.param({"LOGTO_APP_SECRET": ["KNOWN-SECRET"]}, id="E4-secret-list"),
        pytest.param({"LOGTO_APP_SECRETT": "KNOWN-SECRET"}, id="E4-secret-misspelt"),
        pytest.param({"LOGTO_HTTP_TIMEOUT_SECONDS": (1,)}, id="E4-timeouts"),
    ],
)
def test_E4_checks_do_not_print_the_app_secret(settings: Any, wrong: dict[str, Any]) -> None:
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


# E7


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.0.1", "example.com", "127.0.0.1.evil.example", "127.0.0.2", ""]
)
def test_E7_the_emulator_refuses_to_listen_where_others_could_reach_it(host: str, capsys: Any) -> None:
    assert main(["--port", "0", "--host", host]) == 1
    assert "127.0.0.1" in capsys.readouterr().err


def test_E7_the_emulator_listens_on_this_machine_only(logto: Emulator) -> None:
    port = int(logto.endpoint.rpartition(":")[2])
    addresses = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
    for address in addresses - {"127.0.0.1"}:
        with socket.socket() as client:
            client.settimeout(1)
            assert client.connect_ex((address, port)) != 0


def test_E7_the_demo_refuses_to_run_as_production() -> None:
    environment = {"DJANGO_DEBUG": "0", "DJANGO_SECRET_KEY": "x" * 50, "DJANGO_SETTINGS_MODULE": "bookstore.settings"}
    finished = subprocess.run(
        [sys.executable, "manage.py", "demo"],
        cwd=django_settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert finished.returncode == 1
    assert "DEBUG" in finished.stderr


def test_E7_a_production_check_complains_about_the_emulator(logto: Emulator) -> None:
    found = run_checks(include_deployment_checks=True)
    assert "logto_auth.W010" in [message.id for message in found]


def test_E7_tokens_of_an_emulator_are_not_believed_by_a_site_of_another_logto(
    browser: Browser, logto: Emulator, witness: Witness, reader: Any
) -> None:
    with run_in_thread() as other:
        assert {key.kid for key in other.keys.all()}.isdisjoint(key.kid for key in logto.keys.all())
        logto.faults.id_token = lambda header, claims: other.sign(claims)
        witness.sees_refused(lambda: browser.sign_in("reader"), "token_invalid", 400)


def test_E7_an_emulator_under_the_address_of_a_real_logto_is_not_believed(logto: Emulator) -> None:
    from logto_auth.oidc.http import HTTPClient
    from logto_auth.oidc.provider import Provider

    # Its issuer is http://localhost:<port>/oidc whatever address it is reached by.
    provider = Provider(
        issuer=logto.issuer.replace("localhost", "127.0.0.1"),
        algorithms=["ES384"],
        http=HTTPClient(connect_seconds=1, total_seconds=1),
    )
    with pytest.raises(ProviderError, match="names the issuer"):
        _ = provider.metadata


def test_pages_of_ours_are_never_cached_framed_or_named_to_others(browser: Browser, reader: Any) -> None:
    responses = [
        browser.client.get("/sign-in"),
        browser.client.get("/callback"),
        browser.sign_in("reader"),
        browser.client.get("/sign-out"),
        browser.client.post("/sign-out"),
        Client().head("/callback"),
    ]
    for response in responses:
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["X-Frame-Options"] == "DENY"
    assert code_on(responses[1]) == "sign_in_cancelled"
    assert "code" not in query_of(responses[2]["Location"])
