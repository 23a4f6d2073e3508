"""The generated parts of the reference are complete."""

from __future__ import annotations

import dataclasses
import sys

import pytest

from logto_auth.emulator.versions import LogtoVersion
from logto_auth.sign_in.error_page import MESSAGES

from .pages import DOCS, ROOT

sys.path.insert(0, str(DOCS / "_ext"))

import reference
from reference import errors, signals, versions

GENERATED = [
    "api-keys",
    "checks",
    "emulator",
    "errors",
    "organization-console",
    "settings",
    "signals",
    "templates-and-tags",
]


@pytest.mark.parametrize("name", GENERATED)
def test_markers_are_replaced(name: str) -> None:
    source = (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")
    page = reference.fill(f"reference/{name}", source)
    assert len(page) > len(source)
    assert "<!-- reference:" not in page


def test_each_difference_of_versions_is_described() -> None:
    fields = [field.name for field in dataclasses.fields(LogtoVersion) if field.name != "name"]
    assert list(versions.meanings()) == fields
    rows = versions.table("").splitlines()
    assert rows[0] == "| Difference | 1.41 | 1.42 | head |"
    assert len(rows) == len(fields) + 2


def test_page_without_a_setting_is_refused() -> None:
    with pytest.raises(reference.IncompleteReference, match="LOGTO_ENDPOINT"):
        reference.fill("reference/settings", "# Settings\n")


def test_unknown_marker_is_refused() -> None:
    with pytest.raises(reference.IncompleteReference, match="'settings'"):
        reference.fill("reference/errors", "<!-- reference: settings -->")


def test_every_code_of_the_error_page_is_raised() -> None:
    assert set(MESSAGES) <= set(errors.raised_errors())


@pytest.mark.parametrize("module", signals.modules())
def test_signals_are_described(module: str) -> None:
    described = signals.descriptions(module)
    for name in signals.names(module):
        assert "Sender: " in described[name], name
        assert "Arguments: " in described[name], name


def test_public_names_have_descriptions() -> None:
    page = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")
    assert "- `LogtoMiddleware`: " in reference.fill("reference/api", page)
