"""The application of the API documentation: a site that includes its URLs gets it from `logto_setup`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import include, path

from logto_auth.emulator import Emulator
from tests.management_commands import SITE, Run, read_env_file

from .tenant_state import writes

pytestmark = pytest.mark.urls(__name__)

NAME = "Bookstore: API documentation"
REDIRECT_URI = f"{SITE}/api/docs/oauth2-redirect.html"

urlpatterns = [
    path("", include("logto_auth.urls")),
    path("api/docs/", include("logto_auth.contrib.swagger_urls")),
]


def docs_applications(fresh: Emulator) -> list[Any]:
    return [each for each in fresh.tenant.applications.values() if each.type == "SPA"]


def test_application_is_created_once(run: Run, fresh: Emulator, settings: Any, tmp_path: Path) -> None:
    file = str(tmp_path / ".env")
    assert f"+ application of the API documentation {NAME}\n" in run("logto_setup", "--yes", "--env-file", file).out
    [application] = docs_applications(fresh)
    assert (application.name, application.redirect_uris) == (NAME, [REDIRECT_URI])
    assert not application.is_third_party
    values = read_env_file(tmp_path / ".env")
    assert values["LOGTO_API_DOCS_APP_ID"] == application.id
    settings.LOGTO_APP_ID, settings.LOGTO_API_DOCS_APP_ID = values["LOGTO_APP_ID"], application.id
    before = len(writes(fresh))
    assert "create" not in run("logto_setup", "--yes").out
    assert len(writes(fresh)) == before


def test_redirect_uri_is_added(run: Run, fresh: Emulator) -> None:
    application = fresh.tenant.add_application(name=NAME, type="SPA", redirect_uris=["https://old.example/x"])
    run("logto_setup", "--yes")
    assert application.redirect_uris == ["https://old.example/x", REDIRECT_URI]
    assert docs_applications(fresh) == [application]


def test_application_of_the_setting_is_used_with_any_name(run: Run, fresh: Emulator, settings: Any) -> None:
    application = fresh.tenant.add_application(name="Docs", type="SPA", redirect_uris=[])
    settings.LOGTO_API_DOCS_APP_ID = application.id
    run("logto_setup", "--yes")
    assert application.redirect_uris == [REDIRECT_URI]
    assert docs_applications(fresh) == [application]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"type": "Traditional"}, "Expected a first-party application of the type Single page app"),
        ({"type": "SPA", "is_third_party": True}, "Expected a first-party application"),
        (None, "but the tenant at http://localhost:"),
    ],
)
def test_wrong_application_is_an_error(
    run: Run, fresh: Emulator, settings: Any, values: dict[str, Any] | None, text: str
) -> None:
    found = fresh.tenant.add_application(name="Docs", **values) if values else None
    settings.LOGTO_API_DOCS_APP_ID = found.id if found else "unknown00000000000001"
    result = run("logto_setup", "--yes")
    assert result.code == 2
    assert text in result.error
    assert writes(fresh) == []


def test_two_applications_with_the_name_are_an_error(run: Run, fresh: Emulator) -> None:
    ids = [fresh.tenant.add_application(name=NAME, type="SPA").id for _ in range(2)]
    result = run("logto_setup", "--yes")
    assert result.code == 2
    assert all(id in result.error for id in ids)


def test_site_without_the_urls_needs_no_application(run: Run, fresh: Emulator, settings: Any) -> None:
    settings.ROOT_URLCONF = "bookstore.urls"
    run("logto_setup", "--yes")
    assert docs_applications(fresh) == []
