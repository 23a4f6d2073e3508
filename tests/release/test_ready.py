"""A commit that is not the release of its tag is refused before it is published."""

from __future__ import annotations

from pathlib import Path

import pytest

from .ready import main, obstacles

FILES = {
    "pyproject.toml": 'version = "0.2.0"\nRepository = "https://github.com/acme/logto-auth"\n',
    "logto_auth/__init__.py": '__version__ = "0.2.0"\n',
    "CHANGELOG.md": "# Changelog\n\n## 0.2.0 (2027-01-31)\n",
    "README.md": "Version 0.2.0.\n",
    "SECURITY.md": "0.2\n",
    "docs/index.md": "0.2.0\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_complete_release_has_no_obstacles(folder: Path) -> None:
    assert list(obstacles(folder, "v0.2.0")) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "obstacle"),
    [
        ("pyproject.toml", '"0.2.0"', '"0.1.0"', "pyproject.toml has the version 0.1.0, expected 0.2.0."),
        ("logto_auth/__init__.py", "0.2.0", "0.2", "logto_auth/__init__.py has the version 0.2, expected 0.2.0."),
        ("pyproject.toml", "acme", "OWNER", "The repository has no public address"),
        ("CHANGELOG.md", "0.2.0 (2027-01-31)", "Unreleased", "CHANGELOG.md has no heading `## 0.2.0 (YYYY-MM-DD)`."),
        ("CHANGELOG.md", " (2027-01-31)", "", "CHANGELOG.md has no heading"),
        ("README.md", "Version 0.2.0.", "Version 0.2.0 is unreleased.", "README.md says 'unreleased'."),
        ("README.md", "Version", "It is not on PyPI yet.", "README.md says 'not on PyPI'."),
        ("docs/index.md", "0.2.0", "not released yet", "docs/index.md says 'not released'."),
    ],
)
def test_obstacle_is_named(folder: Path, name: str, old: str, new: str, obstacle: str) -> None:
    (folder / name).write_text(FILES[name].replace(old, new), encoding="utf-8")
    assert next(iter(obstacles(folder, "v0.2.0"))).startswith(obstacle)


@pytest.mark.parametrize("tag", ["", "0.1.0", "v1", "main", "v0.1.0; rm"])
def test_other_tags_are_refused(tag: str) -> None:
    assert main([tag]) == 2
