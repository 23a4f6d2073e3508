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
BOLD = re.compile(r"\*\*([^*]+)\*\*")
LINK = re.compile(r"\]\(([^)]+)\)|<(https?://[^>]+)>")
# The languages of the catalogs of the product, by those of the documentation.
LANGUAGES = {"ja": "ja", "zh_CN": "zh_Hans"}
# Bold names of the emulator, which is English, and of the Logto Console, which the reader may have in English.
ENGLISH = {"Applications", "Authorize"}
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
    return {message.id: message.string for message in catalog if isinstance(message.id, str) and message.id}


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_tutorial_names_the_buttons_as_the_bookstore_does(language: str) -> None:
    """The bookstore follows the language of the browser, which is that of the reader."""
    of_product: dict[str, str] = {}
    for owner in ("logto_auth", "bookstore"):
        of_product |= messages(read(ROOT / owner / "locale" / LANGUAGES[language] / "LC_MESSAGES" / "django.po"))
    names = 0
    for source, translation in messages(read(DOCS / "locale" / language / "LC_MESSAGES" / "tutorial.po")).items():
        of_page = [name for name in BOLD.findall(source) if name in of_product and name not in ENGLISH]
        names += len(of_page)
        shown = BOLD.findall(translation)
        assert [of_product[name] for name in of_page if of_product[name] not in shown] == [], source
    assert names > 10
