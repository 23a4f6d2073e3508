"""The catalogues of the package and of the bookstore are complete, and their compiled files are current."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract, extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.contrib import auth
from django.utils.translation.template import templatize

ROOT = Path(__file__).parent.parent
CATALOGUES = sorted(
    [*ROOT.glob("logto_auth/locale/*/LC_MESSAGES/django.po"), *ROOT.glob("bookstore/locale/*/*/django.po")]
)

PARTS = re.compile(r"%\(\w+\)[sd]|\{\w+\}|<[^>]+>")
KEYWORDS = {"_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2)}
TEMPLATES = {"logto_auth": ROOT / "logto_auth" / "templates", "bookstore": ROOT / "templates"}


def first(id: str | list[str] | tuple[str, ...]) -> str:
    """Return the singular of a text with a plural, or the text itself."""
    return id if isinstance(id, str) else id[0]


def texts(catalogue: Catalog) -> dict[str, object]:
    return {
        first(message.id): message.string if isinstance(message.string, str) else tuple(message.string)
        for message in catalogue
        if message.id
    }


def test_japanese_and_simplified_chinese_exist() -> None:
    assert {(path.parents[3].name, path.parents[1].name) for path in CATALOGUES} == {
        (owner, language) for owner in ("logto_auth", "bookstore") for language in ("ja", "zh_Hans")
    }


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: "-".join(path.parts[-5:-2]))
def test_every_text_is_translated_and_compiled(path: Path) -> None:
    with path.open("rb") as source, path.with_suffix(".mo").open("rb") as compiled:
        messages, compiled_messages = read_po(source), read_mo(compiled)
    assert [message.id for message in messages if message.id and (message.fuzzy or not message.string)] == []
    assert texts(compiled_messages) == texts(messages)


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: "-".join(path.parts[-5:-2]))
def test_translations_keep_placeholders_and_tags(path: Path) -> None:
    with path.open("rb") as source:
        messages = [message for message in read_po(source) if message.id]
    assert [
        (message.id, text)
        for message in messages
        for text in ([message.string] if isinstance(message.string, str) else message.string)
        if sorted(PARTS.findall(text)) != sorted(PARTS.findall(first(message.id)))
    ] == []


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: "-".join(path.parts[-5:-2]))
def test_catalogue_has_the_texts_of_code_and_templates(path: Path) -> None:
    owner = path.parents[3]
    with path.open("rb") as source:
        known = {first(message.id) for message in read_po(source) if message.id}
    of_code = {first(id) for _, _, id, _, _ in extract_from_dir(owner, [("**.py", "python")], keywords=KEYWORDS)}
    of_templates = {text for file in templates_of(owner) for text in texts_of_template(file)}
    assert of_code
    assert of_templates
    assert (of_code | of_templates) - known == set()
    assert known - (of_code | of_templates) == set()


@pytest.mark.parametrize("language", ["ja", "zh_Hans"])
def test_labels_of_django_users_keep_their_translation(language: str) -> None:
    """Django merges the catalogues of all apps, so a text that `django.contrib.auth` has too needs the same one."""
    names = (ROOT / "logto_auth", Path(auth.__path__[0]))
    paths = [folder / "locale" / language / "LC_MESSAGES" / "django.mo" for folder in names]
    ours, theirs = (texts(read_mo(io.BytesIO(path.read_bytes()))) for path in paths)
    assert ours["active"]
    assert {id: text for id, text in ours.items() if theirs.get(id, text) != text} == {}


def templates_of(owner: Path) -> list[Path]:
    """Return the pages and the e-mails."""
    return [file for file in TEMPLATES[owner.name].rglob("*") if file.suffix in (".html", ".txt")]


def texts_of_template(file: Path) -> set[str]:
    # Django turns the tags into calls of gettext, and everything else into meaningless names.
    lines = [line.strip() for line in templatize(file.read_text(), origin=str(file)).splitlines()]
    return {first(id) for _, id, _, _ in extract("python", io.BytesIO("\n".join(lines).encode()), keywords=KEYWORDS)}
