"""`manage.py logto_doctor`: a site without problems, side effects, exit codes and JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.sessions.models import Session

from logto_auth.emulator import Application, Emulator
from tests.management_commands import SITE, Run
from tests.tenant.tenant_state import writes

from .findings import Found, only

pytestmark = pytest.mark.django_db


def test_site_without_problems_has_only_ok_findings(run: Run, application: Application) -> None:
    result = run("logto_doctor")
    assert result.code == 0
    problems = [line for line in result.out.splitlines() if line.startswith(("skipped", "warning", "failure"))]
    assert [line for line in problems if "outbound-guard" not in line] == []
    # The outbound guard.
    assert len(problems) == 1
    assert result.out.splitlines()[-1].endswith(" ok, 0 skipped, 1 warning, 0 failures")
    assert f"ok       redirect-uri         {SITE}/callback is registered.\n" in result.out


def test_doctor_leaves_only_an_anonymous_session_at_logto(run: Run, fresh: Emulator, application: Application) -> None:
    fresh.requests.clear()
    assert run("logto_doctor").code == 0
    assert writes(fresh) == []
    assert (fresh.instances.interactions, fresh.instances.grants) == ({}, {})
    assert {session.account_id for session in fresh.instances.sessions.values()} == {None}


def test_doctor_leaves_no_django_session(run: Run, application: Application) -> None:
    run("logto_doctor")
    assert not Session.objects.exists()


def test_checks_without_management_api_still_run(
    run: Run, found: Found, settings: Any, fresh: Emulator, application: Application
) -> None:
    fresh.like = "1.41"  # which has no outbound guard to warn about
    settings.LOGTO_M2M_APP_ID = settings.LOGTO_M2M_APP_SECRET = ""
    assert only(found()).startswith("skipped management-api: Not checked, because LOGTO_M2M_APP_ID")
    assert run("logto_doctor", "--fail-on", "warning").code == 0
    application.redirect_uris = []
    assert run("logto_doctor").code == 1


# Exit codes and JSON


def test_exit_code_follows_fail_on(run: Run, application: Application) -> None:
    application.backchannel_logout_uri = None
    assert run("logto_doctor").code == 0
    assert run("logto_doctor", "--fail-on", "warning").code == 1
    application.redirect_uris = []
    assert run("logto_doctor").code == 1


def test_json_has_every_finding_and_counts(run: Run, application: Application) -> None:
    application.redirect_uris = []
    result = run("logto_doctor", "--json")
    data = json.loads(result.out)
    levels = [each["level"] for each in data["findings"]]
    assert data["counts"] == {level: levels.count(level) for level in ("ok", "skipped", "warning", "failure")}
    assert (data["counts"]["skipped"], data["counts"]["failure"]) == (1, 1)
    assert next(each for each in data["findings"] if each["level"] == "failure") == {
        "check": "redirect-uri",
        "level": "failure",
        "message": f"{SITE}/callback is not registered. Every sign-in with it ends on an error page of Logto.",
        "remedy": "Add exactly this URI to the redirect URIs. manage.py logto_setup does this, or the page of the "
        "application in the Logto Console.",
    }


def test_invalid_base_url_is_an_error(run: Run) -> None:
    result = run("logto_doctor", "--base-url", "shop.example")
    assert (result.code, result.error.partition(",")[0]) == (
        2,
        "The base URL 'shop.example' is not an origin without a path",
    )
