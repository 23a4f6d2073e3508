"""The documentation of the commands has all options and outcomes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import load_command_class
from django.core.management.base import BaseCommand

from logto_auth.sync.report import OUTCOMES

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["logto_sync", "logto_import"])
def test_every_option_is_documented(name: str) -> None:
    text = (DOCS / "reference/commands.md").read_text()
    section = text.partition(f"## `manage.py {name}`")[2].partition("\n## ")[0]
    parser = load_command_class("logto_auth", name).create_parser("manage.py", name)
    usual = BaseCommand().create_parser("manage.py", name)
    own = {action.option_strings[-1] for action in parser._actions} - {
        action.option_strings[-1] for action in usual._actions
    }
    assert set(re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE)) == own


def test_every_outcome_is_documented() -> None:
    text = (DOCS / "how-to/sync-users.md").read_text()
    rows = re.findall(r"^\| ([a-z, ]+) \|", text.partition("## Output")[2].partition("\n## ")[0], re.MULTILINE)
    assert {word for row in rows for word in row.split(", ")} == set(OUTCOMES)
