"""A site with a tenant of Logto Cloud on a custom domain: set-up, doctor, sync, sign-in, refresh, sign-out.

The emulator is the tenant `abc123`, and `localhost` is its custom domain.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from logto_auth.clients import reset_clients
from logto_auth.emulator import Emulator, run_in_thread
from logto_auth.emulator.cloud import RateLimit
from logto_auth.models import LogtoIdentity
from logto_auth.testing import Browser
from tests.ageing import age
from tests.management_commands import ROLE, SITE, Run, read_env_file, run, set_all

__all__ = ["run"]

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
User = get_user_model()

RESOURCE = "https://abc123.logto.app/api"

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("", lambda request: who(request)),
]


def who(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.user.get_username())


@pytest.fixture
def fresh(settings: Any) -> Iterator[Emulator]:
    """An empty cloud tenant with a machine-to-machine application, made in the Console."""
    with run_in_thread(cloud_tenant="abc123") as cloud:
        machine = cloud.tenant.add_application(name="Setup", type="MachineToMachine", roles=[ROLE])
        set_all(
            settings,
            {
                "LOGTO_ENDPOINT": cloud.endpoint,
                "LOGTO_MANAGEMENT_API_RESOURCE": RESOURCE,
                "LOGTO_BASE_URL": SITE,
                "LOGTO_APP_ID": "",
                "LOGTO_APP_SECRET": "",
                "LOGTO_M2M_APP_ID": machine.id,
                "LOGTO_M2M_APP_SECRET": machine.secret,
                "LOGTO_SCOPES": ("openid", "offline_access", "profile"),
                "LOGTO_RESOURCES": (),
                "LOGTO_API_RESOURCE": "",
                "LOGTO_USERINFO_CLAIMS": (),
            },
        )
        reset_clients()
        yield cloud
    reset_clients()


def findings(run: Run) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(run("logto_doctor", "--json").out)["findings"]
    return found


def test_whole_journey_on_a_custom_domain(run: Run, fresh: Emulator, settings: Any, tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    assert run("logto_setup", "--yes", "--env-file", str(env_file)).code == 0
    set_all(settings, read_env_file(env_file))
    found = findings(run)
    # The host of the test client is not public, so Logto Cloud would not call it.
    assert {each["check"] for each in found if each["level"] != "ok"} <= {"outbound-guard"}
    assert [each["message"] for each in found if each["check"] == "cloud"] == [
        "This is the tenant abc123 of Logto Cloud, at its custom domain. It accepts 200 requests in 10 seconds."
    ]
    for name in ("reader", "editor"):
        fresh.tenant.add_user(username=name)
    call_command("logto_sync", "--create", verbosity=0)
    assert set(User.objects.values_list("username", flat=True)) == {"reader", "editor"}
    browser = Browser(fresh)
    assert browser.sign_in("reader").url == "/"
    assert LogtoIdentity.objects.filter(issuer=fresh.issuer).count() == 2
    age(browser)
    assert browser.client.get("/").content == b"reader"
    assert browser.sign_out().startswith(f"{SITE}/")
    assert browser.client.get("/").content == b""


def test_open_source_indicator_is_named_as_the_mistake(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.LOGTO_MANAGEMENT_API_RESOURCE = ""
    reset_clients()
    result = run("logto_setup", "--yes")
    assert result.code == 2
    assert "Logto issued no token for the Management API https://default.logto.app/api" in result.error
    assert "Check LOGTO_MANAGEMENT_API_RESOURCE." in result.error
    (finding,) = (each for each in findings(run) if each["check"] == "management-api")
    assert finding["level"] == "failure"
    assert "A tenant of Logto Cloud with a custom domain needs https://<tenant ID>.logto.app/api" in finding["message"]


def test_sign_in_without_management_api_needs_no_indicator(
    run: Run, fresh: Emulator, settings: Any, tmp_path: Path
) -> None:
    env_file = tmp_path / ".env"
    run("logto_setup", "--yes", "--env-file", str(env_file))
    set_all(settings, read_env_file(env_file))
    settings.LOGTO_MANAGEMENT_API_RESOURCE = settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    fresh.tenant.add_user(username="reader")
    assert Browser(fresh).sign_in("reader").url == "/"


def test_requests_beyond_the_limit_are_repeated(run: Run, fresh: Emulator, settings: Any) -> None:
    """The limit is that of the tenant, so other clients can use it up."""
    assert run("logto_setup", "--yes").code == 0
    fresh.requests.clear()
    fresh.tenant.add_user(username="reader")
    # No time passes for the limit until a few requests of the site were refused.
    fresh._provider.rate_limit = RateLimit(clock=lambda: 60.0 if len(fresh.requests) > 2 else 0.0)
    while fresh._provider.rate_limit.accepts():
        pass
    call_command("logto_sync", "--create", verbosity=0)
    assert User.objects.filter(username="reader").exists()
    sent = [(request.path, tuple(map(str, request.query.items()))) for request in fresh.requests]
    assert len(sent) > len(set(sent))
