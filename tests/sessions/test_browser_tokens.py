"""Access tokens for scripts: who gets one, with which permissions, and what every other request gets."""

from __future__ import annotations

import threading
from typing import Any

import jwt
import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connections
from django.middleware.csrf import get_token
from django.test import AsyncClient, Client
from django.urls import resolve

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoSession
from logto_auth.testing import Browser
from logto_auth.views.browser_token import MAX_REQUESTS
from tests.ageing import age, age_refresh_tokens

pytestmark = pytest.mark.django_db

API = "https://books.example/api"
OTHER_API = "https://stock.example/api"
SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}


@pytest.fixture
def site(logto: Emulator, settings: Any) -> Any:
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile", "roles", "read:books", "write:books", "lend:books")
    settings.LOGTO_RESOURCES = (API, OTHER_API)
    settings.LOGTO_BROWSER_TOKENS = {API: ["read:books", "lend:books"]}
    logto.tenant.add_resource(API, scopes=["read:books", "write:books", "lend:books"], access_token_ttl=600)
    logto.tenant.add_resource(OTHER_API, scopes=["write:stock"])
    logto.tenant.add_role("editor", scopes={API: ["read:books", "write:books"]})
    logto.tenant.add_user(username="reader", id="reader000001", name="Reader", roles=["editor"])
    cache.clear()
    return settings


@pytest.fixture
def reader(site: Any, browser: Browser, logto: Emulator) -> Browser:
    browser.sign_in("reader")
    logto.requests.clear()
    return browser


def fetch(browser: Browser, resource: Any = API, *, headers: dict[str, str] | None = None, client: Any = None) -> Any:
    return (client or browser.client).post(
        "/access-token",
        {"resource": resource},
        content_type="application/json",
        headers=SAME_ORIGIN if headers is None else headers,
    )


def claims_of(response: Any) -> dict[str, Any]:
    return jwt.decode(response.json()["access_token"], options={"verify_signature": False})


def test_script_gets_token_with_listed_permissions_of_user(reader: Browser, logto: Emulator) -> None:
    response = fetch(reader)
    body = response.json()
    claims = claims_of(response)
    assert response.status_code == 200
    assert {**body, "access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "expires_in": body["expires_in"],
        "scope": "read:books",
    }
    assert 590 <= body["expires_in"] <= 600
    # The user may also write, and the site reads that from a token of its own.
    assert (claims["aud"], claims["sub"], claims["scope"]) == (API, "reader000001", "read:books")
    assert response["Cache-Control"] == "no-store"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in response
    refresh_token = LogtoSession.objects.get().tokens["refresh_token"]
    assert refresh_token not in response.content.decode()


def test_form_and_origin_header_suffice(reader: Browser) -> None:
    response = reader.client.post("/access-token", {"resource": API}, headers={"Origin": "http://testserver"})
    assert response.status_code == 200


def test_token_is_kept_until_it_expires(reader: Browser, logto: Emulator) -> None:
    tokens = [fetch(reader).json()["access_token"] for _ in range(2)]
    assert tokens[0] == tokens[1]
    requested = [each.form.get("scope") for each in logto.requests.to("token")]
    assert requested == [None, ["read:books"]], "the permissions of the user, and the token for scripts"
    age(reader, 590)
    assert fetch(reader).json()["access_token"] != tokens[0]


def test_limited_token_leaves_claims_and_permissions_of_session(reader: Browser, logto: Emulator) -> None:
    reader.client.get("/").wsgi_request.logto.access_token(API)
    age_refresh_tokens(logto)
    before = LogtoSession.objects.get()
    assert fetch(reader).status_code == 200
    after = LogtoSession.objects.get()
    assert after.fresh_until == before.fresh_until
    assert after.tokens["id_token_claims"] == before.tokens["id_token_claims"]
    assert after.tokens["scopes"] == before.tokens["scopes"]
    assert after.tokens["refresh_token"] != before.tokens["refresh_token"], "Logto has rotated it"
    principal = reader.client.get("/").wsgi_request.logto
    assert principal.permissions(API) == {"read:books", "write:books"}
    assert principal.roles == ("editor",)


def test_wait_for_limited_token_does_not_count_as_fresh_claims(reader: Browser, logto: Emulator) -> None:
    from logto_auth.sessions import refresh, store

    stale = store.read(LogtoSession.objects.get().pk)
    assert stale is not None
    assert fetch(reader).status_code == 200
    LogtoSession.objects.update(fresh_until=stale.fresh_until - 10_000)
    stale.fresh_until -= 10_000
    logto.requests.clear()
    assert refresh.refresh_claims(stale).is_fresh
    assert len(logto.requests.to("token")) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {**SAME_ORIGIN, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {**SAME_ORIGIN, "Sec-Fetch-Mode": "no-cors"},
        {**SAME_ORIGIN, "Sec-Fetch-Dest": "iframe"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://testserver"},
    ],
)
def test_request_of_other_origin_gets_no_token(reader: Browser, logto: Emulator, headers: dict[str, str]) -> None:
    response = fetch(reader, headers=headers)
    assert (response.status_code, response.json()["error"]) == (403, "cross_origin")
    assert len(logto.requests) == 0


def test_trusted_origin_of_csrf_protection_gets_no_token(reader: Browser, site: Any) -> None:
    site.CSRF_TRUSTED_ORIGINS = ["https://app.testserver"]
    assert fetch(reader, headers={"Origin": "https://app.testserver"}).status_code == 403
    site.LOGTO_BASE_URL = "https://shop.example"
    assert fetch(reader, headers={"Origin": "https://shop.example"}).status_code == 200


def test_csrf_token_is_required_without_the_middleware_too(reader: Browser, site: Any) -> None:
    site.MIDDLEWARE = [each for each in site.MIDDLEWARE if "Csrf" not in each]
    client = Client(enforce_csrf_checks=True)
    client.cookies = reader.client.cookies
    assert fetch(reader, client=client).status_code == 403
    token = get_token(client.get("/").wsgi_request)
    client.cookies[site.CSRF_COOKIE_NAME] = token
    assert fetch(reader, client=client, headers={**SAME_ORIGIN, "X-CSRFToken": token}).status_code == 200


@pytest.mark.parametrize("method", ["get", "head", "options", "put"])
def test_only_post_is_allowed(reader: Browser, method: str) -> None:
    assert getattr(reader.client, method)("/access-token", headers=SAME_ORIGIN).status_code == 405


def test_url_does_not_exist_without_the_setting(reader: Browser, site: Any) -> None:
    site.LOGTO_BROWSER_TOKENS = {}
    assert fetch(reader).status_code == 404


@pytest.mark.parametrize("resource", [OTHER_API, f"{API}/", API.upper(), "urn:logto:resource:organizations", "x" * 900])
def test_other_resource_is_refused_without_call(reader: Browser, logto: Emulator, resource: str) -> None:
    response = fetch(reader, resource)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_target")
    assert len(logto.requests) == 0


def test_resource_without_listed_permissions_is_refused(reader: Browser, site: Any) -> None:
    site.LOGTO_BROWSER_TOKENS = {API: []}
    assert fetch(reader).json()["error"] == "invalid_target"


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"[]", "application/json"),
        (b'{"resource": 1}', "application/json"),
        (b'{"resource": null}', "application/json"),
        (b'{"resource": "\xff"}', "application/json"),
        (b"[" * 4000, "application/json"),
        (b'{"resource": "' + b"a" * 5000 + b'"}', "application/json"),
        (b'{"resource": "https://books.example/api"}', "text/plain"),
        (b"resource=", "application/x-www-form-urlencoded"),
        (b"\x00", "multipart/form-data; boundary=x"),
    ],
)
def test_other_body_is_invalid_request(reader: Browser, body: bytes, content_type: str) -> None:
    response = reader.client.post("/access-token", body, content_type=content_type, headers=SAME_ORIGIN)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


def test_visitor_gets_401_with_url_of_sign_in(site: Any, browser: Browser) -> None:
    response = fetch(browser)
    assert (response.status_code, response.json()["error"]) == (401, "sign_in_required")
    assert response.json()["sign_in_url"].startswith("http://testserver/sign-in")


def test_access_token_of_a_user_is_no_session(reader: Browser, site: Any) -> None:
    headers = {**SAME_ORIGIN, "Authorization": f"Bearer {fetch(reader).json()['access_token']}"}
    assert fetch(reader, client=Client(), headers=headers).status_code == 401


def test_deactivated_user_gets_no_token(reader: Browser) -> None:
    assert fetch(reader).status_code == 200
    get_user_model().objects.update(is_active=False)
    assert fetch(reader).status_code == 401


def acting_as_other(get_response: Any) -> Any:
    """A middleware with which the user of the session acts as another one."""

    def middleware(request: Any) -> Any:
        request.user = get_user_model().objects.get(username="other")
        return get_response(request)

    return middleware


def test_user_who_acts_as_another_gets_no_token(reader: Browser, site: Any) -> None:
    get_user_model().objects.create_user("other")
    site.MIDDLEWARE = [*site.MIDDLEWARE, f"{__name__}.acting_as_other"]
    client = Client()
    client.cookies = reader.client.cookies
    assert fetch(reader, client=client).status_code == 401
    assert LogtoSession.objects.count() == 1


def test_async_site_hands_out_a_token(reader: Browser) -> None:
    client = AsyncClient()
    client.cookies = reader.client.cookies
    response = async_to_sync(client.post)("/access-token", {"resource": API}, headers=SAME_ORIGIN)
    assert response.json()["scope"] == "read:books"


def test_view_runs_outside_of_the_sites_transaction() -> None:
    assert "default" in resolve("/access-token").func._non_atomic_requests


def test_user_suspended_at_logto_gets_no_new_token(reader: Browser, logto: Emulator) -> None:
    logto.tenant.update_user("reader000001", is_suspended=True)
    response = fetch(reader)
    assert (response.status_code, response.json()["error"]) == (401, "sign_in_required")
    assert LogtoSession.objects.count() == 0


def test_user_without_permission_gets_403_with_renewal(reader: Browser, logto: Emulator) -> None:
    logto.tenant.users["reader000001"].roles.clear()
    age(reader, 61)
    response = fetch(reader)
    assert (response.status_code, response.json()["missing"]) == (403, {"scope": ["read:books", "lend:books"]})
    assert "prompt=consent" in response.json()["sign_in_url"]


def test_permissions_of_the_user_need_no_second_token(reader: Browser, logto: Emulator, site: Any) -> None:
    site.LOGTO_BROWSER_TOKENS = {API: ["read:books", "write:books"]}
    assert fetch(reader).json()["scope"] == "read:books write:books"
    assert len(logto.requests.to("token")) == 1


def test_session_from_before_the_setting_is_asked_to_sign_in_again(reader: Browser, site: Any) -> None:
    site.LOGTO_BROWSER_TOKENS = {"https://new.example/api": ["print:books"]}
    age(reader, 61)
    response = fetch(reader, "https://new.example/api")
    assert (response.status_code, response.json()["missing"]) == (403, {"scope": ["print:books"]})
    assert "prompt=consent" in response.json()["sign_in_url"]
    assert LogtoSession.objects.count() == 1


def test_session_without_refresh_token_gets_403(reader: Browser) -> None:
    row = LogtoSession.objects.get()
    row.tokens = {name: value for name, value in row.tokens.items() if name != "refresh_token"}
    row.save()
    assert fetch(reader).status_code == 403
    assert LogtoSession.objects.count() == 1


@pytest.mark.parametrize("fault", [HttpFault(drop=True), HttpFault(delay_seconds=1), HttpFault(status=429)])
def test_outage_of_logto_keeps_session(reader: Browser, logto: Emulator, site: Any, fault: HttpFault) -> None:
    site.LOGTO_HTTP_TIMEOUT_SECONDS = (0.3, 0.3)
    logto.faults.http["token"] = HttpFault(**vars(fault))
    assert fetch(reader).status_code == (504 if fault.delay_seconds else 503)
    assert LogtoSession.objects.count() == 1


@pytest.mark.parametrize(
    "changed",
    [{"scope": "read:books write:books"}, {"sub": "another00001"}, {"client_id": "another0000000000001"}, {"aud": "x"}],
)
def test_token_with_other_rights_is_not_handed_out(
    reader: Browser, logto: Emulator, caplog: pytest.LogCaptureFixture, changed: dict[str, Any]
) -> None:
    logto.faults.access_token_claims = lambda claims: {**claims, **changed}
    response = fetch(reader)
    assert (response.status_code, response.json()["error"]) == (502, "provider_error")
    assert "access_token" not in response.json()
    assert "No access token for a script" in caplog.text
    # The site may go on.
    assert LogtoSession.objects.count() == 1


def test_too_many_requests_of_a_session_are_refused(reader: Browser, logto: Emulator) -> None:
    for _ in range(MAX_REQUESTS):
        assert fetch(reader).status_code == 200
    response = fetch(reader)
    assert (response.status_code, response.json()["error"]) == (429, "too_many_requests")
    assert 0 < int(response["Retry-After"]) <= 60
    other = Browser(logto)
    other.sign_in("reader")
    assert fetch(other).status_code == 200


def test_requests_are_not_limited_without_a_cache(reader: Browser, site: Any, caplog: pytest.LogCaptureFixture) -> None:
    site.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert fetch(reader).status_code == 200
    assert "not limited" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_parallel_scripts_cost_one_refresh(reader: Browser, logto: Emulator) -> None:
    statuses: list[int] = []

    def run() -> None:
        client = Client()
        client.cookies = reader.client.cookies
        statuses.append(fetch(reader, client=client).status_code)
        connections.close_all()

    logto.faults.http["token"] = HttpFault(delay_seconds=0.2)
    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 5
    assert len(logto.requests.to("token")) == 2
