"""Calls to a site that is only an API."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.test import AsyncClient, Client, RequestFactory

from logto_auth.api import authenticate
from logto_auth.emulator import Emulator, HttpFault
from tests.api.callers import App, Robot, call, parameters_of
from tests.rights import API, HARBOUR, HILL, set_up

pytestmark = pytest.mark.django_db

PLACES = ("/function/", "/async-function/", "/class/", "/rest-framework/", "/ninja/books")


@pytest.fixture
def app(logto: Emulator) -> Any:
    set_up(logto)
    app = App(logto)
    yield app
    app.close()


@pytest.fixture
def robot(app: App, logto: Emulator) -> Any:
    robot = Robot(logto)
    yield robot
    robot.close()


def test_site_has_no_sessions_and_no_middleware(settings) -> None:
    assert not apps.is_installed("django.contrib.sessions")
    assert (settings.MIDDLEWARE, settings.AUTHENTICATION_BACKENDS) == (
        [],
        ["django.contrib.auth.backends.ModelBackend"],
    )
    assert not hasattr(settings, "LOGTO_APP_ID")


def test_checks_report_nothing(settings) -> None:
    messages = run_checks(include_deployment_checks=True)
    assert [message for message in messages if message.id.startswith("logto_auth.")] == []


@pytest.mark.parametrize("place", PLACES)
def test_users_and_machines_may_call(app: App, robot: Robot, place: str) -> None:
    user = call(place, app.token("reader", resource=API))
    assert (user.status_code, user.content.strip(b'"')) == (200, b"reader000001 reader000001")
    machine = call(place, robot.token(resource=API))
    assert (machine.status_code, machine.content.strip(b'"')) == (200, f"{robot.id} {robot.id}".encode())
    assert get_user_model().objects.count() == 1
    assert not user.cookies


@pytest.mark.parametrize("place", PLACES)
def test_other_callers_are_refused(app: App, place: str) -> None:
    assert call(place).status_code == 401
    assert call(place, app.token("reader")).status_code == 401
    assert call(place, app.token("customer", resource=API)).status_code == 403
    get_user_model().objects.update(is_active=False)
    assert call(place, app.token("customer", resource=API)).status_code == 401


@pytest.mark.parametrize("place", PLACES[:-1])  # for Ninja, LogtoMiddleware adds the header
def test_refusals_contain_the_metadata_url(app: App, place: str) -> None:
    challenge = parameters_of(call(place)["WWW-Authenticate"])
    metadata = Client().get(challenge["resource_metadata"].removeprefix("http://testserver"))
    assert metadata.json()["authorization_servers"] == [app.logto.issuer]
    assert parameters_of(call(place, app.token("reader"))["WWW-Authenticate"])["error"] == "invalid_token"


PERMS = (
    "/function/perms/",
    "/async-function/perms/",
    "/rest-framework/perms/",
    "/ninja/perms",
    "/ninja/async-perms",
)


@pytest.mark.parametrize("client", [Client(), AsyncClient()], ids=["wsgi", "asgi"])
@pytest.mark.parametrize("place", PERMS)
def test_has_perm_works_without_middleware(app: App, robot: Robot, place: str, client: Any, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = ["logto_auth.backends.LogtoBackend"]
    get = async_to_sync(client.get) if isinstance(client, AsyncClient) else client.get
    for token, expected in (
        (app.token("editor", resource=API), b"True True"),
        (app.token("reader", resource=API), b"True False"),
        (robot.token("write:books", resource=API), b"False True"),
    ):
        assert get(place, headers={"Authorization": f"Bearer {token}"}).content == expected


def test_user_of_another_request_has_no_permissions(app: App, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = ["logto_auth.backends.LogtoBackend"]
    requests = [RequestFactory().get("/", headers={"Authorization": f"Bearer {app.token('editor', resource=API)}"})]
    first = authenticate(requests[0]).user
    assert first.has_perm("logto.read:books")
    assert not get_user_model().objects.get(pk=first.pk).has_perm("logto.read:books")
    requests.append(RequestFactory().get("/", headers=requests[0].headers))
    second = authenticate(requests[1]).user
    assert (first.has_perm("logto.read:books"), second.has_perm("logto.read:books")) == (False, True)
    requests.clear()
    gc.collect()
    assert not second.has_perm("logto.read:books")


def test_organization_token_works_in_its_organization(app: App, robot: Robot) -> None:
    answer = call(f"/branches/{HARBOUR}/stock/", app.token("editor", organization_id=HARBOUR))
    assert answer.content == f"editor000001 {HARBOUR}".encode()
    assert call(f"/branches/{HARBOUR}/stock/", robot.token(organization_id=HARBOUR)).status_code == 200
    assert call(f"/branches/{HILL}/stock/", robot.token(organization_id=HARBOUR)).status_code == 403


@pytest.mark.parametrize("place", PLACES)
def test_outage_is_503(app: App, logto: Emulator, place: str) -> None:
    logto.faults.http["discovery"] = HttpFault(status=500)
    assert call(place, app.token("reader", resource=API)).status_code == 503
