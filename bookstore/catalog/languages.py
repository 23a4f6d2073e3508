"""Texts that a row has in several languages, in columns such as `title_ja`."""

from __future__ import annotations

from django.db.models import Expression, F, Model, Value
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import get_language

READINGS = {"ja": "kana", "zh_hans": "pinyin"}
"""The columns by which names in these languages are sorted: characters have no alphabetical order."""


def in_language(row: Model, name: str) -> str:
    """Return the text in the language of the page, or "" if the row has no such text or no such column."""
    text: str = getattr(row, f"{name}_{_suffix()}", "")
    return text


def is_translated(row: Model, name: str) -> bool:
    """Return whether the page is in English, or the row has the text in the language of the page."""
    return _suffix() == "en" or bool(in_language(row, name))


def name_order(name: str) -> Expression | F:
    """Return the expression that sorts by title or author in the language of the page.

    A row without a reading is sorted by the name itself, and one without a translation by the English name.
    """
    language = _suffix()
    if language not in READINGS:
        return F(f"sort_{name}")
    columns = (f"{name}_{READINGS[language]}", f"{name}_{language}")
    return Coalesce(*(NullIf(column, Value("")) for column in columns), f"sort_{name}")


def _suffix() -> str:
    return (get_language() or "en").replace("-", "_")
