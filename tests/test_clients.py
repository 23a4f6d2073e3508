"""The clients that the settings describe, and the errors that leave the protocol layer through them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from logto_auth import clients, exceptions
from logto_auth.emulator import Emulator
from logto_auth.oidc import errors
from logto_auth.oidc.authorization_response import AuthorizationResponse

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
    for client in (clients.oidc_client(), clients.machine_client(), clients.access_token_verifier()):
        (plain,) = type(client).__bases__
        methods = {name for name, _ in inspect.getmembers(plain, inspect.isfunction) if not name.startswith("_")}
        assert methods
        assert methods <= vars(type(client)).keys(), plain


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
def test_all_errors_but_configuration_errors_are_logto_errors(layer: Any) -> None:
    kinds = {name: getattr(layer, name) for name in layer.__all__ if inspect.isclass(getattr(layer, name))}
    outside = {name for name, kind in kinds.items() if not issubclass(kind, errors.LogtoError)}
    assert outside == ({"ConfigurationError"} if layer is exceptions else set())


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
