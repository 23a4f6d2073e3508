"""Calls to a site that is only an API."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.checks import run_checks
from django.test import Client

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


def test_organization_token_works_in_its_organization(app: App, robot: Robot) -> None:
    answer = call(f"/branches/{HARBOUR}/stock/", app.token("editor", organization_id=HARBOUR))
    assert answer.content == f"editor000001 {HARBOUR}".encode()
    assert call(f"/branches/{HARBOUR}/stock/", robot.token(organization_id=HARBOUR)).status_code == 200
    assert call(f"/branches/{HILL}/stock/", robot.token(organization_id=HARBOUR)).status_code == 403


@pytest.mark.parametrize("place", PLACES)
def test_outage_is_503(app: App, logto: Emulator, place: str) -> None:
    logto.faults.http["discovery"] = HttpFault(status=500)
    assert call(place, app.token("reader", resource=API)).status_code == 503
