"""`LogtoCheck`, in the view of django-health-check."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import path
from health_check.views import HealthCheckView

from logto_auth.emulator import Emulator, HttpFault

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

urlpatterns = [path("health/", HealthCheckView.as_view(checks=["logto_auth.contrib.health_check.LogtoCheck"]))]


def health() -> tuple[int, str]:
    """Return the status of the page, and what it says about Logto."""
    answer = Client().get("/health/?format=json")
    [text] = answer.json().values()
    return answer.status_code, text


def test_logto_that_answers_is_healthy(logto: Emulator) -> None:
    assert health() == (200, "OK")
    assert len(logto.requests.to("discovery")) == len(logto.requests.to("jwks")) == 1


@pytest.mark.parametrize(
    ("endpoint", "fault", "text"),
    [
        ("discovery", HttpFault(drop=True), "Unavailable: http"),
        ("jwks", HttpFault(status=502, body="Bad gateway"), "Unexpected Result: "),
        ("jwks", HttpFault(status=200, body='{"keys": []}'), "LOGTO_SIGNING_ALGORITHMS"),
        ("discovery", HttpFault(status=200, body="<html>"), "Unexpected Result: "),
    ],
)
def test_logto_that_is_known_already_and_fails_is_not_healthy(
    logto: Emulator, endpoint: str, fault: HttpFault, text: str
) -> None:
    assert health()[0] == 200
    logto.faults.http[endpoint] = fault
    status, found = health()
    assert (status, text in found) == (500, True), found


def test_missing_settings_are_named(logto: Emulator, settings: Any) -> None:
    settings.LOGTO_ENDPOINT = ""
    status, found = health()
    assert (status, "LOGTO_ENDPOINT" in found) == (500, True), found
