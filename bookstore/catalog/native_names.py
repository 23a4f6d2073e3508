"""Names of authors and titles in Japanese and Chinese script, so that a search finds them."""

import json
from functools import cache
from pathlib import Path

FILE = Path(__file__).parent / "data" / "native_names.json"


def native_names(author: str, original_title: str) -> list[str]:
    """Return the names of the author and of the title in Japanese, simplified and traditional script, if known."""
    names = _names()
    return [names["authors"].get(author, ""), names["titles"].get(original_title, "")]


@cache
def _names() -> dict[str, dict[str, str]]:
    names: dict[str, dict[str, str]] = json.loads(FILE.read_text(encoding="utf-8"))
    return names
