"""Whether Logto exchanges tokens for the application of the site."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bookstore.tenant import TENANT
from logto_auth.clients import reset_clients
from logto_auth.doctor.token_exchange import token_exchange_findings
from logto_auth.emulator import Application, Emulator
from tests.management_commands import Run

from .findings import Found, only

pytestmark = pytest.mark.django_db

DECLARED = replace(TENANT, token_exchange=True)
UNDECLARED = replace(TENANT, token_exchange=False)


def test_declared_token_exchange_is_tried(run: Run, found: Found, application: Application, settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.DECLARED"
    application.allow_token_exchange = False
    line = only(found())
    assert line.startswith("failure token-exchange: No token can be exchanged. ")
    assert 'Switch on "Allow token exchange" for the application' in line
    assert run("logto_setup", "--yes").code == 0
    assert found() == []
    assert f"Logto exchanges tokens for the application {application.id}.\n" in run("logto_doctor").out


def test_site_without_api_keys_needs_no_token_exchange(run: Run, application: Application, settings: Any) -> None:
    settings.LOGTO_TENANT = f"{__name__}.UNDECLARED"
    checks = {each["check"] for each in json.loads(run("logto_doctor", "--json").out)["findings"]}
    assert "token-exchange" not in checks


@pytest.mark.parametrize("urls", ["tests.checks.urls_accepting_api_keys", "tests.doctor.urls_mcp_with_api_keys"])
def test_site_that_accepts_api_keys_needs_token_exchange(
    run: Run, application: Application, settings: Any, urls: str
) -> None:
    if "mcp" in urls:
        pytest.importorskip("django_mcpz")
    settings.ROOT_URLCONF = urls
    settings.LOGTO_TENANT = f"{__name__}.UNDECLARED"
    application.allow_token_exchange = False
    found = {each["check"]: each for each in json.loads(run("logto_doctor", "--json").out)["findings"]}
    finding = found["token-exchange"]
    assert (finding["level"], finding["message"][:18]) == ("failure", "No API key works. ")
    assert "token_exchange=True in LOGTO_TENANT" in finding["remedy"]


def test_missing_or_wrong_credentials_are_another_finding(
    application: Application, fresh: Emulator, settings: Any
) -> None:
    settings.LOGTO_APP_SECRET = "wrong"
    reset_clients()
    assert list(token_exchange_findings(accepts_api_keys=lambda: True)) == []
    settings.LOGTO_APP_SECRET = ""
    assert list(token_exchange_findings(accepts_api_keys=lambda: True)) == []
