"""A new site with the lines of a page works, in processes of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from logto_auth.emulator import Emulator
from tests.management_commands import read_env_file

from .callers import access_token
from .pages import ROOT, blocks_of, the_block

ADD_TO_A_SITE = "docs/how-to/add-to-a-site.md"
PROTECT_AN_API = "docs/how-to/protect-an-api.md"
SET_UP = "docs/how-to/set-up-from-the-terminal.md"
TEST_YOUR_SITE = "docs/how-to/test-your-site.md"
SIGN_IN = """
import sys

import django

django.setup()
from django.contrib.auth import get_user_model
from django.test.utils import setup_test_environment

from logto_auth.testing import Browser

setup_test_environment()
browser = Browser(sys.argv[1])
response = browser.sign_in("reader", next_url="/somewhere/")
assert response.url == "/somewhere/", response.content.decode()
assert get_user_model().objects.get().username == "reader"
assert "_auth_user_id" in browser.client.session
browser.sign_out()
assert "_auth_user_id" not in browser.client.session
"""
SIGN_IN_TO_THE_ADMIN = """
import sys

import django

django.setup()
from django.contrib.auth import get_user_model
from django.test import Client
from django.test.utils import setup_test_environment

from logto_auth.testing import Browser

setup_test_environment()
User = get_user_model()
User.objects.filter(username="staff").delete()
User.objects.create_superuser("staff", password="a-long-password")
endpoint, form = sys.argv[1:]
superuser = Client()
superuser.post(form, {"username": "staff", "password": "a-long-password", "next": "/admin/"})
browser = Browser(endpoint)
browser.sign_in("admin", next_url="/admin/")
for client in (superuser, browser.client):
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/auth/user/").status_code == 200
"""
CALL = """
import sys

import django

django.setup()
from django.test import Client
from django.test.utils import setup_test_environment

setup_test_environment()
client = Client()
assert client.get("/.well-known/oauth-protected-resource/api").json()["resource"] == "https://shop.example/api"
refused = client.get("/api/me")
assert (refused.status_code, refused["WWW-Authenticate"].partition("=")[0]) == (401, "Bearer resource_metadata")
response = client.get("/api/me", headers={"Authorization": f"Bearer {sys.argv[1]}"})
assert response.json() == {"sub": "reader"}, response.content.decode()
"""


class NewSite:
    """A site that `startproject` has created in a folder. Its processes get only the variables that are given."""

    def __init__(self, folder: Path, **environment: str) -> None:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("LOGTO_", "DJANGO_", "PYTEST_", "TEST_"))
        }
        self.folder = folder
        self.environment = {**inherited, "PYTHONPATH": str(ROOT), **environment}
        self.run("-m", "django", "startproject", "mysite", ".")

    def append(self, file: str, code: str) -> None:
        """Add the code to the end of a file of the project."""
        with (self.folder / file).open("a") as stream:
            stream.write("\n" + code)

    def follow(self, page: str, kind: str) -> None:
        """Add the settings and replace the URLs by those of the page."""
        self.append("mysite/settings.py", the_block(page, f"{kind} settings").code)
        (self.folder / "mysite" / "urls.py").write_text(the_block(page, f"{kind} urls").code)

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run Python with the arguments and return what it prints."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def check_and_migrate(self) -> None:
        self.run("manage.py", "check", "--fail-level", "WARNING")
        self.run("manage.py", "migrate", "--verbosity", "0")

    def run_script(self, script: str, *arguments: str) -> None:
        (self.folder / "script.py").write_text(script)
        self.environment["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
        self.run("script.py", *arguments)


@pytest.fixture
def environment(logto: Emulator, settings: Any) -> dict[str, str]:
    """Return the three variables of a site whose Logto is the emulator."""
    return {
        "LOGTO_ENDPOINT": logto.endpoint,
        "LOGTO_APP_ID": settings.LOGTO_APP_ID,
        "LOGTO_APP_SECRET": settings.LOGTO_APP_SECRET,
    }


@pytest.mark.parametrize("page", ["README.md", ADD_TO_A_SITE])
def test_new_site_signs_in(page: str, logto: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    logto.tenant.add_user(username="reader")
    site = NewSite(tmp_path, **environment)
    site.follow(page, "site")
    site.check_and_migrate()
    site.run_script(SIGN_IN, logto.endpoint)


@pytest.mark.timeout(180)  # seven processes of Django, one after another
@pytest.mark.parametrize("page", ["README.md", ADD_TO_A_SITE])
def test_superusers_and_staff_of_logto_enter_the_admin_at_each_step(
    page: str, logto: Emulator, environment: dict[str, str], tmp_path: Path
) -> None:
    logto.tenant.add_role("admin")
    logto.tenant.add_user(username="admin", roles=["admin"])
    site = NewSite(tmp_path, **environment)
    site.follow(page, "site")
    site.check_and_migrate()
    site.run_script(SIGN_IN_TO_THE_ADMIN, logto.endpoint, "/admin/login/")
    if page == ADD_TO_A_SITE:
        site.append("mysite/settings.py", the_block(page, "site admin").code)
        site.run("manage.py", "check", "--fail-level", "WARNING")
        site.run_script(SIGN_IN_TO_THE_ADMIN, logto.endpoint, "/admin/login/password/")


@pytest.mark.parametrize(
    ("page", "kind", "expected"),
    [
        ("README.md", "site", {"E002", "E003", "E004", "W022"}),
        (ADD_TO_A_SITE, "site", {"E002", "E003", "E004", "W022"}),
        (PROTECT_AN_API, "api", {"E002", "W022"}),
    ],
)
def test_new_site_without_variables_reports_what_is_missing(
    page: str, kind: str, expected: set[str], tmp_path: Path
) -> None:
    site = NewSite(tmp_path)
    site.follow(page, kind)
    printed = site.run("manage.py", "check", "--deploy", code=1)
    assert set(re.findall(r"logto_auth\.(\w+)", printed)) >= expected
    assert "Traceback" not in printed
    # The database and the tests of the site need no credentials.
    for command in (("makemigrations", "--check"), ("migrate",)):
        assert "Traceback" not in site.run("manage.py", *command)


def test_guide_to_tests_can_be_followed(tmp_path: Path) -> None:
    site = NewSite(tmp_path)
    site.follow(ADD_TO_A_SITE, "site")
    site.append("mysite/urls.py", the_block(ADD_TO_A_SITE, "site view").code)
    for file in ("pytest.ini", "conftest.py"):
        (site.folder / file).write_text(the_block(TEST_YOUR_SITE, file).code)
    first, *_ = (block for block in blocks_of(TEST_YOUR_SITE) if block.kind == "tests")
    (site.folder / "test_sign_in.py").write_text(first.code)
    assert "1 passed" in site.run("-m", "pytest", "-p", "no:cacheprovider")


def test_guide_to_the_terminal_ends_without_a_failure(fresh: Emulator, settings: Any, tmp_path: Path) -> None:
    site = NewSite(
        tmp_path,
        LOGTO_ENDPOINT=fresh.endpoint,
        LOGTO_M2M_APP_ID=settings.LOGTO_M2M_APP_ID,
        LOGTO_M2M_APP_SECRET=settings.LOGTO_M2M_APP_SECRET,
    )
    site.follow(ADD_TO_A_SITE, "site")
    for block in blocks_of(SET_UP):
        if block.kind == "settings":
            site.append("mysite/settings.py", block.code)
        elif block.kind == "module shop.tenant":
            (site.folder / "shop").mkdir()
            (site.folder / "shop" / "tenant.py").write_text(block.code)
    site.run("manage.py", "logto_setup", "--base-url", "http://localhost:8000", "--env-file", ".env", "--yes")
    site.environment |= read_env_file(site.folder / ".env")
    site.run("manage.py", "migrate", "--verbosity", "0")
    printed = site.run("manage.py", "logto_doctor", "--base-url", "http://localhost:8000")
    assert "0 failures" in printed, printed
    # Logto 1.42 calls no site on the own machine.
    assert set(re.findall(r"^warning +(\S+)", printed, re.MULTILINE)) <= {"outbound-guard"}, printed


def test_new_site_is_an_api(logto: Emulator, tmp_path: Path) -> None:
    token = access_token(logto, aud="https://shop.example/api")
    site = NewSite(tmp_path, LOGTO_ENDPOINT=logto.endpoint)
    site.follow(PROTECT_AN_API, "api")
    site.check_and_migrate()
    site.run_script(CALL, token)


def test_readme_and_guide_have_the_same_lines() -> None:
    def code(page: str) -> set[str]:
        return {line.partition("  #")[0] for line in the_block(page, "site settings").code.splitlines() if line}

    assert code("README.md") < code("docs/how-to/add-to-a-site.md")
