"""The methods of authentication that an access token names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.http import HttpRequest, JsonResponse
from django.urls import include, path

from logto_auth.decorators import access_token_required
from logto_auth.emulator import Emulator
from logto_auth.tenant.claims_script import merged_script
from tests.rights import API, HARBOUR
from tests.support import changed_claims

from .callers import App, Robot, call, has_been_here

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("site"), pytest.mark.urls(__name__)]


def describe(request: HttpRequest) -> JsonResponse:
    principal = request.logto  # type: ignore[attr-defined]
    return JsonResponse({"methods": principal.authentication_methods, "at": principal.authentication_methods_at})


urlpatterns = [path("", include("logto_auth.urls")), path("who", access_token_required()(describe))]


@pytest.fixture(autouse=True)
def script(logto: Emulator, site: None) -> None:
    logto.tenant.jwt_customizers["jwt.accessToken"] = {"script": merged_script("")}
    has_been_here(logto, "reader")


def seen(token: str) -> Any:
    response = call("/who", token)
    assert response.status_code == 200, response.content
    return json.loads(response.content)


def test_token_of_a_user_names_methods_without_time(app: App) -> None:
    assert seen(app.token("reader", resource=API)) == {"methods": ["Password"], "at": None}
    assert seen(app.token("reader", resource=API, organization_id=HARBOUR)) == {"methods": ["Password"], "at": None}


def test_setting_is_not_needed_for_tokens(app: App, settings: Any) -> None:
    settings.LOGTO_SECOND_FACTOR = True
    assert seen(app.token("reader", resource=API))["methods"] == ["Password"]


@pytest.mark.parametrize("value", [..., None, "Totp", ["Totp", 1], {"Totp": True}])
def test_token_without_valid_claim_has_no_methods(app: App, logto: Emulator, value: object) -> None:
    logto.faults.access_token_claims = changed_claims(authentication_methods=value)
    assert seen(app.token("reader", resource=API)) == {"methods": [], "at": None}


def test_machine_has_no_methods(robot: Robot, logto: Emulator) -> None:
    script = "const getCustomJwtClaims = async () => ({ authentication_methods: ['Totp'] });"
    logto.tenant.jwt_customizers["jwt.clientCredentials"] = {"script": script}
    assert seen(robot.token(resource=API)) == {"methods": [], "at": None}
