"""The address of the repository is defined once, and one command replaces all of its copies."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from .address import ROOT, AddressError, copies_of, defined_address, is_placeholder, main, replace_address, text_files

# In two parts, because the command would replace it here as well.
PLACEHOLDER = "https://github.com/OWNER" + "/logto-auth"
NAME = PLACEHOLDER.removeprefix("https://github.com/")
PUBLIC = "https://github.com/acme/logto-auth"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with the placeholder in four files, one of which git ignores, and with a file that is not text."""
    files = {
        ".gitignore": "build/\n",
        "pyproject.toml": f'[project.urls]\nRepository = "{PLACEHOLDER}"\nIssues = "{PLACEHOLDER}/issues"\n',
        "README.md": f"# logto_auth\n\nClone {PLACEHOLDER}.git, see {PLACEHOLDER}. --repo {NAME}\n",
        "docs/other.md": f"{PLACEHOLDER}-js, {PLACEHOLDER}.js, the-{NAME} and https://github.com/logto-io/logto\n",
        "build/log.txt": PLACEHOLDER,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "image.png").write_bytes(b"\x89PNG\0" + PLACEHOLDER.encode())
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path


def text(repository: Path, name: str) -> str:
    return (repository / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("address", [PUBLIC, f"{PUBLIC}/", f"{PUBLIC}.git"])
def test_address_is_replaced_in_all_files(repository: Path, address: str) -> None:
    assert replace_address(repository, address) == ["README.md", "pyproject.toml"]
    assert defined_address(repository) == PUBLIC
    assert f'Issues = "{PUBLIC}/issues"' in text(repository, "pyproject.toml")
    assert f"Clone {PUBLIC}.git, see {PUBLIC}. --repo acme/logto-auth\n" in text(repository, "README.md")


def test_other_repositories_and_ignored_files_are_unchanged(repository: Path) -> None:
    before = {name: (repository / name).read_bytes() for name in ("docs/other.md", "build/log.txt", "image.png")}
    replace_address(repository, PUBLIC)
    assert {name: (repository / name).read_bytes() for name in before} == before


def test_public_address_adds_the_badge_once(repository: Path) -> None:
    replace_address(repository, PUBLIC)
    badge = f"[![Tests]({PUBLIC}/actions/workflows/tests.yml/badge.svg)]({PUBLIC}/actions/workflows/tests.yml)"
    assert text(repository, "README.md").startswith(f"# logto_auth\n\n{badge}\n\nClone")
    assert replace_address(repository, PUBLIC) == []


def test_public_address_adds_its_badge_before_others(repository: Path) -> None:
    (repository / "README.md").write_text("# logto_auth\n\n![Python](python.svg)\n\nText\n", encoding="utf-8")
    replace_address(repository, PUBLIC)
    _, _, badge, other, _, last = text(repository, "README.md").splitlines()
    assert badge.startswith("[![Tests](")
    assert (other, last) == ("![Python](python.svg)", "Text")


def test_readme_without_a_title_is_refused_without_a_change(repository: Path) -> None:
    (repository / "README.md").write_text("logto_auth\n", encoding="utf-8")
    with pytest.raises(AddressError, match="does not begin with a title"):
        replace_address(repository, PUBLIC)
    assert defined_address(repository) == PLACEHOLDER


def test_moved_repository_is_renamed_everywhere(repository: Path) -> None:
    replace_address(repository, PUBLIC)
    moved = "https://github.com/initech/django-logto"
    replace_address(repository, moved)
    assert PUBLIC not in text(repository, "README.md") + text(repository, "pyproject.toml")
    assert text(repository, "README.md").count(f"{moved}/actions/workflows/tests.yml/badge.svg") == 1


def test_placeholder_adds_no_badge(repository: Path) -> None:
    assert replace_address(repository, PLACEHOLDER) == []


@pytest.mark.parametrize(
    "address",
    ["", "acme/logto-auth", "http://github.com/acme/logto-auth", "https://github.com/acme", f"{PUBLIC}/tree/main",
     "https://github.com.evil.example/acme/logto-auth", "https://github.com/acme/logto auth", f"{PUBLIC}?a=b"],
)  # fmt: skip
def test_other_addresses_are_refused_without_a_change(repository: Path, address: str) -> None:
    with pytest.raises(AddressError, match="is not an address such as"):
        replace_address(repository, address)
    assert defined_address(repository) == PLACEHOLDER


@pytest.mark.parametrize("definition", ["", 'Repository = "a"\nRepository = "b"\n'])
def test_unclear_definition_is_refused(repository: Path, definition: str) -> None:
    (repository / "pyproject.toml").write_text(definition, encoding="utf-8")
    with pytest.raises(AddressError, match="expected one"):
        replace_address(repository, PUBLIC)


def test_command_without_an_address_shows_its_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([""]) == 2
    assert "Usage: make address URL=" in capsys.readouterr().err


def test_command_refuses_another_host(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["https://example.com/acme/logto-auth"]) == 1
    assert "is not an address such as" in capsys.readouterr().err


def test_no_file_has_another_address_of_the_repository() -> None:
    """A copy of another form would not be replaced, and a half replaced one would lead to another repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a checkout")
    address = defined_address(ROOT)
    copies = copies_of(address)
    # acme is the owner in examples.
    another = re.compile(r"[^\s\"'(<]*github(?:usercontent)?\.(?:com|io)[/:](?!acme/)\S*logto[-_]auth\b|\bOWNER/")
    for path, content in text_files(ROOT):
        if path.parent != Path(__file__).parent:
            rest = another.search(copies.sub("", content))
            assert rest is None, f"{path.relative_to(ROOT)}: {rest[0]}"


def test_badges_wait_for_the_public_address() -> None:
    readme = text(ROOT, "README.md")
    assert ("/badge.svg)" in readme) is not is_placeholder(defined_address(ROOT))
