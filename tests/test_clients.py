"""The clients that the settings describe, and the errors that leave the protocol layer through them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from freezegun import freeze_time

from logto_auth import clients, exceptions
from logto_auth.emulator import Emulator
from logto_auth.oidc import errors
from logto_auth.oidc.authorization_response import AuthorizationResponse
from logto_auth.oidc.secrets import Secret
from tests.account_api.logto import fake_logto

ORGANIZATION = "harbourbr001"


def call_exchange_code() -> object:
    return clients.oidc_client().exchange_code("code", redirect_uri="x", code_verifier="x", nonce="x")


# Functions that each raise TokenError or CallbackError, by the name of their URL.
CALLS: dict[str, tuple[Callable[[], object], type[Exception]]] = {
    "validate-id-token": (
        lambda: clients.oidc_client().validate_id_token("x", nonce=None, access_token=None),
        exceptions.TokenError,
    ),
    "validate-logout-token": (lambda: clients.oidc_client().validate_logout_token("x"), exceptions.TokenError),
    "introspect": (lambda: clients.oidc_client().introspect("x" * 1000), exceptions.TokenError),
    "verify-for-resource": (
        lambda: clients.access_token_verifier().verify_for_resource("opaque", "https://api.example"),
        exceptions.TokenError,
    ),
    "verify-for-organization": (
        lambda: clients.access_token_verifier().verify_for_organization("a.b.c"),
        exceptions.TokenError,
    ),
    "exchange-access-token": (lambda: clients.token_exchange().exchange_access_token("a.b.c"), exceptions.TokenError),
    "authorization-code": (
        lambda: clients.oidc_client().authorization_code(AuthorizationResponse(iss="https://evil.example")),
        exceptions.CallbackError,
    ),
}


def view(request: HttpRequest, name: str) -> HttpResponse:
    CALLS[name][0]()
    return HttpResponse("No error.")


urlpatterns = [path("<name>/", view)]


@pytest.mark.parametrize("name", CALLS)
def test_protocol_errors_leave_as_errors_of_django(logto: Emulator, name: str) -> None:
    call, kind = CALLS[name]
    with pytest.raises(kind) as caught:
        call()
    plain = caught.value.__cause__
    assert isinstance(caught.value, SuspiciousOperation)
    assert isinstance(plain, errors.TokenError | errors.CallbackError)
    assert not isinstance(plain, SuspiciousOperation)
    assert (str(caught.value), caught.value.code, caught.value.status) == (str(plain), plain.code, plain.status)
    assert getattr(caught.value, "claim", None) == getattr(plain, "claim", None)


@pytest.mark.parametrize("middleware", [True, False], ids=["with-middleware", "without-middleware"])
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.django_db
def test_uncaught_protocol_error_gives_400(logto: Emulator, settings: Any, name: str, middleware: bool) -> None:
    settings.ROOT_URLCONF = __name__
    if not middleware:
        settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("logto_auth.")]
    assert Client(raise_request_exception=False).get(f"/{name}/").status_code == 400


def test_every_public_method_of_the_clients_translates_errors(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = "robot", "secret"
    built = (
        clients.oidc_client(),
        clients.machine_client(),
        clients.token_exchange(),
        clients.access_token_verifier(),
    )
    for client in built:
        (plain,) = type(client).__bases__
        methods = {name for name, _ in inspect.getmembers(plain, inspect.isfunction) if not name.startswith("_")}
        assert methods
        assert methods <= vars(type(client)).keys(), plain


@pytest.mark.parametrize(
    ("app_id", "robot", "client_id"),
    [("site", "", "site"), ("site", "robot", "site"), ("", "robot", "robot"), ("", "", None)],
)
def test_exchange_acts_as_the_application_of_the_site(
    logto: Emulator, settings: Any, app_id: str, robot: str, client_id: str | None
) -> None:
    settings.LOGTO_APP_ID, settings.LOGTO_APP_SECRET = app_id, app_id and "secret"
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = robot, robot and "secret"
    if client_id is None:
        with pytest.raises(exceptions.ConfigurationError, match="LOGTO_APP_ID, LOGTO_APP_SECRET"):
            clients.token_exchange()
    else:
        client = clients.token_exchange()
        assert client.client_id == client_id
        assert clients.token_exchange() is client
        assert clients.token_exchange(revocation_seconds=5) is not client


def test_errors_of_django_pass_unchanged() -> None:
    error = exceptions.TokenError("Wrong.", claim="aud")

    @clients.django_errors
    def fail() -> None:
        raise error

    with pytest.raises(exceptions.TokenError) as caught:
        fail()
    assert caught.value is error


def test_provider_error_is_the_same_class_in_both_layers() -> None:
    for name in ("LogtoError", "ProviderError", "ProviderUnreachable", "InvalidSignInOption"):
        assert getattr(exceptions, name) is getattr(errors, name)
    assert issubclass(exceptions.TokenError, errors.TokenError)
    assert issubclass(exceptions.CallbackError, errors.CallbackError)


@pytest.mark.parametrize("layer", [errors, exceptions], ids=["oidc", "package"])
def test_all_errors_but_mistakes_of_the_site_are_logto_errors(layer: Any) -> None:
    kinds = {name: getattr(layer, name) for name in layer.__all__ if inspect.isclass(getattr(layer, name))}
    outside = {name for name, kind in kinds.items() if not issubclass(kind, errors.LogtoError)}
    assert outside == ({"AuditIsAppendOnly", "ConfigurationError"} if layer is exceptions else set())


# Public settings


@pytest.fixture
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.mark.parametrize("read", [clients.account_center, clients.sign_in_experience])
def test_public_settings_are_kept_for_a_minute(logto: Emulator, empty_cache: None, read: Callable[[], Any]) -> None:
    with freeze_time() as clock:
        first = read()
        clock.tick(59)
        assert read() == first
        assert len(logto.requests) == 1
        clock.tick(2)
        read()
        assert len(logto.requests) == 2


def test_account_center_says_what_users_may_change(logto: Emulator, empty_cache: None) -> None:
    assert not clients.account_center()["enabled"]
    cache.clear()
    logto.tenant.enable_account_center(email="ReadOnly")
    settings = clients.account_center()
    assert (settings["enabled"], settings["fields"]["email"], settings["fields"]["name"]) == (True, "ReadOnly", "Edit")


def test_sign_in_experience_has_connectors(logto: Emulator, empty_cache: None) -> None:
    logto.tenant.sign_in_experience.connectors = ["alipay-web"]
    (connector,) = clients.sign_in_experience()["socialConnectors"]
    assert connector["target"] == "alipay"


@pytest.mark.parametrize(
    "answer", [(500, "{}"), (404, "Not Found"), (200, "[]"), (200, "<html>"), (200, "{}"), (200, '{"enabled": true}')]
)
def test_unusable_public_settings_are_a_provider_error(empty_cache: None, settings: Any, answer: Any) -> None:
    with fake_logto() as fake:
        fake.answer(*answer)
        settings.LOGTO_ENDPOINT = fake.url
        for _ in range(2):
            with pytest.raises(exceptions.ProviderError):
                clients.account_center()
        # A failure is not kept.
        assert len(fake.asked) == 2
        fake.answers.clear()
        fake.answer(200, {"enabled": False, "fields": {}})
        assert clients.account_center() == {"enabled": False, "fields": {}}


def test_public_settings_are_those_of_the_endpoint(empty_cache: None, settings: Any) -> None:
    with fake_logto() as first, fake_logto() as second:
        first.answer(200, {"enabled": True, "fields": {}})
        second.answer(200, {"enabled": False, "fields": {}})
        for fake in (first, second):
            settings.LOGTO_ENDPOINT = fake.url
            assert clients.account_center()["enabled"] is (fake is first)


def test_unreachable_logto_has_no_public_settings(empty_cache: None, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = "http://127.0.0.1:9"
    with pytest.raises(exceptions.ProviderUnreachable):
        clients.sign_in_experience()


def test_calls_for_a_user_go_to_the_internal_endpoint(settings: Any) -> None:
    with fake_logto() as fake:
        fake.answer(200, {"id": "u1"})
        settings.LOGTO_ENDPOINT, settings.LOGTO_INTERNAL_ENDPOINT = "https://public.example", fake.url
        assert clients.account_api(Secret("token"), scopes=["openid"]).get() == {"id": "u1"}


# Hints


def test_rejected_credentials_name_the_settings(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_APP_SECRET = "wrong-secret"
    with pytest.raises(exceptions.ProviderError, match="Check LOGTO_APP_ID, LOGTO_APP_SECRET") as caught:
        call_exchange_code()
    assert caught.value.code == "client_rejected"
    assert "wrong-secret" not in str(caught.value)


def test_rejected_machine_credentials_name_the_settings(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_M2M_APP_ID, settings.LOGTO_M2M_APP_SECRET = "robot0000001", "wrong-secret"
    with pytest.raises(exceptions.ProviderError, match="Check LOGTO_M2M_APP_ID, LOGTO_M2M_APP_SECRET") as caught:
        clients.machine_client().token(organization_id=ORGANIZATION)
    assert "wrong-secret" not in str(caught.value)


def test_wrong_issuer_names_the_setting(logto: Emulator) -> None:
    logto.faults.discovery = lambda document: {**document, "issuer": "https://other.example/oidc"}
    with pytest.raises(exceptions.ProviderError, match="Set LOGTO_ENDPOINT to exactly the endpoint"):
        _ = clients.oidc_client().metadata


def test_missing_settings_are_named(settings: Any) -> None:
    settings.LOGTO_APP_ID = settings.LOGTO_APP_SECRET = ""
    with pytest.raises(exceptions.ConfigurationError, match="LOGTO_APP_ID, LOGTO_APP_SECRET must be set"):
        clients.oidc_client()
