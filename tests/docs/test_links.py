"""Links lead somewhere, and what the pages name exists: tests, settings, checks, commands, targets and versions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

import logto_auth
from logto_auth.conf import conf
from tests.release.address import defined_address

from .badges import FOLDER, badges
from .pages import DOCS, PAGES, ROOT, text_of

IMAGES = DOCS / "images"
# A page shows this spelling mistake, which a check reports.
MISTAKES = {"LOGTO_ENDPONT"}
EVERYTHING = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_linked_files_exist(page: Path) -> None:
    for target in re.findall(r"\[[^\]]*\]\(([^)#]+)", page.read_text(encoding="utf-8").replace("\n", " ")):
        assert "://" in target or (page.parent / target).exists(), target


def headings(text: str) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    outside_code = re.sub(r"^(```+).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^#{1,6} +(.+?) *$", outside_code, re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)|[`*]", r"\1", title).lower() for title in titles]
    return {re.sub(r"[^\w -]", "", title).replace(" ", "-") for title in plain}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_linked_headings_exist(page: str) -> None:
    """Sphinx checks the headings in the other pages."""
    for target, heading in re.findall(r"\]\((?!\w+:)([^)#\s]*)#([^)\s]+)\)", text_of(page)):
        assert heading in headings(text_of(target or page)), f"{target}#{heading}"


def named_tests() -> list[tuple[str, str, str]]:
    """Return file, function and case of each test that the page on security names."""
    return re.findall(r"`([\w/]+\.py)::([\w:]+)(?:\[([^\]`]+)\])?`", text_of("docs/explanation/security.md"))


@pytest.mark.parametrize("file", sorted({file for file, _, _ in named_tests()}))
def test_named_tests_exist(file: str) -> None:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    functions: dict[str, ast.AST] = {}
    for owner in [tree, *(node for node in tree.body if isinstance(node, ast.ClassDef))]:
        prefix = f"{owner.name}::" if isinstance(owner, ast.ClassDef) else ""
        functions |= {f"{prefix}{node.name}": node for node in owner.body if isinstance(node, ast.FunctionDef)}
    for _, function, case in (named for named in named_tests() if named[0] == file):
        assert function in functions, function
        constants = {node.value for node in ast.walk(functions[function]) if isinstance(node, ast.Constant)}
        # Two parametrize marks make one id of two constants.
        assert not case or any(f"-{case}".endswith(f"-{each}") for each in constants if each), (function, case)


SETTING = re.compile(r"\bLOGTO_[A-Z0-9_]+[A-Z]\b")
# Variables of the tests.
ENVIRONMENT = {"LOGTO_LIKE"}


def test_named_settings_exist() -> None:
    variables = re.findall(r'_text\("(\w+)"', (ROOT / "tests/live/options.py").read_text(encoding="utf-8"))
    known = (
        {setting.name for setting in conf.all()} | MISTAKES | ENVIRONMENT | {f"LOGTO_LIVE_{name}" for name in variables}
    )
    # The first column of its tables has the settings of other packages.
    moving = (ROOT / "docs/how-to/move-from-other-packages.md").read_text(encoding="utf-8")
    others = set(SETTING.findall(" ".join(re.findall(r"^\| (.+?) \|", moving, re.MULTILINE))))
    assert set(SETTING.findall(EVERYTHING)) <= known | others


def test_named_commands_exist() -> None:
    assert set(re.findall(r"manage\.py (logto_\w+)", EVERYTHING)) <= set(get_commands())


def test_named_make_targets_exist() -> None:
    (phony,) = re.findall(r"^\.PHONY: ((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    named = re.findall(r"`make ([\w-]+)", EVERYTHING) + re.findall(r"^\$ (?:\w+=\S+ )*make ([\w-]+)", EVERYTHING, re.M)
    assert set(named) <= set(phony.split())


def test_readme_names_the_supported_versions() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    (python,) = re.findall(r'requires-python = ">=([\d.]+)"', project)
    django_versions = re.findall(r"Framework :: Django :: ([\d.]+)", project)
    (base,) = re.findall(r'"mozilla-django-oidc>=([\d.]+),<6"', project)
    readme = text_of("README.md")
    assert f"Python {python} or newer, Django {django_versions[0]} to {django_versions[-1]}" in readme
    assert f"mozilla-django-oidc {base} or newer" in readme


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md", "SECURITY.md", "docs/index.md"])
def test_pages_name_the_version_of_the_package(page: str) -> None:
    assert re.search(rf"\b{re.escape(logto_auth.__version__)}\b", text_of(page))


def test_readme_loads_remote_images_only_from_the_repository() -> None:
    remote = re.findall(r"(?:!\[[^\]]*\]\(|\bsrc=\"|\bsrcset=\")(\w+://[^)\"]*)", text_of("README.md"))
    assert [image for image in remote if not image.startswith(f"{defined_address(ROOT)}/")] == []


def test_badges_have_the_values_of_the_project() -> None:
    expected = dict(badges())
    assert {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()} == expected
    assert set(re.findall(r"\(docs/images/badges/(.+?)\)", text_of("README.md"))) == set(expected)


def test_each_image_is_shown_with_a_text() -> None:
    shown = re.findall(r'!\[[^\]]+\]\([^)]*images/([^)]+)\)|images/([^"]+)"', EVERYTHING)
    images = {file.relative_to(IMAGES).as_posix() for file in IMAGES.rglob("*") if file.is_file()}
    assert {markdown or html for markdown, html in shown} == images
    assert all('alt="' in tag for tag in re.findall(r"<img [^>]*>", EVERYTHING))
