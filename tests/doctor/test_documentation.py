"""The documentation of logto_doctor."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from logto_auth import doctor
from logto_auth.doctor import examine
from logto_auth.emulator import Emulator

COMMANDS = Path(__file__).parents[2] / "docs/reference/commands.md"
# The names of findings that only report skipped checks.
SKIPPED = {"site", "logto", "sign-in", "base-url"}


@pytest.mark.django_db
def test_every_check_is_documented(fresh: Emulator, settings: Any) -> None:
    text = COMMANDS.read_text(encoding="utf-8")
    (section,) = re.findall(r"^## `manage\.py logto_doctor`\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    tables = re.findall(r"^\| (?:MCP check|Check) \|.*?\n\n", section, re.MULTILINE | re.DOTALL)
    lines = [line for table in tables for line in table.strip().splitlines()]
    documented = {name for line in lines for name in re.findall(r"`([\w-]+)`", line.split("|")[1])}
    files = Path(doctor.__file__).parent.rglob("*.py")
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    named = set(re.findall(r"\b(?:ok|skipped|warning|failure|make)\(\s*\"([\w-]+)\"", source))
    named |= set(re.findall(r"findings_or_ok\([^\"]*\"([\w-]+)\"", source))
    assert named - SKIPPED == documented
    assert {finding.check for finding in examine(["https://shop.example"])} <= named
