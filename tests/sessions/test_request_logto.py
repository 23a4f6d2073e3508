"""`request.logto` of a session: the claims, and access tokens that have not expired."""

from __future__ import annotations

import jwt
import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse
from django.test import AsyncClient
from django.urls import path

from bookstore.urls import urlpatterns
from logto_auth.emulator import Emulator
from logto_auth.exceptions import ProviderError, SignInRequired
from logto_auth.memberships.claims import Membership
from logto_auth.models import LogtoSession, Organization
from logto_auth.sessions.principal import SessionPrincipal
from logto_auth.testing import Browser

pytestmark = pytest.mark.django_db

API = "https://bookstore.example/api"


@pytest.fixture
def reader(browser: Browser, logto: Emulator, settings) -> Browser:
    settings.LOGTO_SCOPES = (
        "openid",
        "offline_access",
        "profile",
        "roles",
        "custom_data",
        "urn:logto:scope:organizations",
        "urn:logto:scope:organization_roles",
        "read:books",
        "manage:stock",
    )
    settings.LOGTO_RESOURCES = (API, "urn:logto:resource:organizations")
    logto.tenant.add_resource(API, scopes=["read:books", "write:books"])
    logto.tenant.add_role("editor", scopes={API: ["read:books"]})
    logto.tenant.add_organization_role("manager", scopes=["manage:stock"])
    logto.tenant.add_organization("Harbour Branch", id="harbourbr001")
    user = logto.tenant.add_user(username="reader", name="Reader", roles=["editor"], custom_data={"shelf": 7})
    logto.tenant.add_member("harbourbr001", user.id, roles=["manager"])
    browser.sign_in("reader")
    logto.requests.clear()
    return browser


def context(browser: Browser) -> SessionPrincipal:
    return browser.client.get("/sign-in").wsgi_request.logto


def test_signed_out_principal_is_empty(client) -> None:
    logto = client.get("/").wsgi_request.logto
    assert not logto.is_authenticated
    assert (dict(logto.claims), logto.sub, logto.roles, logto.organizations, logto.scopes) == ({}, None, (), (), set())
    with pytest.raises(SignInRequired):
        logto.access_token()


def test_signed_in_principal_has_claims(reader: Browser, logto: Emulator) -> None:
    request_logto = context(reader)
    assert request_logto.is_authenticated
    assert request_logto.claims["name"] == "Reader"
    assert request_logto.roles == ("editor",)
    assert request_logto.organizations == (Membership(id="harbourbr001", name=None, roles=("manager",)),)
    assert "offline_access" in request_logto.scopes
    with pytest.raises(TypeError):
        request_logto.claims["name"] = "Other"  # type: ignore[index]


def test_user_info_is_one_call_per_request(reader: Browser, logto: Emulator) -> None:
    request_logto = context(reader)
    logto.requests.clear()
    assert request_logto.user_info()["custom_data"] == {"shelf": 7}
    assert request_logto.user_info()["organization_data"][0]["name"] == "Harbour Branch"
    assert [request.endpoint for request in logto.requests] == ["me"]


def test_first_access_token_is_that_of_sign_in(reader: Browser, logto: Emulator) -> None:
    request_logto = context(reader)
    logto.requests.clear()
    assert len(request_logto.access_token()) == 43
    assert len(logto.requests) == 0


@pytest.mark.parametrize(
    ("arguments", "audience", "scope"),
    [
        ({"resource": API}, API, "read:books"),
        ({"organization_id": "harbourbr001"}, "urn:logto:organization:harbourbr001", "manage:stock"),
    ],
)
def test_token_is_fetched_once_and_kept(
    reader: Browser, logto: Emulator, arguments: dict[str, str], audience: str, scope: str
) -> None:
    logto.requests.clear()
    token = context(reader).access_token(**arguments)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["aud"], claims["scope"]) == (audience, scope)
    assert context(reader).access_token(**arguments) == token
    assert len(logto.requests.to("token")) == 1


def test_resource_not_requested_is_refused_by_logto(reader: Browser) -> None:
    with pytest.raises(ProviderError) as caught:
        context(reader).access_token(resource="https://other.example")
    assert caught.value.error == "invalid_target"


def test_suspended_user_gets_no_more_tokens(reader: Browser, logto: Emulator) -> None:
    logto.tenant.suspend_user(next(iter(logto.tenant.users)))
    with pytest.raises(SignInRequired):
        context(reader).access_token(resource=API)


def test_without_refresh_token_sign_in_is_required(browser: Browser, logto: Emulator, settings) -> None:
    settings.LOGTO_SCOPES = ("openid", "profile")
    logto.tenant.add_user(username="reader")
    browser.sign_in("reader")
    with pytest.raises(SignInRequired, match="offline_access"):
        context(browser).access_token(resource=API)


def test_tokens_encrypted_with_lost_key_are_empty(reader: Browser, settings) -> None:
    row = LogtoSession.objects.get()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", ["only-for-tests"]
    assert row.tokens["refresh_token"]
    settings.SECRET_KEY_FALLBACKS = []
    assert row.tokens == {}


def test_async_methods_return_the_same(reader: Browser, logto: Emulator) -> None:
    request_logto = context(reader)

    @async_to_sync
    async def both() -> tuple[str, object]:
        return await request_logto.aaccess_token(), (await request_logto.auser_info())["sub"]

    token, sub = both()
    assert token == request_logto.access_token()
    assert sub == request_logto.sub


def named_by_the_rows(request: HttpRequest) -> str:
    return Organization.objects.get().logto_id


@pytest.mark.django_db(transaction=True)
def test_aload_reads_organization_from_the_database(reader: Browser, settings) -> None:
    async def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse((await request.logto.aload()).organization_id)

    settings.LOGTO_ORGANIZATION_FROM = f"{__name__}.named_by_the_rows"
    settings.ROOT_URLCONF = (path("branch", view), *urlpatterns)
    client = AsyncClient()
    client.cookies = reader.client.cookies
    assert async_to_sync(client.get)("/branch").content == b"harbourbr001"
