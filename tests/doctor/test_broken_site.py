"""A project that is broken in any way gives findings, and never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from logto_auth.emulator import Emulator, HttpFault
from tests.management_commands import Run, set_all

from .findings import Found, only

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]

MIGRATION = """
from django.db import migrations
class Migration(migrations.Migration):
    dependencies = [("logto_auth", "{dependency}")]
"""


class BrokenRouter:
    """A database router with a mistake."""

    def db_for_write(self, model: Any, **hints: Any) -> str:
        return {}["users"]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that writes modules to a package that can be imported, and returns the name of the package."""

    def write(**modules: str) -> str:
        # Python remembers a package by its name.
        folder = tmp_path / f"broken_site_{tmp_path.name}"
        folder.mkdir()
        for name, text in {"__init__": "", **modules}.items():
            (folder / f"{name}.py").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        return folder.name

    return write


@pytest.mark.parametrize(
    ("migration", "text"),
    [
        (MIGRATION.format(dependency="9999_missing"), "NodeNotFoundError: "),
        ("import nowhere", "ModuleNotFoundError: No module named 'nowhere'"),
        ("class Migration(", "SyntaxError: "),
        ("x = 1", "BadMigrationError: Migration 0001_broken in app logto_auth has no Migration class"),
    ],
    ids=["missing dependency", "missing module", "syntax", "no class"],
)
def test_broken_migration_is_a_finding(found: Found, settings: Any, package: Any, migration: str, text: str) -> None:
    settings.MIGRATION_MODULES = {"logto_auth": package(**{"0001_broken": migration})}
    assert only(found()).startswith(f"failure database: The migrations cannot be examined: {text}")


def test_missing_table_is_a_finding(found: Found) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE logto_auth_logtoidentity RENAME TO elsewhere")
    assert only(found()).startswith("skipped issuers: The users were not examined, because of the database: ")


@pytest.mark.parametrize(
    ("urls", "text"),
    [("import nowhere", "No module named 'nowhere'"), ("urlpatterns = [", "SyntaxError: "), ("x = 1", "")],
    ids=["missing module", "syntax", "no patterns"],
)
def test_broken_urlconf_is_a_finding(found: Found, settings: Any, package: Any, urls: str, text: str) -> None:
    settings.ROOT_URLCONF = f"{package(urls=urls)}.urls"
    lines = found()
    assert lines[0].startswith("failure settings: This could not be examined: ")
    assert text in lines[0]
    # What needs no URL is examined all the same.
    assert not any(line.split(" ")[1] in ("database:", "reachability:", "discovery:", "keys:") for line in lines)


@pytest.mark.parametrize(
    "declaration", ["TENANT = unknown", "import logto_auth.tenant as t\nTENANT = t.TenantDeclaration(x=1)"]
)
def test_broken_declaration_is_a_finding(found: Found, settings: Any, package: Any, declaration: str) -> None:
    settings.LOGTO_TENANT = f"{package(declared=declaration)}.declared.TENANT"
    lines = found()
    assert [line.partition(":")[0] for line in lines] == ["failure settings", "failure declaration"]
    assert "Error: " in lines[1]


def test_wrong_base_url_setting_is_a_finding(found: Found, settings: Any) -> None:
    settings.LOGTO_BASE_URL = "shop.example"
    assert found()[0] == "failure settings: LOGTO_BASE_URL is 'shop.example'. (logto_auth.E008)"
    settings.LOGTO_BASE_URL = 3
    assert found()[0].startswith("failure settings: LOGTO_BASE_URL is of type int")


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"SESSION_ENGINE": "nowhere.sessions"},
            "failure sessions: nowhere.sessions cannot store a session: No module",
        ),
        (
            {"SESSION_ENGINE": "django.contrib.sessions.backends.cached_db", "SESSION_CACHE_ALIAS": "nowhere"},
            "failure sessions: django.contrib.sessions.backends.cached_db cannot store a session: The connection",
        ),
        (
            {"DATABASE_ROUTERS": [f"{__name__}.BrokenRouter"]},
            "failure database: The migrations cannot be examined: KeyError in test_",
        ),
    ],
    ids=str,
)
def test_broken_setting_is_a_finding(found: Found, settings: Any, changes: dict[str, Any], text: str) -> None:
    set_all(settings, changes)
    assert any(line.startswith(text) for line in found())


@pytest.mark.parametrize("body", ["[]", '[{"id": 1}]', "<p>"])
def test_strange_answers_of_the_management_api_are_findings(run: Run, found: Found, fresh: Emulator, body: str) -> None:
    fresh.faults.http["management_api"] = HttpFault(body=body)
    assert any(line.startswith("failure management-api: ") for line in found())


def test_strange_key_set_is_a_finding(found: Found, fresh: Emulator) -> None:
    fresh.faults.http["jwks"] = HttpFault(body='{"keys": {"a": 1}}')
    assert any(line.startswith(("failure keys: ", "failure discovery: ")) for line in found())


def test_unusable_database_gives_findings(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LOGTO_", "POSTGRES_"))}
    environment |= {
        "DJANGO_SETTINGS_MODULE": "bookstore.settings",
        "EMULATOR_PORT": "9",
        "SQLITE_PATH": str(tmp_path / "missing" / "db.sqlite3"),
    }
    command = [sys.executable, "manage.py", "logto_doctor", "--json", "--base-url", "http://localhost:8000"]
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
    findings = {each["check"]: (each["level"], each["message"]) for each in json.loads(result.stdout)["findings"]}
    assert result.stderr == ""
    assert findings["database"][0] == findings["sessions"][0] == findings["reachability"][0] == "failure"
    assert findings["issuers"] == (
        "skipped",
        "The users were not examined, because of the database: OperationalError: unable to open database file",
    )
