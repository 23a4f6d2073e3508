"""The guide to Django and Alipay (Native), followed literally from an empty tenant to a sign-in."""

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

from .followed import commands, follow
from .pages import ROOT, blocks_of, text_of

GUIDE = "docs/guides/django-alipay-native.md"
FILES = {
    "site settings": ">>mysite/settings.py",
    "site urls": "mysite/urls.py",
    "home template": "templates/home.html",
}
SIGN_IN = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "mysite.settings"
import django
django.setup()
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from django.test.utils import setup_test_environment
from logto_auth.testing import Browser
setup_test_environment()
settings.ALLOWED_HOSTS.append("localhost")
browser = Browser(sys.argv[1], Client(headers={"host": "localhost:8000"}))
home = browser.client.get("/").content.decode()
assert "Continue with Alipay" in home and "direct_sign_in=social%3Aalipay" in home, home
url = browser.start("/", direct_sign_in="social:alipay")
response = browser.open(browser.logto.sign_in_with_alipay(url, "2088000000000002"))
assert response.url == "/", response.content.decode()
sub = get_user_model().objects.get().logto_identities.get().sub
home = browser.client.get("/").content.decode()
assert f"Hello, {sub}" in home and "Sign out" in home, home
"""


def normalized(output: str) -> list[str]:
    """Return the lines, sorted, without what differs from run to run: the id of a connector, a key, a port."""
    output = re.sub(r"MII[\w+/=…]+", "<key>", output)
    output = re.sub(r"http://localhost:(?!8000)\d+", "<Logto>", output)
    # A new id has 12 small letters and digits.
    output = re.sub(r"(?<![\w.])(?=\w*\d)[a-z0-9]{12}(?!\w)", "<id>", output)
    return sorted(output.splitlines())


@pytest.fixture
def environment(fresh: Emulator, settings: Any) -> dict[str, str]:
    return {
        "LOGTO_ENDPOINT": fresh.endpoint,
        "LOGTO_M2M_APP_ID": settings.LOGTO_M2M_APP_ID,
        "LOGTO_M2M_APP_SECRET": settings.LOGTO_M2M_APP_SECRET,
    }


@pytest.mark.timeout(300)
def test_guide_leads_to_a_sign_in_with_alipay(fresh: Emulator, environment: dict[str, str], tmp_path: Path) -> None:
    ran = follow(GUIDE, FILES, tmp_path, environment)
    shown = dict(each for block in blocks_of(GUIDE) if block.language == "console" for each in commands(block))
    compared = {command for command, printed in ran if shown.get(command) and printed}
    for command, printed in ran:
        if command in compared:
            assert normalized(printed) == normalized(shown[command]), command
    assert len(compared) == 9
    (doctor,) = (printed for command, printed in ran if "logto_doctor" in command)
    assert "0 failure" in doctor
    (tmp_path / "sign_in.py").write_text(SIGN_IN)
    done = subprocess.run(
        [sys.executable, "sign_in.py", fresh.endpoint],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **read_env_file(tmp_path / ".env")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr


def test_table_names_each_step() -> None:
    """Each step is in the table "There and here", so a reader of Logto's guide finds it."""
    text = text_of(GUIDE)
    steps = re.findall(r"^## (\d+)\. ", text, re.MULTILINE)
    assert steps == [str(number) for number in range(1, 14)]
    table = text.partition("## There and here")[2]
    assert set(steps) <= set(re.findall(r"\(#(\d+)-", table))
