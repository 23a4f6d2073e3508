"""The endpoints for API keys, with sessions and access tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

from logto_auth.emulator import Emulator, HttpFault
from logto_auth.models import LogtoSession

from .site import API, ENDPOINTS, Owner, bearer_of, call, in_days

pytestmark = pytest.mark.django_db
documented = [path("api-keys/", include("logto_auth.api_keys.api_urls"))]
urlpatterns = [
    path("", include("logto_auth.urls")),
    *documented,
    path("schema/", SpectacularJSONAPIView.as_view(patterns=documented)),
]


def result(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


# Sessions


def test_session_makes_lists_renames_and_revokes(ada: Owner) -> None:
    made = ada.call("POST", data={"name": "laptop", "expires_at": in_days(7)})
    assert (made.status_code, made["Cache-Control"]) == (201, "no-store")
    key = made.json()
    assert key.pop("value") == ada.tokens["laptop"].value
    assert made["Location"] == f"{ENDPOINTS}{key['id']}/"
    assert list(key) == ["id", "name", "created_at", "expires_at", "is_expired"]
    assert key["created_at"].endswith("Z")
    listed = ada.call("GET").json()
    assert listed["api_keys"] == [key]
    assert listed["limit"] == 20
    assert datetime.fromisoformat(listed["expires_before"].replace("Z", "+00:00")).tzinfo
    assert ada.call("GET", f"{key['id']}/").json() == key
    renamed = ada.call("PATCH", f"{key['id']}/", {"name": "phone"}).json()
    assert renamed == {**key, "name": "phone"}
    assert ada.call("DELETE", f"{key['id']}/").status_code == 204
    assert result(ada.call("DELETE", f"{key['id']}/")) == (404, "api_key_gone")
    assert ada.tokens == {}


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({}, "invalid", "name"),
        ({"name": 5}, "invalid", "name"),
        ({"name": "n" * 129, "expires_at": "2099-01-01T00:00:00Z"}, "invalid_name", "name"),
        ({"name": "a\u2028b"}, "invalid_name", "name"),
        ({"name": "new", "expires_at": "2099-01-01T00:00:00"}, "invalid", "expires_at"),
        ({"name": "new", "expires_at": "9999-12-31T23:59:59-12:00"}, "invalid", "expires_at"),
        ({"name": "new", "expires_at": 5}, "invalid", "expires_at"),
        ({"name": "new", "expires_at": "2020-01-01T00:00:00Z"}, "expiry_not_allowed", "expires_at"),
        ({"name": "new", "expires_at": "2099-01-01T00:00:00Z"}, "expiry_not_allowed", "expires_at"),
        ({"name": "new"}, "expiry_not_allowed", "expires_at"),
        ({"name": "new", "expiresAt": None}, "invalid", "expiresAt"),
        ([], "invalid", "non_field_errors"),
    ],
)
def test_wrong_body_is_refused(ada: Owner, body: Any, code: str, field: str) -> None:
    response = ada.call("POST", data=body)
    assert result(response) == (400, code)
    assert list(response.json()["fields"]) == [field]
    assert ada.tokens == {}


def test_refusals_have_a_code(ada: Owner, settings: Any) -> None:
    key = ada.has("one")
    ada.has("two")
    assert result(ada.call("POST", data={"name": "one", "expires_at": in_days(1)})) == (409, "name_taken")
    assert result(ada.call("PATCH", f"{key}/", {"name": "two"})) == (409, "name_taken")
    assert result(ada.call("PATCH", f"{key}/", {})) == (400, "invalid")
    settings.LOGTO_API_KEYS_PER_USER = 2
    assert result(ada.call("POST", data={"name": "three", "expires_at": in_days(1)})) == (409, "too_many_api_keys")
    settings.LOGTO_M2M_APP_ID = ""
    assert result(ada.call("GET")) == (404, "not_set_up")


def test_unproved_session_gets_the_url_of_the_verification(keys_site: Emulator) -> None:
    headers = {"Referer": "http://testserver/settings/"}
    response = Owner(keys_site).call("POST", data={"name": "new", "expires_at": in_days(1)}, **headers)
    url = "http://testserver/account/verify?next=/settings/"
    assert result(response) == (401, "proof_required")
    assert (response.json()["error"], response.json()["sign_in_url"]) == ("sign_in_required", url)
    assert f'sign_in_url="{url}"' in response["WWW-Authenticate"]


def test_request_without_user_is_unauthorized(keys_site: Emulator, client: Client) -> None:
    for method, place in (("GET", ""), ("POST", ""), ("DELETE", "0/")):
        assert result(call(client, method, place)) == (401, "sign_in_required")
    client.force_login(get_user_model().objects.create_user("local"), "django.contrib.auth.backends.ModelBackend")
    assert result(call(client, "GET")) == (403, "no_logto_session")


def test_session_needs_csrf_token(ada: Owner) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies = ada.client.cookies
    assert result(call(client, "POST", data={"name": "new", "expires_at": in_days(1)})) == (403, "permission_denied")


def test_failure_of_logto_has_a_code(ada: Owner) -> None:
    ada.call("GET")
    ada.logto.faults.http["management_api"] = HttpFault(drop=True)
    assert result(ada.call("GET")) == (503, "provider_unreachable")
    ada.logto.faults.http["management_api"] = HttpFault(status=500, body="{}")
    assert result(ada.call("GET")) == (502, "provider_error")


def test_session_of_deleted_user_ends(ada: Owner) -> None:
    del ada.logto.tenant.users[ada.sub]
    assert result(ada.call("GET")) == (401, "sign_in_required")
    assert not LogtoSession.objects.exists()


# Access tokens


def test_value_in_place_of_the_id_is_not_logged(ada: Owner, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="logto_auth")
    ada.has("laptop")
    value = ada.tokens["laptop"].value
    for response in (ada.call("delete", f"{value}/"), ada.post(value, "remove"), ada.open(value)):
        assert value not in response.content.decode()
    assert ada.call("get", f"{'0' * 32}/").status_code == 404
    texts = [record.getMessage() for record in caplog.records if record.name == "logto_auth"]
    assert any("'00000000000000000000000000000000'" in text for text in texts)
    assert not [text for text in texts if value in text]


def test_token_lists_renames_and_revokes(ada: Owner) -> None:
    headers, client = bearer_of(ada.logto), Client()
    key = ada.has("laptop")
    assert [each["id"] for each in call(client, "GET", **headers).json()["api_keys"]] == [key]
    assert call(client, "PATCH", f"{key}/", {"name": "phone"}, **headers).json()["name"] == "phone"
    assert call(client, "DELETE", f"{key}/", **headers).status_code == 204
    assert ada.tokens == {}


def test_token_makes_no_key(ada: Owner) -> None:
    # Not with the session of the same browser either.
    response = call(ada.client, "POST", data={"name": "new", "expires_at": in_days(1)}, **bearer_of(ada.logto))
    assert result(response) == (403, "session_required")
    assert ada.tokens == {}


def test_token_of_third_party_is_refused(ada: Owner, settings: Any) -> None:
    headers = bearer_of(ada.logto)
    for application in ada.logto.tenant.applications.values():
        application.is_third_party = application.name == "App"
    assert result(call(Client(), "GET", **headers)) == (403, "client_refused")


def test_api_key_itself_is_refused(ada: Owner) -> None:
    ada.has("laptop")
    value = ada.tokens["laptop"].value
    response = call(Client(), "GET", Authorization=f"Bearer {value}")
    assert (response.status_code, 'error="invalid_token"' in response["WWW-Authenticate"]) == (401, True)


# OpenAPI


def test_document_describes_each_operation(settings: Any, capfd: Any) -> None:
    settings.ROOT_URLCONF = __name__
    settings.LOGTO_API_RESOURCE = API
    document = Client().get("/schema/").json()
    assert "Warning" not in capfd.readouterr().err
    described = {
        (place, method): operation["operationId"]
        for place, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert described == {
        ("/api-keys/", "get"): "api_keys_list",
        ("/api-keys/", "post"): "api_keys_create",
        ("/api-keys/{key_id}/", "get"): "api_keys_read",
        ("/api-keys/{key_id}/", "patch"): "api_keys_rename",
        ("/api-keys/{key_id}/", "delete"): "api_keys_revoke",
    }
    create = document["paths"]["/api-keys/"]["post"]
    assert list(create["responses"]) == ["201", "400", "401", "403", "409", "502", "503"]
    assert create["security"] == [{"cookieAuth": []}]
    assert all(name.startswith("ApiKeys") for name in document["components"]["schemas"])
    key = document["components"]["schemas"]["ApiKeysCreatedKey"]["properties"]
    assert (key["expires_at"]["nullable"], key["value"]["type"]) == (True, "string")
