"""The methods by which the user of a session has authenticated: at the sign-in, and after each refresh."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from django.contrib.auth import get_user_model, login
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test.utils import CaptureQueriesContext
from django.urls import include, path, reverse
from joserfc.jwk import ECKey

from logto_auth.clients import oidc_client
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.emulator.state.records import User as LogtoUser
from logto_auth.models import LogtoSession
from logto_auth.oidc.authorization import SignInOptions
from logto_auth.sessions import keep_logto_session
from logto_auth.sign_in.start import redirect_to_logto
from logto_auth.tenant.claims_script import merged_script
from logto_auth.testing import Browser
from tests.ageing import age, age_refresh_tokens
from tests.support import changed_claims, row_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

API = "https://shop.example/api"
LOGIN = "login consent"
BOTH = ["Password", "Totp"]
UNPROVED = {"methods": [], "at": None, "known": False}


def page(request: HttpRequest) -> JsonResponse:
    principal = request.logto  # type: ignore[attr-defined]
    return JsonResponse(
        {
            "methods": principal.authentication_methods,
            "at": principal.authentication_methods_at,
            "known": principal.has_authentication_methods,
        }
    )


def silent(request: HttpRequest) -> HttpResponse:
    return redirect_to_logto(request, next_url="/", options=SignInOptions(prompt="none"), is_silent=True)


def scopes(request: HttpRequest) -> JsonResponse:
    return JsonResponse(sorted(request.logto.scopes), safe=False)  # type: ignore[attr-defined]


def user_info(request: HttpRequest) -> JsonResponse:
    return JsonResponse({**request.logto.user_info()})  # type: ignore[attr-defined]


def account(request: HttpRequest) -> JsonResponse:
    return JsonResponse({**request.logto.account.get()})  # type: ignore[attr-defined]


def permissions(request: HttpRequest) -> JsonResponse:
    return JsonResponse(sorted(request.logto.permissions()), safe=False)  # type: ignore[attr-defined]


def organization_token(request: HttpRequest) -> HttpResponse:
    request.logto.organization_token("harbourbr001")  # type: ignore[attr-defined]
    return page(request)


def permissions_in_organization(request: HttpRequest) -> HttpResponse:
    request.logto.permissions(organization_id="harbourbr001")  # type: ignore[attr-defined]
    return page(request)


def refreshed(request: HttpRequest) -> JsonResponse:
    request.logto.refresh()  # type: ignore[attr-defined]
    return page(request)


def rolled_back(request: HttpRequest) -> HttpResponse:
    with transaction.atomic():
        request.logto.refresh()  # type: ignore[attr-defined]
        transaction.set_rollback(True)
    return HttpResponse()


def acquire(request: HttpRequest, username: str) -> HttpResponse:
    user = get_user_model().objects.get(username=username)
    login(request, user, backend="logto_auth.backends.LogtoBackend")
    keep_logto_session(request)
    return page(request)


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", page),
    path("silent", silent),
    path("scopes", scopes),
    path("user-info", user_info),
    path("account", account),
    path("permissions", permissions),
    path("organization-token", organization_token),
    path("permissions-in-organization", permissions_in_organization),
    path("refreshed", refreshed),
    path("rolled-back", rolled_back),
    path("acquire/<str:username>", acquire),
]


@pytest.fixture(autouse=True)
def site(logto: Emulator, settings: Any) -> None:
    """A site that checks second factors, and a tenant with the script and an API."""
    tenant = logto.tenant
    tenant.add_resource(API, scopes=["read:books"])
    tenant.add_role("reader", scopes={API: ["read:books"]})
    tenant.jwt_customizers["jwt.accessToken"] = {"script": merged_script("")}
    tenant.sign_in_experience.mfa_factors = ["Totp"]
    tenant.sign_in_experience.mfa_policy = "NoPrompt"
    tenant.enable_account_center()
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": []}]
    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile", "read:books")
    settings.LOGTO_SECOND_FACTOR = True


@pytest.fixture
def user(logto: Emulator) -> LogtoUser:
    return logto.tenant.add_user(username="reader", id="reader000001", roles=["reader"])


@pytest.fixture
def secret(logto: Emulator, user: LogtoUser) -> str:
    """The secret of the authenticator app of the user."""
    return logto.tenant.add_totp(user)


@pytest.fixture
def reader(browser: Browser, logto: Emulator, secret: str) -> Browser:
    """A browser in which the user has just signed in with a second factor, because this site asked for it."""
    browser.sign_in("reader", totp_secret=secret, prompt=LOGIN)
    logto.requests.clear()
    return browser


def seen(browser: Browser, address: str = "/") -> Any:
    """Return the JSON of a page."""
    response = browser.client.get(address)
    assert response.status_code == 200, response
    return json.loads(response.content)


def calls(logto: Emulator) -> list[str]:
    return [request.endpoint for request in logto.requests]


def shorten_freshness(browser: Browser) -> float:
    """Let the session be fresh for ten minutes less than after a refresh, and return until when."""
    row = row_of(browser)
    row.fresh_until -= 600
    row.save()
    return row.fresh_until


def end_session_at_logto(logto: Emulator, browser: Browser) -> None:
    """Sign the user out at Logto, which cannot reach this site."""
    for session in list(logto.instances.sessions.values()):
        logto.instances.end_session(session)
    browser.logto.session.cookies.clear()


# The sign-in


def test_sign_in_that_asks_for_login_knows_methods_and_time(reader: Browser) -> None:
    state = seen(reader)
    assert (state["methods"], state["known"]) == (BOTH, True)
    assert abs(state["at"] - time.time()) < 10
    assert state["at"] == reader.client.get("/").wsgi_request.logto.claims["auth_time"]


def test_sign_in_costs_one_call_as_before(browser: Browser, logto: Emulator, secret: str) -> None:
    callback = browser.logto.sign_in(browser.start(), "reader", totp_secret=secret)
    oidc_client().keys.current()
    logto.requests.clear()
    browser.open(callback)
    assert calls(logto) == ["token"]
    assert logto.requests[0].form["resource"] == [API]


def test_ordinary_sign_in_knows_methods_without_time(browser: Browser, secret: str) -> None:
    browser.sign_in("reader", totp_secret=secret)
    assert seen(browser) == {"methods": BOTH, "at": None, "known": True}


def test_password_alone_is_known_as_such(browser: Browser, user: LogtoUser) -> None:
    browser.sign_in("reader", prompt=LOGIN)
    state = seen(browser)
    assert (state["methods"], state["known"], state["at"] is None) == (["Password"], True, False)


def test_login_without_consent_has_no_time(browser: Browser, secret: str, settings: Any) -> None:
    # Logto keeps the records of the sign-in before.
    settings.LOGTO_SCOPES = ("openid", "profile")
    browser.sign_in("reader", totp_secret=secret, prompt="login")
    state = seen(browser)
    assert (state["methods"], state["at"]) == (BOTH, None)


@pytest.mark.parametrize("prompt", ["login", "none", None])
def test_sign_in_whose_consent_was_removed_proves_nothing(
    browser: Browser, logto: Emulator, user: LogtoUser, secret: str, caplog: Any, prompt: str | None
) -> None:
    browser.sign_in("reader", totp_secret=secret)
    logto.tenant.update_user(user.id, logto_configs={"mfa": {"skipMfaOnSignIn": True, "enabled": True}})
    url = browser.start(prompt=LOGIN)
    assert "prompt=login+consent" in url
    # Logto asks for the password alone, or for nothing, and keeps the methods of the sign-in before.
    changed = url.replace("prompt=login+consent", f"prompt={prompt}" if prompt else "")
    browser.open(browser.logto.sign_in(changed, "reader"))
    assert browser.client.get("/").wsgi_request.logto.is_authenticated
    assert seen(browser) == UNPROVED
    assert "the prompt in the URL was changed" in caplog.text
    # It has no refresh token. The silent sign-in that confirms it proves no more.
    age(browser)
    browser.open(browser.logto.sign_in(browser.client.get("/")["Location"]))
    assert seen(browser) == {"methods": ["Password"], "at": None, "known": True}


@pytest.mark.parametrize("prompt", ["login", LOGIN])
def test_prompt_of_the_site_counts(browser: Browser, secret: str, settings: Any, prompt: str) -> None:
    # For a refresh token, `consent` is added.
    settings.LOGTO_PROMPT = prompt
    browser.sign_in("reader", totp_secret=secret)
    assert seen(browser)["at"] is not None


@pytest.mark.parametrize(
    "auth_time",
    [..., None, "1795400124", True, -1, [], 0, "older", "future"],
)
def test_unusable_time_of_login_is_unknown(browser: Browser, logto: Emulator, secret: str, auth_time: Any) -> None:
    offset = {"older": -62, "future": 62}
    value = int(time.time()) + offset[auth_time] if auth_time in ("older", "future") else auth_time
    logto.faults.id_token_claims = changed_claims(auth_time=value)
    browser.sign_in("reader", totp_secret=secret, prompt=LOGIN)
    assert seen(browser) == {"methods": BOTH, "at": None, "known": True}


@pytest.mark.parametrize("offset", [-50, 50])
def test_clocks_may_differ(browser: Browser, logto: Emulator, secret: str, offset: int) -> None:
    auth_time = int(time.time()) + offset
    logto.faults.id_token_claims = changed_claims(auth_time=auth_time)
    browser.sign_in("reader", totp_secret=secret, prompt=LOGIN)
    assert seen(browser)["at"] == auth_time


# Tokens that prove nothing


def unproved_after(browser: Browser, caplog: Any, level: int, text: str) -> None:
    """Check that the user is signed in, that no method is proved, and that the log says why."""
    assert browser.client.get("/").wsgi_request.logto.is_authenticated
    assert seen(browser) == UNPROVED
    records = [record for record in caplog.records if record.name == "logto_auth"]
    assert [record.levelno for record in records] == [level]
    assert text in records[0].getMessage()
    assert "eyJ" not in caplog.text
    assert len(records[0].getMessage()) < 1000


FOREIGN = [
    ({"sub": "someone00001"}, "has sub"),
    ({"client_id": "another00000000000001"}, "has client_id"),
    ({"aud": "https://library.example/api"}, "has aud"),
    ({"aud": [API, "https://library.example/api"]}, "audience"),
    ({"aud": "urn:logto:organization:harbourbr001"}, "has aud"),
    ({"iss": "https://evil.example/oidc"}, "issuer"),
    ({"exp": 1}, "expired"),
    ({"sub": ...}, "no sub"),
    ({"client_id": ...}, "no client_id"),
    ({"scope": []}, "scope"),
]


@pytest.mark.parametrize(("changes", "text"), FOREIGN)
def test_token_of_another_proves_nothing(
    browser: Browser, logto: Emulator, secret: str, caplog: Any, changes: dict[str, Any], text: str
) -> None:
    logto.faults.access_token_claims = changed_claims(**changes)
    browser.sign_in("reader", totp_secret=secret, prompt=LOGIN)
    unproved_after(browser, caplog, logging.ERROR, text)


MALFORMED = ["Totp", {"Totp": True}, None, True, 7, [["Totp"]], ["Totp", 7], ["Totp", ""], ["Totp\n"], ["x" * 65]]


@pytest.mark.parametrize("value", [*MALFORMED, ["Totp"] * 33, [f"Method{number}" for number in range(33)]])
def test_malformed_claim_proves_nothing(
    browser: Browser, logto: Emulator, secret: str, caplog: Any, value: object
) -> None:
    logto.faults.access_token_claims = changed_claims(authentication_methods=value)
    browser.sign_in("reader", totp_secret=secret)
    unproved_after(browser, caplog, logging.WARNING, "not a list of methods")


STRANGE: dict[str, Callable[[str], str]] = {
    "opaque": lambda token: "opaque",
    "garbage": lambda token: "a.b.c",
    "unsigned": lambda token: token.rpartition(".")[0] + ".",
    "none": lambda token: "eyJhbGciOiJub25lIn0." + token.split(".")[1] + ".",
    "huge": lambda token: token + "A" * 300_000,
    "changed": lambda token: token[:-8] + "AAAAAAAA",
}


@pytest.mark.parametrize("change", STRANGE.values(), ids=STRANGE)
@pytest.mark.parametrize("is_refresh", [False, True])
def test_token_without_valid_signature_proves_nothing(
    browser: Browser, logto: Emulator, secret: str, caplog: Any, change: Callable[[str], str], is_refresh: bool
) -> None:
    def spoil(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "access_token": change(answer["access_token"])}

    logto.faults.token_response = None if is_refresh else spoil
    browser.sign_in("reader", totp_secret=secret, prompt=LOGIN)
    if is_refresh:
        logto.faults.token_response = spoil
        age(browser)
    unproved_after(browser, caplog, logging.ERROR, "proves no second factor")


def test_token_of_another_key_proves_nothing(browser: Browser, logto: Emulator, secret: str, caplog: Any) -> None:
    logto.faults.access_token_key = ECKey.generate_key("P-384")
    browser.sign_in("reader", totp_secret=secret, prompt=LOGIN)
    unproved_after(browser, caplog, logging.ERROR, "proves no second factor")


def test_opaque_token_for_resource_gives_no_permissions(browser: Browser, logto: Emulator, user: LogtoUser) -> None:
    logto.faults.token_response = lambda answer: {**answer, "access_token": "opaque", "scope": "openid read:books"}
    browser.sign_in("reader")
    logto.faults.clear()
    user.roles.clear()
    assert seen(browser, "/permissions") == []


@pytest.mark.parametrize(("prompt", "level"), [(LOGIN, logging.WARNING), ("", logging.INFO)])
def test_missing_claim_proves_nothing(
    browser: Browser, logto: Emulator, user: LogtoUser, caplog: Any, prompt: str, level: int
) -> None:
    caplog.set_level(logging.INFO, "logto_auth")
    del logto.tenant.jwt_customizers["jwt.accessToken"]
    browser.sign_in("reader", prompt=prompt)
    unproved_after(browser, caplog, level, "has no claim authentication_methods")


def test_failing_script_does_not_prevent_sign_in(browser: Browser, logto: Emulator, secret: str) -> None:
    script = "const getCustomJwtClaims = async () => { throw new Error('broken'); };"
    logto.tenant.jwt_customizers["jwt.accessToken"] = {"script": script}
    browser.sign_in("reader", totp_secret=secret, prompt=LOGIN)
    assert seen(browser) == UNPROVED


def test_backup_code_is_nowhere_in_the_session(browser: Browser, logto: Emulator, user: LogtoUser, secret: str) -> None:
    logto.tenant.sign_in_experience.mfa_factors = ["Totp", "BackupCode"]
    codes = logto.tenant.add_backup_codes(user)
    browser.sign_in("reader", backup_code=codes[0])
    assert seen(browser)["methods"] == ["BackupCode", "Password"]
    assert codes[0] not in json.dumps(row_of(browser).tokens)


# Steady state


def test_page_costs_no_call_and_the_same_queries(
    reader: Browser, logto: Emulator, settings: Any, django_assert_num_queries: Any
) -> None:
    for is_checked in (True, False):
        settings.LOGTO_SECOND_FACTOR = is_checked
        with django_assert_num_queries(3):
            assert (seen(reader)["methods"] == BOTH) is is_checked
    assert len(logto.requests) == 0


def test_permissions_need_no_call_after_sign_in(reader: Browser, logto: Emulator) -> None:
    assert seen(reader, "/permissions") == ["read:books"]
    assert len(logto.requests) == 0


def test_sign_in_needs_no_query_more(
    browser: Browser, logto: Emulator, secret: str, django_assert_max_num_queries: Any
) -> None:
    Browser(logto).sign_in("reader", totp_secret=secret)
    callback = browser.logto.sign_in(browser.start(), "reader", totp_secret=secret)
    with django_assert_max_num_queries(11):
        browser.open(callback)


# Refresh


def test_refresh_costs_one_call_and_keeps_methods_and_time(reader: Browser, logto: Emulator) -> None:
    before = seen(reader)
    age(reader)
    assert seen(reader) == before
    assert seen(reader, "/permissions") == ["read:books"]
    assert calls(logto) == ["token"]


def test_refresh_needs_no_query_more(reader: Browser, settings: Any) -> None:
    counts = []
    for is_checked in (False, True):
        settings.LOGTO_SECOND_FACTOR = is_checked
        age(reader)
        with CaptureQueriesContext(connection) as queries:
            seen(reader)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_refresh_without_claim_proves_nothing_any_more(reader: Browser, logto: Emulator) -> None:
    end_session_at_logto(logto, reader)
    assert seen(reader)["methods"] == BOTH
    age(reader)
    assert seen(reader) == UNPROVED
    age(reader)
    assert seen(reader) == UNPROVED
    assert reader.client.get("/").wsgi_request.logto.is_authenticated


def test_methods_return_with_the_claim(reader: Browser, logto: Emulator) -> None:
    before = seen(reader)
    logto.faults.access_token_claims = changed_claims(authentication_methods=...)
    age(reader)
    assert seen(reader) == UNPROVED
    logto.faults.clear()
    age(reader)
    assert seen(reader) == before


@pytest.mark.parametrize(("changes", "text"), FOREIGN)
def test_refreshed_token_of_another_proves_nothing(
    reader: Browser, logto: Emulator, caplog: Any, changes: dict[str, Any], text: str
) -> None:
    logto.faults.access_token_claims = changed_claims(**changes)
    age(reader)
    unproved_after(reader, caplog, logging.ERROR, text)


def test_factor_that_the_account_gets_later_proves_nothing(browser: Browser, logto: Emulator, user: LogtoUser) -> None:
    """A thief of the password verified a new app at Logto, and bound none. Then the owner adds the first one."""
    browser.sign_in("reader", prompt=LOGIN)
    (extension,) = logto.instances.session_extensions.values()
    made_up = {"id": "madeup", "type": "Totp", "userId": user.id, "verified": True}
    extension.submission["verificationRecords"].append(made_up)
    logto.tenant.add_totp(user)
    age(browser)
    assert seen(browser)["methods"] == ["Password"]
    browser.open(browser.logto.sign_in(browser.client.get("/silent")["Location"]))
    assert seen(browser)["methods"] == ["Password"]


def test_refresh_by_the_site_replaces_methods(reader: Browser, logto: Emulator) -> None:
    assert seen(reader, "/refreshed")["methods"] == BOTH
    logto.faults.access_token_claims = changed_claims(authentication_methods=["Password"])
    assert seen(reader, "/refreshed")["methods"] == ["Password"]
    assert seen(reader)["methods"] == ["Password"]


def test_required_revalidation_replaces_methods(reader: Browser, logto: Emulator) -> None:
    end_session_at_logto(logto, reader)
    LogtoSession.objects.all().require_revalidation()
    assert seen(reader) == UNPROVED


def test_new_token_for_permissions_replaces_methods(reader: Browser, logto: Emulator) -> None:
    row = row_of(reader)
    row.tokens = {**row.tokens, "access_tokens": {}}
    row.save()
    end_session_at_logto(logto, reader)
    assert seen(reader, "/permissions") == ["read:books"]
    assert seen(reader) == UNPROVED


def test_opaque_token_changes_no_methods_and_no_freshness(reader: Browser, logto: Emulator) -> None:
    before, fresh_until = seen(reader), shorten_freshness(reader)
    end_session_at_logto(logto, reader)
    assert seen(reader, "/user-info")["sub"] == "reader000001"
    assert seen(reader) == before
    # Otherwise a page that uses userinfo would keep the methods of a session for ever.
    assert row_of(reader).fresh_until == fresh_until
    age(reader)
    assert seen(reader) == UNPROVED


@pytest.fixture
def member(browser: Browser, logto: Emulator, secret: str, settings: Any) -> Browser:
    """A browser of a member of an organization, whose session at Logto has ended since."""
    logto.tenant.add_organization("Harbour Branch", id="harbourbr001")
    logto.tenant.add_member("harbourbr001", "reader000001")
    settings.LOGTO_RESOURCES = ("urn:logto:resource:organizations",)
    settings.LOGTO_SCOPES = (*settings.LOGTO_SCOPES, "urn:logto:scope:organizations")
    browser.sign_in("reader", totp_secret=secret)
    end_session_at_logto(logto, browser)
    return browser


def test_organization_token_changes_no_methods_and_no_freshness(member: Browser) -> None:
    fresh_until = shorten_freshness(member)
    assert seen(member, "/organization-token")["methods"] == BOTH
    assert row_of(member).fresh_until == fresh_until


def test_token_for_api_in_organization_replaces_methods(member: Browser) -> None:
    assert seen(member, "/permissions-in-organization") == UNPROVED


def test_opaque_token_confirms_session_without_methods(reader: Browser, logto: Emulator) -> None:
    end_session_at_logto(logto, reader)
    age(reader)
    assert seen(reader) == UNPROVED
    fresh_until = shorten_freshness(reader)
    seen(reader, "/user-info")
    assert row_of(reader).fresh_until > fresh_until


@pytest.mark.parametrize("error", ["invalid_target", "access_denied", "invalid_scope"])
def test_refused_resource_does_not_end_session(reader: Browser, logto: Emulator, caplog: Any, error: str) -> None:
    logto.faults.http["token"] = HttpFault(status=400, body=json.dumps({"error": error}), times=1)
    age(reader)
    assert seen(reader) == UNPROVED
    assert calls(logto) == ["token", "token"]
    assert "no second factor is proved" in caplog.text
    logto.requests.clear()
    age(reader)
    # A resource that the sign-in did not request is not requested again.
    assert seen(reader)["known"] is (error != "invalid_target")
    assert calls(logto) == ["token"]


def test_denied_user_is_signed_out(reader: Browser, logto: Emulator) -> None:
    logto.faults.http["token"] = HttpFault(status=400, body=json.dumps({"error": "access_denied"}))
    age(reader)
    assert not reader.client.get("/").wsgi_request.logto.is_authenticated
    assert calls(logto) == ["token", "token"]


@pytest.mark.parametrize("fault", [HttpFault(status=500), HttpFault(drop=True)])
def test_outage_keeps_methods_for_the_grace_period(reader: Browser, logto: Emulator, fault: HttpFault) -> None:
    before = seen(reader)
    logto.faults.http["token"] = fault
    age(reader)
    assert seen(reader) == before
    assert calls(logto) == ["token"]


def test_session_of_the_time_before_the_setting(browser: Browser, logto: Emulator, secret: str, settings: Any) -> None:
    settings.LOGTO_SECOND_FACTOR = False
    browser.sign_in("reader", totp_secret=secret)
    settings.LOGTO_SECOND_FACTOR = True
    assert seen(browser) == UNPROVED
    logto.requests.clear()
    for expected in (["token", "token"], ["token"]):
        age(browser)
        assert seen(browser) == UNPROVED
        assert calls(logto) == expected
        logto.requests.clear()


def test_refused_resource_and_rotated_refresh_token_keep_session(
    browser: Browser, logto: Emulator, secret: str, settings: Any
) -> None:
    settings.LOGTO_SECOND_FACTOR = False
    browser.sign_in("reader", totp_secret=secret)
    settings.LOGTO_SECOND_FACTOR = True
    # Logto replaces the refresh token before it refuses the resource, and accepts the former one for some seconds.
    age_refresh_tokens(logto)
    for _ in range(2):
        age(browser)
        assert browser.client.get("/").wsgi_request.logto.is_authenticated
        age_refresh_tokens(logto)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"LOGTO_SECOND_FACTOR": False}, {"LOGTO_SECOND_FACTOR": True}),
        ({"LOGTO_SECOND_FACTOR": True}, {"LOGTO_SECOND_FACTOR": False}),
        ({"LOGTO_API_RESOURCE": API}, {"LOGTO_API_RESOURCE": "https://another.example/api"}),
    ],
    ids=["turned-on", "turned-off", "another-resource"],
)
def test_sign_in_that_began_before_a_setting_changed_is_finished(
    browser: Browser, logto: Emulator, secret: str, settings: Any, before: dict[str, Any], after: dict[str, Any]
) -> None:
    for name, value in before.items():
        setattr(settings, name, value)
    callback = browser.logto.sign_in(browser.start(prompt=LOGIN), "reader", totp_secret=secret)
    logto.tenant.add_resource("https://another.example/api")
    for name, value in after.items():
        setattr(settings, name, value)
    assert browser.open(callback).status_code == 302
    assert browser.client.get("/").wsgi_request.logto.is_authenticated
    assert seen(browser) == UNPROVED


@pytest.mark.django_db(transaction=True)
def test_late_answer_does_not_bring_methods_back(reader: Browser, logto: Emulator) -> None:
    def visit(states: list[Any]) -> None:
        browser = Browser(logto)
        browser.client.cookies = reader.client.cookies
        states.append(seen(browser))
        connection.close()

    age(reader)
    logto.requests.clear()
    # Logto answers the first request so slowly that its lease expires.
    logto.faults.http["token"] = HttpFault(drip_seconds=0.0005, times=1)
    is_issued = Event()
    logto.faults.access_token_claims = lambda claims: is_issued.set() or claims
    late: list[Any] = []
    thread = Thread(target=visit, args=[late])
    thread.start()
    assert is_issued.wait(10)
    end_session_at_logto(logto, reader)
    LogtoSession.objects.update(no_refresh_before=0)
    assert seen(reader) == UNPROVED
    assert thread.is_alive()
    thread.join()
    assert late == [UNPROVED]
    assert seen(reader) == UNPROVED
    assert len(logto.requests.to("token")) == 2


def test_setting_that_is_turned_off_forgets_methods(reader: Browser, settings: Any) -> None:
    settings.LOGTO_SECOND_FACTOR = False
    assert seen(reader) == UNPROVED
    age(reader)
    seen(reader)
    settings.LOGTO_SECOND_FACTOR = True
    assert seen(reader) == UNPROVED


def test_setting_that_is_turned_off_forgets_methods_with_each_refresh(
    reader: Browser, logto: Emulator, settings: Any
) -> None:
    settings.LOGTO_SECOND_FACTOR = False
    end_session_at_logto(logto, reader)
    # Userinfo is fetched before the claims are stale, so that only its token is refreshed.
    age(reader, 3000)
    assert seen(reader, "/user-info")["sub"] == "reader000001"
    settings.LOGTO_SECOND_FACTOR = True
    assert seen(reader) == UNPROVED


def test_methods_survive_a_rollback(reader: Browser, logto: Emulator) -> None:
    age_refresh_tokens(logto)
    logto.faults.access_token_claims = changed_claims(authentication_methods=["Password"])
    reader.client.get("/rolled-back")
    assert seen(reader)["methods"] == ["Password"]


# Other sessions at Logto and here


def test_sign_out_revokes_tokens(reader: Browser, logto: Emulator) -> None:
    reader.sign_out()
    assert calls(logto)[:2] == ["revocation", "session_end"]
    assert seen(reader) == UNPROVED
    assert LogtoSession.objects.count() == 0


def test_back_channel_logout_ends_session(reader: Browser, logto: Emulator, live_server: Any) -> None:
    application = next(iter(logto.tenant.applications.values()))
    application.backchannel_logout_uri = f"{live_server.url}{reverse('logto_auth:back-channel-logout')}"
    other = Browser(logto)
    other.client.cookies = reader.client.cookies.copy()
    reader.logto.sign_out(f"{logto.endpoint}/oidc/session/end?client_id={oidc_client().client_id}")
    assert seen(other) == UNPROVED
    assert LogtoSession.objects.count() == 0


def test_two_browsers_of_a_user_have_their_own_methods(reader: Browser, logto: Emulator, user: LogtoUser) -> None:
    other = Browser(logto)
    logto.tenant.sign_in_experience.mfa_factors = []
    other.sign_in("reader")
    for browser, methods in ((reader, BOTH), (other, ["Password"])):
        assert seen(browser)["methods"] == methods
        age(browser)
        assert seen(browser)["methods"] == methods


def test_second_user_of_a_browser_has_their_own_methods(reader: Browser, logto: Emulator) -> None:
    logto.tenant.add_user(username="guest")
    reader.sign_in("guest", prompt=LOGIN)
    state = seen(reader)
    assert (state["methods"], row_of(reader).user.username) == (["Password"], "guest")
    age(reader)
    assert seen(reader)["methods"] == ["Password"]


def test_silent_sign_on_has_methods_of_first_sign_in(reader: Browser, logto: Emulator) -> None:
    reader.client.cookies.clear()
    reader.open(reader.logto.sign_in(reader.client.get("/silent")["Location"]))
    assert seen(reader) == {"methods": BOTH, "at": None, "known": True}


def test_silent_confirmation_keeps_time(reader: Browser) -> None:
    before, row = seen(reader), row_of(reader)
    reader.open(reader.logto.sign_in(reader.client.get("/silent")["Location"]))
    assert row_of(reader).pk != row.pk
    assert seen(reader) == before
    # Such a session has no refresh token, so the next confirmation is silent, too.
    age(reader)
    reader.open(reader.logto.sign_in(reader.client.get("/")["Location"]))
    assert seen(reader) == before


def test_confirmation_by_another_session_at_logto_has_no_time(reader: Browser, logto: Emulator, secret: str) -> None:
    logto.faults.id_token_claims = changed_claims(sid="another")
    reader.open(reader.logto.sign_in(reader.client.get("/silent")["Location"]))
    assert seen(reader) == {"methods": BOTH, "at": None, "known": True}


def test_sign_in_without_a_page_of_logto_proves_nothing(reader: Browser) -> None:
    # With `consent` and without `login`, Logto signs in without asking, and forgets the records.
    reader.client.cookies.clear()
    reader.sign_in()
    assert seen(reader) == UNPROVED


def test_confirmation_repeated_with_consent_signs_in(reader: Browser, logto: Emulator) -> None:
    logto.instances.grants.clear()
    callback = reader.logto.sign_in(reader.client.get("/silent")["Location"])
    to_logto = reader.open(callback)["Location"]
    assert "prompt=consent" in to_logto
    assert f"resource={API.replace(':', '%3A').replace('/', '%2F')}" in to_logto
    reader.open(reader.logto.sign_in(to_logto))
    assert seen(reader) == UNPROVED


def test_impersonated_user_has_no_methods(reader: Browser) -> None:
    get_user_model().objects.create_user("other")
    assert seen(reader, "/acquire/other") == UNPROVED
    assert seen(reader) == UNPROVED
    assert seen(reader, "/acquire/reader")["methods"] == BOTH


def test_session_without_logto_has_no_methods(browser: Browser) -> None:
    user = get_user_model().objects.create_user("other")
    browser.client.force_login(user, backend="logto_auth.backends.LogtoBackend")
    assert seen(browser) == UNPROVED
    browser.client.logout()
    assert seen(browser) == UNPROVED


# What needs the opaque token


def test_account_and_userinfo_work_after_the_sign_in(reader: Browser, logto: Emulator) -> None:
    assert seen(reader, "/account")["username"] == "reader"
    assert seen(reader, "/user-info")["sub"] == "reader000001"
    assert calls(logto) == ["token", "account_api", "me"]


def test_account_works_when_logto_has_revoked_the_token(reader: Browser, logto: Emulator) -> None:
    seen(reader, "/account")
    logto.instances.access_tokens.clear()
    assert seen(reader, "/account")["username"] == "reader"
    assert seen(reader)["methods"] == BOTH


def test_scopes_are_those_of_openid_connect(reader: Browser, logto: Emulator) -> None:
    expected = ["offline_access", "openid", "profile"]
    assert seen(reader, "/scopes") == expected
    seen(reader, "/user-info")
    assert seen(reader, "/scopes") == expected
    seen(reader, "/refreshed")
    assert seen(reader, "/scopes") == expected


def test_scopes_of_the_sign_in_count(rf: Any, browser: Browser, user: LogtoUser) -> None:
    request = browser.client.get("/").wsgi_request
    response = redirect_to_logto(request, options=SignInOptions(scopes=["custom_data", "write:books"]))
    browser.client.cookies.update(response.cookies)
    browser.open(browser.logto.sign_in(response["Location"], "reader"))
    assert seen(browser, "/scopes") == ["custom_data", "offline_access", "openid", "profile"]


@pytest.fixture
def custom_data(user: LogtoUser, settings: Any) -> None:
    user.custom_data = {"shelf": 7}
    settings.LOGTO_USERINFO_CLAIMS = ("custom_data",)
    settings.LOGTO_SCOPES = (*settings.LOGTO_SCOPES, "custom_data")


@pytest.mark.usefixtures("custom_data")
def test_userinfo_at_sign_in_costs_one_refresh(browser: Browser, logto: Emulator, secret: str) -> None:
    callback = browser.logto.sign_in(browser.start(prompt=LOGIN), "reader", totp_secret=secret)
    oidc_client().keys.current()
    logto.requests.clear()
    browser.open(callback)
    assert calls(logto) == ["token", "token", "me"]
    principal = browser.client.get("/").wsgi_request.logto
    assert principal.claims["custom_data"] == {"shelf": 7}
    assert principal.claims["auth_time"] == seen(browser)["at"]
    assert seen(browser)["methods"] == BOTH
    assert seen(browser, "/scopes") == ["custom_data", "offline_access", "openid", "profile"]


@pytest.mark.usefixtures("custom_data")
def test_silent_confirmation_keeps_userinfo(browser: Browser, logto: Emulator, secret: str) -> None:
    browser.sign_in("reader", totp_secret=secret, prompt=LOGIN)
    before = seen(browser)
    callback = browser.logto.sign_in(browser.client.get("/silent")["Location"])
    logto.requests.clear()
    browser.open(callback)
    assert calls(logto) == ["token"]
    assert browser.client.get("/").wsgi_request.logto.claims["custom_data"] == {"shelf": 7}
    assert seen(browser) == before


@pytest.mark.usefixtures("custom_data")
def test_silent_sign_on_without_userinfo_continues_signed_out(browser: Browser, secret: str) -> None:
    browser.sign_in("reader", totp_secret=secret)
    browser.client.cookies.clear()
    response = browser.open(browser.logto.sign_in(browser.client.get("/silent")["Location"]))
    assert response["Location"] == "/"
    assert seen(browser) == UNPROVED


@pytest.mark.usefixtures("custom_data")
def test_sign_in_without_refresh_token_says_what_is_missing(
    browser: Browser, user: LogtoUser, settings: Any, caplog: Any
) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile", "custom_data")
    response = browser.sign_in("reader")
    assert (response.status_code, response.error.code) == (503, "client_rejected")
    assert "Request offline_access" in caplog.text
