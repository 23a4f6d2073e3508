"""A new site with the lines of a page works, in processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from logto_auth.emulator import Emulator

from .callers import access_token
from .pages import ROOT, the_block

PROTECT_AN_API = "docs/how-to/protect-an-api.md"
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


def run_new_site(page: str, kind: str, script: str, argument: str, folder: Path, **environment: str) -> None:
    """Create a site with the lines of the page, check and migrate it, and run the script there."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LOGTO_", "DJANGO_"))}
    environment = {**inherited, "PYTHONPATH": str(ROOT), **environment}

    def run(*arguments: str, **more: str) -> None:
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env={**environment, **more},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    run("-m", "django", "startproject", "mysite", ".")
    with (folder / "mysite" / "settings.py").open("a") as file:
        file.write("\n" + the_block(page, f"{kind} settings").code)
    (folder / "mysite" / "urls.py").write_text(the_block(page, f"{kind} urls").code)
    (folder / "script.py").write_text(script)
    run("manage.py", "check", "--fail-level", "WARNING")
    run("manage.py", "migrate", "--verbosity", "0")
    run("script.py", argument, DJANGO_SETTINGS_MODULE="mysite.settings")


@pytest.mark.parametrize("page", ["README.md", "docs/how-to/add-to-a-site.md"])
def test_new_site_signs_in(page: str, logto: Emulator, settings: Any, tmp_path: Path) -> None:
    logto.tenant.add_user(username="reader")
    application = {"LOGTO_APP_ID": settings.LOGTO_APP_ID, "LOGTO_APP_SECRET": settings.LOGTO_APP_SECRET}
    run_new_site(page, "site", SIGN_IN, logto.endpoint, tmp_path, LOGTO_ENDPOINT=logto.endpoint, **application)


def test_new_site_is_an_api(logto: Emulator, tmp_path: Path) -> None:
    token = access_token(logto, aud="https://shop.example/api")
    run_new_site(PROTECT_AN_API, "api", CALL, token, tmp_path, LOGTO_ENDPOINT=logto.endpoint)


def test_readme_and_guide_have_the_same_lines() -> None:
    def code(page: str) -> set[str]:
        return {line.partition("  #")[0] for line in the_block(page, "site settings").code.splitlines() if line}

    assert code("README.md") < code("docs/how-to/add-to-a-site.md")
