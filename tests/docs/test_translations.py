"""The translated pages of the documentation: their catalogs are complete, and say the same code and the same links."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from .pages import DOCS, ROOT

CATALOGS = sorted((DOCS / "locale").glob("*/LC_MESSAGES/**/*.po"))
PAGES = ["guides/django-alipay-native", "tutorial"]
CODE = re.compile(r"`[^`]+`")
LINK = re.compile(r"\]\(([^)]+)\)|<(https?://[^>]+)>")
LABEL = re.compile(r"\*\*([^*]+)\*\*")
# The tutorial means the Console's, which the reader may have in English.
LABELS_OF_THE_CONSOLE = {"Applications"}
# Names that are the same in each language.
NAMES = {
    "Alipay (Native)",
    "Alipay (Web)",
    "9. iOS",
    "10. Android",
    "Connectors → Add social connector → Alipay (Native)",
}


def named(path: Path) -> str:
    return path.relative_to(DOCS / "locale").as_posix()


def read(path: Path) -> Catalog:
    with path.open("rb") as stream:
        return read_po(stream)


def messages(catalog: Catalog) -> dict[str, str]:
    return {message.id: message.string for message in catalog if message.id}


def test_each_page_has_a_catalog_in_each_language() -> None:
    assert {named(path) for path in CATALOGS} == {
        f"{language}/LC_MESSAGES/{page}.po" for language in ("ja", "zh_CN") for page in PAGES
    }


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the messages of the pages, as Sphinx extracts them."""
    pytest.importorskip("sphinx", reason="Sphinx is in the dependency group dev")
    folder = tmp_path_factory.mktemp("gettext")
    sources = ",".join(f"{page}.md" for page in PAGES)
    options = ["-D", f"include_patterns={sources}", "-D", "root_doc=tutorial", "-D", "suppress_warnings=toc,myst"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-b", "gettext", "-q", *options, str(DOCS), str(folder)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "bookstore.settings"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", CATALOGS, ids=named)
def test_catalog_has_the_messages_of_its_page(path: Path, templates: Path) -> None:
    page = path.relative_to(DOCS / "locale").parts[2:]
    expected = messages(read(templates.joinpath(*page).with_suffix(".pot")))
    catalog = read(path)
    assert list(messages(catalog)) == list(expected)
    assert not catalog.obsolete


@pytest.mark.parametrize("path", CATALOGS, ids=named)
def test_each_message_is_translated(path: Path) -> None:
    for message in read(path):
        if message.id:
            assert message.string.strip(), message.id
            assert not message.fuzzy, message.id
            words = LINK.sub("", CODE.sub("", message.id))
            if re.search(r"[A-Za-z]{2}", words) and message.id not in NAMES:
                assert message.string != message.id


@pytest.mark.parametrize("path", CATALOGS, ids=named)
def test_code_links_and_marks_are_the_same(path: Path) -> None:
    for source, translation in messages(read(path)).items():
        assert sorted(CODE.findall(translation)) == sorted(CODE.findall(source)), source
        assert sorted(LINK.findall(translation)) == sorted(LINK.findall(source)), source
        assert translation.count("**") == source.count("**"), source


@pytest.mark.parametrize("path", CATALOGS, ids=named)
def test_numbered_headings_are_no_lists(path: Path) -> None:
    """Markdown makes a list of `1. `, and Sphinx drops a heading that is a list."""
    for source, translation in messages(read(path)).items():
        number = re.match(r"(\d+)\. ", source)
        assert not number or translation.startswith(f"{number[1]}\\. "), source


@pytest.mark.parametrize("path", [path for path in CATALOGS if path.stem == "tutorial"], ids=named)
def test_labels_of_the_bookstore_are_those_that_it_shows(path: Path) -> None:
    """The bookstore has the language of the reader, so the tutorial names its buttons in that language."""
    language = {"zh_CN": "zh_Hans"}.get(path.relative_to(DOCS / "locale").parts[0], "ja")
    shown: dict[str, str] = {}
    for package in ("logto_auth", "bookstore"):
        shown |= messages(read(ROOT / package / "locale" / language / "LC_MESSAGES" / "django.po"))
    compared = 0
    for source, translation in messages(read(path)).items():
        for label in LABEL.findall(source):
            if label in shown and label not in LABELS_OF_THE_CONSOLE:
                compared += 1
                assert f"**{shown[label]}**" in translation, (label, shown[label])
    assert compared > 15
