"""The search words, for pages and API, and the columns in which they are searched and by which lists are sorted."""

import unicodedata
from collections.abc import Mapping
from typing import Any

LONGEST_SEARCH = 100


SEARCHED = (
    "title",
    "original_title",
    "author",
    "description",
    "title_ja",
    "title_kana",
    "author_ja",
    "author_kana",
    "description_ja",
    "title_zh_hans",
    "title_pinyin",
    "author_zh_hans",
    "author_pinyin",
    "description_zh_hans",
    "other_names",
)

KATAKANA_TO_HIRAGANA = {code: code - 0x60 for code in range(ord("ァ"), ord("ヶ") + 1)}
INNER_POINTS = str.maketrans("", "", "・·")


def search_words(query: Mapping[str, str]) -> str:
    """Return the words of `?q=`, without characters that a search cannot use."""
    return query.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]


def fill_search_columns(book: Any) -> None:
    """Fill the derived columns of a book. Migrations use it too, with a model of their own."""
    book.sort_title = searchable(without_article(book.title))[:160]
    book.sort_author = searchable(book.author)[:120]
    book.search_text = searchable(" ".join(getattr(book, name) for name in SEARCHED))


def searchable(text: str) -> str:
    """Return the text for comparison: without case, accents and the points between names, and katakana as hiragana."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(character for character in decomposed if not unicodedata.combining(character))
    return letters.translate(INNER_POINTS).translate(KATAKANA_TO_HIRAGANA)


def without_article(title: str) -> str:
    """Return an English title without its leading article: lists have "A Doll's House" under D."""
    article, _space, rest = title.partition(" ")
    return rest if rest and article in ("A", "An", "The") else title
