from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from logto_auth.clients import reset_clients
from logto_auth.emulator import Application, Emulator
from tests.management_commands import Run, api, fresh, read_env_file, run, set_all

from .findings import API, Found

__all__ = ["api", "application", "found", "fresh", "run"]


@pytest.fixture(autouse=True)
def site_without_account_pages(settings: Any) -> None:
    """Leave out the account pages, which have findings of their own: see `test_account`."""
    settings.ROOT_URLCONF = "tests.checks.urls_without_account_pages"


@pytest.fixture
def application(run: Run, fresh: Emulator, settings: Any, tmp_path: Path) -> Application:
    """The application of a site that `logto_setup` has set up for the bookstore, with a webhook."""
    settings.ALLOWED_HOSTS = ["testserver", "shop.example"]
    settings.LOGTO_RESOURCES = (API, "urn:logto:resource:organizations")
    settings.LOGTO_API_RESOURCE = API
    settings.LOGTO_API_SCOPES = ("read:books", "write:books")
    settings.LOGTO_SCOPES = ("openid", "offline_access", "profile", "read:books", "manage:stock")
    path = tmp_path / ".env"
    assert run("logto_setup", "--yes", "--env-file", str(path)).code == 0
    set_all(settings, read_env_file(path))
    reset_clients()
    return fresh.tenant.applications[settings.LOGTO_APP_ID]


@pytest.fixture
def found(run: Run, application: Application) -> Found:
    """A function that returns the findings except those that are ok, as `level check: message`.

    The finding about Logto's outbound guard depends on the names that this machine resolves, so it is left out.
    """

    def found(*arguments: str) -> list[str]:
        findings = json.loads(run("logto_doctor", "--json", *arguments).out)["findings"]
        shown = (each for each in findings if each["level"] != "ok" and each["check"] != "outbound-guard")
        return [f"{each['level']} {each['check']}: {each['message']}" for each in shown]

    return found
