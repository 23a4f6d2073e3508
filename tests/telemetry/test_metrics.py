"""The metrics, as the SDK of OpenTelemetry collects them."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, JsonResponse
from django.test import Client
from django.urls import include, path
from ninja import NinjaAPI
from opentelemetry import metrics
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader, NumberDataPoint

from logto_auth import telemetry
from logto_auth.contrib.ninja import LogtoAuth
from logto_auth.decorators import access_token_required
from logto_auth.emulator import Emulator, HttpFault
from logto_auth.oidc import http
from logto_auth.telemetry import code_for_attribute
from logto_auth.testing import Browser
from tests.ageing import age
from tests.api.callers import App
from tests.docs.pages import DOCS
from tests.rights import API, ask_for_rights, set_up

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

api = NinjaAPI(urls_namespace="telemetry")


@api.get("/books", auth=LogtoAuth("write:books"))
def books(request: HttpRequest) -> dict[str, str]:
    return {}


urlpatterns = [
    path("", include("logto_auth.urls")),
    path("plain/", access_token_required("write:books", accepts_api_keys=True)(lambda request: JsonResponse({}))),
    path("ninja/", api.urls),
    path("", lambda request: JsonResponse({"user": str(request.user)})),
]

Attributes = dict[str, Any]


class Metrics:
    """What was measured since the latest look."""

    def __init__(self) -> None:
        delta = AggregationTemporality.DELTA
        self.reader = InMemoryMetricReader(preferred_temporality={Counter: delta, Histogram: delta})

    def points(self) -> dict[str, list[tuple[Attributes, float]]]:
        """Return the attributes and the number of events, by metric."""
        data = self.reader.get_metrics_data()
        found: dict[str, list[tuple[Attributes, float]]] = {}
        for resource in data.resource_metrics if data else ():
            for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
                for point in metric.data.data_points:
                    number = point.value if isinstance(point, NumberDataPoint) else point.count
                    found.setdefault(metric.name.removeprefix("logto_auth."), []).append(
                        ({name.removeprefix("logto_auth."): each for name, each in point.attributes.items()}, number)
                    )
        return found


@pytest.fixture(scope="session")
def meter() -> Metrics:
    """The metrics of this process, which has only one meter provider."""
    found = Metrics()
    metrics.set_meter_provider(MeterProvider([found.reader]))
    return found


@pytest.fixture
def measured(meter: Metrics, logto: Emulator, settings: Any) -> Iterator[Metrics]:
    set_up(logto)
    ask_for_rights(settings)
    settings.LOGTO_API_CREATE_USERS = True
    settings.TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
    meter.points()
    yield meter
    meter.points()


def test_sign_ins_by_outcome(measured: Metrics, logto: Emulator, browser: Browser) -> None:
    browser.sign_in("editor")
    browser.client.get("/callback?state=unknown&error=access_denied")
    browser.client.get("/callback")
    outcomes = {point["outcome"]: number for point, number in measured.points()["sign_ins"]}
    assert outcomes == {"success": 1, "state_unknown": 1, "sign_in_cancelled": 1}


def test_refreshes_by_outcome(measured: Metrics, logto: Emulator, browser: Browser) -> None:
    browser.sign_in("editor")
    age(browser)
    browser.client.get("/")
    logto.faults.http["token"] = HttpFault(status=500, body="{}")
    age(browser)
    browser.client.get("/")
    outcomes = {point["outcome"]: number for point, number in measured.points()["refreshes"]}
    assert outcomes == {"success": 1, "provider_error": 1}


def test_refresh_of_a_session_that_has_ended_at_logto(measured: Metrics, logto: Emulator, browser: Browser) -> None:
    browser.sign_in("editor")
    logto.tenant.suspend_user("editor000001")
    age(browser)
    browser.client.get("/")
    [(point, _)] = measured.points()["refreshes"]
    assert point == {"outcome": "sign_in_required"}


def test_refusals_by_code(measured: Metrics, logto: Emulator, app: App) -> None:
    reader = app.token("reader", resource=API)
    for path_ in ("/plain/", "/ninja/books"):
        assert Client().get(path_).status_code == 401
        assert Client().get(path_, headers={"Authorization": "Bearer junk.junk.junk"}).status_code == 401
        assert Client().get(path_, headers={"Authorization": f"Bearer {reader}"}).status_code == 403
    codes = {point["code"]: number for point, number in measured.points()["api.refusals"]}
    assert codes == {"access_token_required": 2, "invalid_token": 2, "insufficient_scope": 2}


def test_requests_to_logto(measured: Metrics, logto: Emulator, browser: Browser) -> None:
    browser.sign_in("editor")
    logto.faults.http["token"] = HttpFault(status=503, body="{}")
    age(browser)
    browser.client.get("/")
    requests = measured.points()["logto.request.duration"]
    found = {
        (point["http.request.method"], point["operation"], point.get("http.response.status_code"))
        for point, _ in requests
    }
    assert {("GET", "discovery", 200), ("GET", "keys", 200), ("POST", "token", 200), ("POST", "token", 503)} <= found


def test_request_that_fails_names_the_error(measured: Metrics, logto: Emulator, browser: Browser) -> None:
    browser.sign_in("editor")
    measured.points()
    logto.faults.http["token"] = HttpFault(drop=True)
    age(browser)
    browser.client.get("/")
    [(point, _)] = measured.points()["logto.request.duration"]
    assert point == {"http.request.method": "POST", "operation": "token", "error.type": "provider_unreachable"}


def test_lookups_in_caches(measured: Metrics, logto: Emulator, app: App) -> None:
    token = app.token("editor", resource=API)
    for _ in range(3):
        assert Client().get("/plain/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    lookups = [
        (point["hit"], number)
        for point, number in measured.points()["cache.lookups"]
        if point["cache"] == "access_tokens"
    ]
    assert sorted(lookups) == [(False, 1), (True, 2)]


def test_lookups_of_api_keys(measured: Metrics, logto: Emulator, settings: Any) -> None:
    logto.tenant.applications[settings.LOGTO_APP_ID].allow_token_exchange = True
    key = logto.tenant.add_personal_access_token("editor000001", "script").value
    for _ in range(3):
        assert Client().get("/plain/", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    lookups = [
        (point["hit"], number) for point, number in measured.points()["cache.lookups"] if point["cache"] == "api_keys"
    ]
    assert sorted(lookups) == [(False, 1), (True, 2)]


def test_attributes_have_no_identifiers(measured: Metrics, logto: Emulator, browser: Browser, app: App) -> None:
    browser.sign_in("editor")
    age(browser)
    browser.client.get("/")
    Client().get("/plain/", headers={"Authorization": f"Bearer {app.token('editor', resource=API)}"})
    Client().get("/callback?error=some_error_of_a_user&state=x")
    points = measured.points()
    assert set(points) == {"sign_ins", "refreshes", "logto.request.duration", "cache.lookups"}
    values = {str(value) for each in points.values() for point, _ in each for value in point.values()}
    known = {"discovery", "keys", "token", "access_tokens", "signing_keys", "GET", "POST", "200", "True", "False"}
    assert values <= known | {"success", "state_unknown", "userinfo"}


def test_code_that_is_no_short_name_is_no_attribute() -> None:
    assert code_for_attribute("state_used") == "state_used"
    for code in ("user 4711", "", "Ärger", "x" * 51, "eyJhbGciOi.abc", "sub4711"):
        assert code_for_attribute(code) == "other"


def test_all_metrics_are_documented() -> None:
    page = (DOCS / "reference" / "telemetry.md").read_text(encoding="utf-8")
    names = [
        each.name for each in vars(telemetry).values() if isinstance(each, telemetry.Counter | telemetry.Histogram)
    ]
    assert sorted(names) == sorted(re.findall(r"^\| `(logto_auth[\w.]+)`", page, re.MULTILINE))
    operations = {*http._ENDPOINTS.values(), *http._APIS.values(), "other"}
    assert operations == set(
        re.findall(r"`(\w+)`", page.partition("`logto_auth.operation`\n:")[2].partition("\n\n")[0])
    )


def test_without_opentelemetry_nothing_is_measured() -> None:
    code = """
import sys
sys.modules["opentelemetry"] = None
from logto_auth import telemetry
telemetry.SIGN_INS.add(outcome="success")
with telemetry.REQUEST_DURATION.measured(method="GET") as attributes:
    attributes["status"] = 200
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
